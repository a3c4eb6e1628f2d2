"""What only PostgreSQL can do, of all kinds of datastore."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.extensions import Extension


class PostgresqlServers(Protocol):
    """The PostgreSQL datastores of this machine. All raise PaasError if one does not answer."""

    def settings(self, datastore: Datastore, names: Iterable[str]) -> dict[str, str]:
        """What these settings are now, as the server words it; none that it does not know."""

    def reload(self, datastore: Datastore) -> None:
        """Have it follow its settings, as they were rendered; returns once new sessions do."""

    def extensions(self, datastore: Datastore) -> list[Extension]:
        """What could be made in its database, and what is there, by name."""

    def make_extension(self, datastore: Datastore, extension: Extension) -> None:
        """Make one, with all that it needs; no error if it is there.

        As the owner of the database if that may do so, and as the superuser otherwise. Raises
        PaasError, also where what the app has made would be called by the superuser.
        """


class MajorUpgrades(Protocol):
    """Brings PostgreSQL datastores to another major version.

    `prepare`, `copy`, then another version in the record of it, `DatastoreServer.refresh`, which
    puts the new files in place, and `finish`. Until the record is changed, nothing has.
    """

    def versions(self) -> Sequence[str]:
        """The installed major versions, the newest last."""

    def space(self, datastore: Datastore) -> tuple[int, int]:
        """Bytes that it takes, and that are free on its disk."""

    def prepare(self, datastore: Datastore, version: str) -> None:
        """Make empty files of that version beside the present ones, in which it may go on."""

    def copy(self, datastore: Datastore, version: str) -> None:
        """Fill them, and see that a server of that version serves them. Its server must not run.

        Raises PaasError with what hinders; the present files are as they were.
        """

    def give_up(self, datastore: Datastore) -> None:
        """Delete these files; no error if there are none."""

    def finish(self, datastore: Datastore) -> None:
        """What comes after the first start with new files: statistics, and the archive."""

    def delete_former(self, datastore: Datastore, before: datetime) -> bool:
        """Delete former files that were replaced before this; whether there were any."""
