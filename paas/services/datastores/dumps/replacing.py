"""Replacing everything in a datastore: who may do it, what has to be confirmed, and doing it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.people.actors import Actor
from paas.domain.values.errors import PaasError, usage_error
from paas.interfaces import Locks, Progress
from paas.interfaces.dumps import DatastoreDumps, IncomingDump
from paas.services.datastores.finding import refuse_follower, visible
from paas.services.progress import waiting
from paas.store import Store


def own_datastore(store: Store, app: App, wanted: str | None, kind: DatastoreKind) -> Datastore:
    """A datastore that belongs to the app. Raises PaasError if the app only uses it."""
    found = visible(store, app, wanted, kind).datastore
    if found.app_id != app.id:
        owner = store.apps.by_id(found.app_id)
        other = owner.name if owner else "another app"
        raise PaasError(
            "datastore-of-another-app",
            f"{found.name} belongs to {other}.",
            f"Name that app: -a {other}",
        )
    refuse_follower(found, "is not dumped or loaded itself")
    return found


def confirm_replacing(datastore: Datastore, confirm: str | None, command: str, app: App) -> None:
    """Raises PaasError, with the command that would do it, unless its name was repeated."""
    if confirm == datastore.name:
        return
    raise usage_error(
        "confirm",
        f"This permanently replaces everything in {datastore.name}.",
        f"To confirm: {command} -a {app.name} --confirm {datastore.name}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacing:
    """Loads dumps into datastores."""

    store: Store
    dumps: Mapping[DatastoreKind, DatastoreDumps]
    locks: Locks

    def replace(
        self,
        actor: Actor,
        app: App,
        datastore: Datastore,
        fill: Callable[[IncomingDump], None],
        reading: str,
        progress: Progress,
    ) -> None:
        """Load what fill writes. The app's lock keeps others from doing the same."""
        kind = self.dumps[datastore.kind]
        with progress.doing(reading) as reword, kind.spool() as incoming:
            fill(incoming)
            with self.locks.app(
                app.id, f"{actor.name} loads a dump into {datastore.name}", waiting(progress)
            ):
                if self.store.datastores.find(datastore.name) != datastore:
                    raise PaasError(
                        "no-such-datastore",
                        f"{datastore.name} was changed meanwhile.",
                        "Try again.",
                    )
                kind.load(datastore, incoming, reword)
