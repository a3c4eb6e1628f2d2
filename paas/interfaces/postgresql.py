"""What only PostgreSQL can do among the kinds of datastore."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.extensions import Extension


class PostgresqlServers(Protocol):
    """The PostgreSQL datastores of this machine. All raise PaasError if one does not answer."""

    def settings(self, datastore: Datastore, names: Iterable[str]) -> dict[str, str]:
        """The current values of these settings, as the server prints them, without unknown ones."""

    def reload(self, datastore: Datastore) -> None:
        """Have it reload its rendered settings; returns once new sessions use them."""

    def extensions(self, datastore: Datastore) -> list[Extension]:
        """The extensions that its database could have, and those that it has, by name."""

    def make_extension(self, datastore: Datastore, extension: Extension) -> None:
        """Create an extension with everything that it requires; no error if it exists.

        This runs as the owner of the database if that is allowed, and as the superuser otherwise.
        Raises PaasError, also if the superuser could be made to call what the app has created.
        """


class MajorUpgrades(Protocol):
    """Upgrades PostgreSQL datastores to another major version.

    The order is `prepare`, `copy`, then the new version in the datastore's record,
    `DatastoreServer.refresh`, which puts the new files in place, and `finish`. Nothing changes
    before the record does.
    """

    def versions(self) -> Sequence[str]:
        """The installed major versions, the newest last."""

    def space(self, datastore: Datastore) -> tuple[int, int]:
        """The bytes that it takes, and those that are free on its disk."""

    def prepare(self, datastore: Datastore, version: str) -> None:
        """Create empty files of that version beside the present ones."""

    def copy(self, datastore: Datastore, version: str) -> None:
        """Fill them, and check that a server of that version works. Its own server must be stopped.

        Raises PaasError with the cause; the present files do not change.
        """

    def give_up(self, datastore: Datastore) -> None:
        """Delete the new files; no error if there are none."""

    def finish(self, datastore: Datastore) -> None:
        """What follows the first start with the new files: statistics, and the archive."""

    def delete_former(self, datastore: Datastore, before: datetime) -> bool:
        """Delete former files that were replaced before that; returns whether there were any."""
