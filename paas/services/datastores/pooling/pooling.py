"""Connection pooling: gives an app the URL of a pooler, which shares a datastore's connections."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.datastores.datastores import Attachment, Datastore
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.names import refuse_taken
from paas.domain.datastores.pooling import POOL, Pooler
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress
from paas.services.access import find_app
from paas.services.datastores.attachments import Attachments
from paas.services.datastores.finding import (
    refuse_follower,
    refuse_foreign,
    refuse_on_nodes,
    refuse_unready,
    visible,
)
from paas.services.datastores.pooling.upkeep import PoolerUpkeep
from paas.services.releases.change import Target
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooling:
    """Users create poolers by attaching them; for their removal see `Attachments.detach`."""

    store: Store
    attachments: Attachments
    poolers: PoolerUpkeep

    def attach(
        self,
        actor: Actor,
        name: str,
        wanted: str | None,
        chosen: AttachmentName | None,
        progress: Progress,
    ) -> None:
        """Attach the pooler of a datastore that belongs to the app, as a release, and roll it out.

        wanted: see `visible`. chosen: the attachment's name, instead of Heroku's. Nothing is left
        if the pooler does not come up, or the app does not come up with it.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        found = visible(self.store, app, wanted, DatastoreKind.POSTGRESQL).datastore
        refuse_foreign(self.store, app, found)
        refuse_follower(found, "has no connection pooler")
        attachment = refuse_taken(chosen or POOL, self.attachments.taken(app))
        self._ensure_installed(actor, progress)

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target | None]:
            present = self.store.datastores.find(found.name) or found
            refuse_unready(present)
            refuse_taken(attachment, self.attachments.taken(app))
            refuse_on_nodes(app, present.kind, pooled=True)
            one = Attachment(app.id, attachment, present.name, pooled=True)
            self.attachments.changes.loss_warning.look(app, progress)
            try:
                with progress.doing(f"starting the connection pooler of {present.name}"):
                    pooler = self.poolers.start(present)
                progress.detail(
                    f"{pooler.connections} connections, for up to {pooler.clients} clients"
                )
                self.store.datastores.attach([one])
                self.attachments.upkeep.let_clients()
                words = f"Attach {one.name} (the connection pooler of {present.name})"
                done = f"{app.name} has the URL of the connection pooler in {one.var}"
                yield self.attachments.target(app, actor, words, done, progress)
            except BaseException:
                self.store.datastores.detach([one])
                self.attachments.upkeep.let_clients()
                self.poolers.drop_unneeded(present)
                raise

        self.attachments.apply(app, actor, "attaches a connection pooler", prepare, progress)

    def shown(self, datastore: Datastore) -> tuple[Pooler, bool] | None:
        """The pooler of a datastore, and whether it answers."""
        pooler = self.store.poolers.of(datastore)
        return (pooler, self.poolers.poolers.answers(pooler)) if pooler is not None else None

    def _ensure_installed(self, actor: Actor, progress: Progress) -> None:
        """Only root has missing packages installed."""
        if self.poolers.poolers.is_installed():
            return
        if actor.user is not None:
            raise PaasError(
                "datastore-not-installed",
                "PgBouncer is not installed on this server.",
                "Root on the server installs it with the first connection pooler: "
                "sudo paas pg:connection-pooling:attach -a APP",
            )
        self.poolers.poolers.ensure_installed(progress)
