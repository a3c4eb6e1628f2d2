"""Followers in memory."""

from collections.abc import Callable, Sequence

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.following import Place, Standing
from paas.domain.values.errors import PaasError
from tests.fakes.datastores import FakeDatastoreServer


class FakeFollowers:
    """`DatastoreFollowers`. admitted: the names of those with a place, by their leader's.

    copied: of what each has the files. lost: the names of those that lost their place. fail: raised
    by the next copy or release; may be any exception. at: called in the middle of both.
    """

    def __init__(self, server: FakeDatastoreServer) -> None:
        self._server = server
        self.admitted: dict[str, set[str]] = {}
        self.copied: dict[str, str] = {}
        self.released: list[str] = []
        self.lost: set[str] = set()
        self.lags = False
        self.fail: BaseException | None = None
        self.at: Callable[[], None] = lambda: None

    def admit(self, follower: Datastore) -> None:
        leader = self._leader(follower)
        self._answering(leader)
        self.admitted.setdefault(leader.name, set()).add(follower.name)
        self.lost.discard(follower.name)

    def copy(self, follower: Datastore) -> None:
        assert follower.name in self.admitted[self._leader(follower).name]
        self._interrupted()
        self._server.files.add(follower.id)
        self.copied[follower.name] = self._leader(follower).name

    def dismiss_others(self, leader: Datastore, present: Sequence[Datastore]) -> None:
        self._answering(leader)
        self.admitted.get(leader.name, set()).intersection_update(one.name for one in present)

    def standing(self, follower: Datastore) -> Standing:
        leader = self._leader(follower)
        if not self._server.answers(leader):
            return Standing(Place.UNKNOWN)
        if follower.name in self.lost or follower.name not in self.admitted.get(leader.name, set()):
            return Standing(Place.LOST)
        if not self._server.answers(follower):
            return Standing(Place.UNKNOWN)
        return Standing(Place.STREAMING, 0, 0.0)

    def has_caught_up(self, follower: Datastore, limit_s: float) -> bool:
        return not self.lags and self.standing(follower).place is Place.STREAMING

    def release(self, follower: Datastore) -> None:
        self._interrupted()
        self.released.append(follower.name)

    def _interrupted(self) -> None:
        self.at()
        if self.fail is not None:
            failed, self.fail = self.fail, None
            raise failed

    def _answering(self, leader: Datastore) -> None:
        if not self._server.answers(leader):
            raise PaasError("datastore-down", f"The server of {leader.name} does not answer.")

    def _leader(self, follower: Datastore) -> Datastore:
        assert follower.leader is not None
        return follower.leader
