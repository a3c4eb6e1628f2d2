"""What can be dumped: datastores of this server, and databases elsewhere that apps attached."""

from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.datastores.dumps import Dumped
from paas.domain.datastores.external import External
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.values.errors import usage_error
from paas.interfaces import Reach
from paas.interfaces.backups import Sink
from paas.interfaces.dumps import DatastoreDumps, ExternalDumps
from paas.services.datastores.dumps.replacing import own_datastore
from paas.services.datastores.finding import external, visible
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpSources:
    """Dumps both in the same form. Kinds without external dumps are refused."""

    store: Store
    dumps: Mapping[DatastoreKind, DatastoreDumps]
    external_dumps: Mapping[DatastoreKind, ExternalDumps]
    reach: Reach

    def own(
        self, app: App, wanted: str | None, kind: DatastoreKind, *, to_dump: bool = True
    ) -> Dumped:
        """A source that belongs to the app. Raises PaasError.

        to_dump: whether it must be possible to dump it.
        """
        elsewhere = self._elsewhere(app, wanted, kind, to_dump=to_dump)
        return elsewhere or own_datastore(self.store, app, wanted, kind)

    def visible(self, app: App, wanted: str | None, kind: DatastoreKind) -> Dumped:
        """A source that the app has, even if it belongs to another. Raises PaasError."""
        elsewhere = self._elsewhere(app, wanted, kind)
        return elsewhere or visible(self.store, app, wanted, kind).datastore

    def dump(self, one: Dumped, *, compressed: bool = False) -> Generator[bytes, None, None]:
        """See `DatastoreDumps`. One elsewhere is asked at an address that users may have asked."""
        if not isinstance(one, External):
            yield from self.dumps[one.kind].dump(one, compressed=compressed)
            return
        url = one.parsed
        address = self.reach.address(url.host, url.port)
        yield from self.external_dumps[one.kind].dump(one, address, compressed=compressed)

    def checking(self, one: Dumped) -> AbstractContextManager[Sink]:
        """See `DatastoreDumps`."""
        if isinstance(one, External):
            return self.external_dumps[one.kind].checking(one)
        return self.dumps[one.kind].checking(one)

    def _elsewhere(
        self, app: App, wanted: str | None, kind: DatastoreKind, *, to_dump: bool = True
    ) -> External | None:
        found = external(self.store, app, wanted, kind)
        if found is None:
            return None
        if kind not in self.external_dumps:
            raise usage_error(
                "external",
                f"This server cannot dump {found.name}, a {kind.traits.product} elsewhere.",
                "Use the backups of its provider.",
            )
        if to_dump:
            self.external_dumps[kind].require(found)
        return found
