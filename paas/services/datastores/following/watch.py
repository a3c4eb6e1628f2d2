"""Finds the followers that need attention.

The monitor uses this, so it imports little.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from paas.domain.datastores.datastores import Datastore, DatastoreState
from paas.domain.datastores.following import Place, Standing
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.server.findings import Finding, mendable
from paas.interfaces import FollowerStandings, Locks
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerWatch:
    """Only reads; changes nothing."""

    store: Store
    standings: Mapping[DatastoreKind, FollowerStandings]
    locks: Locks

    def all(self) -> list[Datastore]:
        """All followers, by number."""
        return [one for one in self.store.datastores.all() if one.following is not None]

    def standing(self, follower: Datastore) -> Standing:
        """How far a follower is behind."""
        return self.standings[follower.kind].standing(follower)

    def unsettled(self) -> list[Datastore]:
        """Those that have lost their slot, or whose change was interrupted."""
        return [
            one
            for one in self.all()
            if not self.locks.app_is_held(one.app_id) and self.is_unsettled(one)
        ]

    def findings(self) -> Iterator[Finding]:
        """The same for `doctor`."""
        for one in self.unsettled():
            yield mendable(
                "datastores",
                f"{one.name} is too far behind the datastore that it follows, or its change was "
                "interrupted.",
            )

    def is_unsettled(self, one: Datastore) -> bool:
        """Whether a follower is one of these, provided that nobody is changing it now."""
        if one.state in {DatastoreState.COPYING, DatastoreState.UNFOLLOWING}:
            return True
        return one.state is DatastoreState.READY and self.standing(one).place is Place.LOST
