"""Logical dumps of datastores: making, checking and loading them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.external import External
from paas.interfaces.backups import Sink


class IncomingDump(Protocol):
    """A dump that comes in, as a file that is gone at the end, whatever happens."""

    def write(self, data: bytes) -> object:
        """Add to it. Raises PaasError if there is no room for it."""


class ExternalDumps(Protocol):
    """Dumps of databases elsewhere, of one kind; in the form of `DatastoreDumps`."""

    def require(self, external: External) -> None:
        """Raises PaasError if what is installed here cannot dump one of its version."""

    def dump(
        self, external: External, address: str, *, compressed: bool = False
    ) -> Iterator[bytes]:
        """As that of `DatastoreDumps`, asked at this address of its host alone."""

    def checking(self, external: External) -> AbstractContextManager[Sink]:
        """As that of `DatastoreDumps`."""


class DatastoreDumps(Protocol):
    """Dumps of one kind of datastore, in the form of its own programs."""

    def dump(self, datastore: Datastore, *, compressed: bool = False) -> Iterator[bytes]:
        """All that is in it, as of one moment. Raises PaasError instead of ending if that fails.

        compressed: made smaller, unless the form of its kind is already.
        """

    def checking(self, datastore: Datastore) -> AbstractContextManager[Sink]:
        """Takes a dump, and reads all of it. Raises PaasError if it is none, or not whole."""

    def spool(self) -> AbstractContextManager[IncomingDump]:
        """An empty one."""

    def load(self, datastore: Datastore, dump: IncomingDump, doing: Callable[[str], None]) -> None:
        """Put what is in a dump in the place of all that is in the datastore.

        All forms that are usual for the kind are known by their content. It is loaded beside what
        is there, which is removed when the new one serves; connections end. Raises PaasError, and
        then nothing has changed. doing: told what is done.
        """

    def empty(self, datastore: Datastore, doing: Callable[[str], None]) -> None:
        """Put nothing in the place of all that is in it, in the same way."""

    def is_empty(self, datastore: Datastore) -> bool:
        """Whether there is no table in it."""

    def tidy(self, datastore: Datastore) -> bool:
        """Remove what an interrupted load left; whether there was something."""
