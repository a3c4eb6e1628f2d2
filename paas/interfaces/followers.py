"""Making a datastore follow another one, as a read-only copy that is kept up to date."""

from collections.abc import Sequence
from typing import Protocol

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.following import Standing


class FollowerStandings(Protocol):
    """How far the followers of one kind of datastore are behind."""

    def standing(self, follower: Datastore) -> Standing:
        """How far a follower is behind."""


class DatastoreFollowers(FollowerStandings, Protocol):
    """Followers of one kind of datastore. Calls that involve a leader need its server."""

    def admit(self, follower: Datastore) -> None:
        """Create its login and slot at its leader, which from then on keeps what it needs.

        They replace any that it had; it must not be running.
        """

    def copy(self, follower: Datastore) -> None:
        """Create its files from its leader's present ones, replacing any that it has.

        It must have been admitted, and must not be running. Takes as long as the copy. Raises
        PaasError.
        """

    def dismiss_others(self, leader: Datastore, present: Sequence[Datastore]) -> None:
        """Remove the logins and slots of former followers. present: the current ones."""

    def has_caught_up(self, follower: Datastore, limit_s: float) -> bool:
        """Wait until it has what its leader has now; False if that takes longer or fails."""

    def release(self, follower: Datastore) -> None:
        """Make its files those of an independent datastore; it must not be running.

        It needs no leader. The next call finishes what was interrupted. Raises PaasError.
        """
