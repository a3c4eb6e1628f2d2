"""What makes a datastore follow another one: a read-only copy of it as it is now."""

from collections.abc import Sequence
from typing import Protocol

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.following import Standing


class FollowerStandings(Protocol):
    """How far followers of one kind of datastore are."""

    def standing(self, follower: Datastore) -> Standing:
        """How far one is."""


class DatastoreFollowers(FollowerStandings, Protocol):
    """Followers of one kind of datastore. What is asked of a leader needs its server."""

    def admit(self, follower: Datastore) -> None:
        """Give it a login and a place at its leader, from which on the leader keeps what it needs.

        In place of those that it had; it must not run.
        """

    def copy(self, follower: Datastore) -> None:
        """Make its files, as its leader is now, in place of any that it has.

        It must have been admitted, and not run. Takes as long as the copy. Raises PaasError.
        """

    def dismiss_others(self, leader: Datastore, present: Sequence[Datastore]) -> None:
        """Take login and place from all that follow it no longer. present: those that do."""

    def has_caught_up(self, follower: Datastore, limit_s: float) -> bool:
        """Wait until it has what its leader has now; False if that takes longer, or it cannot."""

    def release(self, follower: Datastore) -> None:
        """Make its files those of a datastore of its own, as they are; it must not run.

        It needs no leader. What was interrupted is finished by the next call. Raises PaasError.
        """
