"""psql and the like on a datastore, as a one-off process of the app, with its rights."""

from collections.abc import Mapping
from dataclasses import dataclass

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.interfaces import Caller, DatastoreServer, Progress
from paas.services.access import find_app
from paas.services.datastores.datastores import Datastores
from paas.services.datastores.externals import Externals
from paas.services.runs.runs import AppRuns, RunRequest
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class DatastoreSessions:
    """Interactive clients. They connect to a datastore as the app does."""

    store: Store
    servers: Mapping[DatastoreKind, DatastoreServer]
    datastores: Datastores
    externals: Externals
    app_runs: AppRuns

    def run(
        self,
        actor: Actor,
        name: str,
        wanted: str | None,
        kind: DatastoreKind,
        statement: str | None,
        *,
        terminal: str | None,
        caller: Caller,
        progress: Progress,
    ) -> int:
        """Run the client of a kind and wait for it; returns its exit status.

        statement: run this instead of reading from the caller. terminal: see `RunRequest`.
        """
        find_app(self.store, actor, name, to=Permission.OPERATE)
        elsewhere = self.externals.chosen(actor, name, wanted, kind)
        if elsewhere is not None:
            client = self.externals.servers[kind].client(elsewhere.parsed, statement)
        else:
            found = self.datastores.chosen(actor, name, wanted, kind)
            client = self.servers[kind].client(found, statement)
        request = RunRequest(list(client.argv), dict(client.env), terminal, needs_slug=False)
        return self.app_runs.run(actor, name, request, caller, progress)
