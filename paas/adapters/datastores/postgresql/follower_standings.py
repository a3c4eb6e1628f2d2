"""How far followers of PostgreSQL are behind; implements `FollowerStandings`."""

from paas.adapters.datastores.postgresql import followers_sql
from paas.adapters.datastores.postgresql.queries import Queries
from paas.domain.datastores.datastores import Datastore, Following
from paas.domain.datastores.following import Place, Standing
from paas.domain.values.errors import PaasError
from paas.paths import Paths


class PostgresqlStandings:
    """Asks the follower and its leader."""

    def __init__(self, paths: Paths) -> None:
        self._queries = Queries(paths)

    def standing(self, follower: Datastore) -> Standing:
        """See `FollowerStandings`."""
        leader = following_of(follower).leader
        replayed, streams = "0/0", False
        age_s: float | None = None
        try:
            said = self._queries.run(follower, followers_sql.STANDBY).strip().split("|")
            replayed, age_s, streams = said[1], float(said[2]), said[3] == "t"
        except (PaasError, OSError):
            pass  # it may have to be copied again, which its leader knows
        try:
            question = followers_sql.at_leader(follower, replayed)
            behind, lag_s, kept = self._queries.run(leader, question).strip().split("|")
        except (PaasError, OSError):
            return Standing(Place.UNKNOWN, None, age_s)
        if kept in {"lost", ""} and not streams:
            return Standing(Place.LOST)
        if age_s is None:
            return Standing(Place.UNKNOWN)
        behind_bytes = max(0, int(behind))
        if not behind_bytes:
            behind_s = 0.0
        elif streams and lag_s:
            behind_s = float(lag_s)
        else:
            behind_s = age_s
        return Standing(Place.STREAMING if streams else Place.WAITING, behind_bytes, behind_s)


def following_of(follower: Datastore) -> Following:
    """What a datastore that is known to be a follower has in addition."""
    assert follower.following is not None
    return follower.following
