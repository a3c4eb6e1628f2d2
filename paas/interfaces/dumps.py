"""Logical dumps of datastores: making, checking and loading them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.external import External
from paas.interfaces.backups import Sink


class IncomingDump(Protocol):
    """An incoming dump, in a file that is gone at the end, whatever happens."""

    def write(self, data: bytes) -> object:
        """Append to it. Raises PaasError if there is no space for it."""


class ExternalDumps(Protocol):
    """Dumps of databases elsewhere, of one kind, in the form of `DatastoreDumps`."""

    def require(self, external: External) -> None:
        """Raises PaasError if the installed programs cannot dump its version."""

    def dump(
        self, external: External, address: str, *, compressed: bool = False
    ) -> Iterator[bytes]:
        """Like `DatastoreDumps.dump`, connecting only to this address of its host."""

    def checking(self, external: External) -> AbstractContextManager[Sink]:
        """Like `DatastoreDumps.checking`."""


class DatastoreDumps(Protocol):
    """Dumps of one kind of datastore, in the form of its own programs."""

    def dump(self, datastore: Datastore, *, compressed: bool = False) -> Iterator[bytes]:
        """All its content as of one moment. Raises PaasError instead of ending if that fails.

        compressed: whether to compress it, unless the form of its kind is compressed already.
        """

    def checking(self, datastore: Datastore) -> AbstractContextManager[Sink]:
        """Reads all of a dump. Raises PaasError if it is not one, or is incomplete."""

    def spool(self) -> AbstractContextManager[IncomingDump]:
        """An empty incoming dump."""

    def load(self, datastore: Datastore, dump: IncomingDump, doing: Callable[[str], None]) -> None:
        """Replace everything in the datastore with the content of a dump.

        All usual forms of the kind are detected. The dump is loaded beside the present data, which
        are removed once the new ones are served; connections end. Raises PaasError, and then
        nothing has changed. doing: told what is being done.
        """

    def empty(self, datastore: Datastore, doing: Callable[[str], None]) -> None:
        """Replace everything in it with nothing, in the same way."""

    def is_empty(self, datastore: Datastore) -> bool:
        """Whether it has no tables."""

    def tidy(self, datastore: Datastore) -> bool:
        """Remove what an interrupted load left; returns whether there was anything."""
