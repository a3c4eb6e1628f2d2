"""addons and its kin, and pg:promote and its kin"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from paas.domain.apps.apps import App
from paas.domain.datastores.datastores import Attachment, Datastore, DatastoreState
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.names import attachment_name, variable
from paas.domain.datastores.plans import parse_order
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError
from paas.domain.values.sizes import size_words
from paas.entrypoints.operations.call import Call
from paas.services.datastores.finding import Shown, of_app, visible


def listing(call: Call, *, app: str | None) -> list[dict[str, object]]:
    """The datastores that belong to an app or are attached to it; without one, of all apps."""
    if app is not None:
        found = call.services.apps.find(call.actor, app, to=Permission.VIEW)
        rows = of_app(call.services.store, found)
        return [_plain(call, row.datastore) for row in rows]
    rows = [row for one in call.services.apps.visible(call.actor) for row in _of_app(call, one)]
    return [_plain(call, one) for one in {row.datastore.id: row.datastore for row in rows}.values()]


def info(call: Call, *, app: str, datastore: str) -> dict[str, object]:
    """One of them, with its figures; for those who may configure the app also with its URL."""
    found = call.services.apps.find(call.actor, app, to=Permission.VIEW)
    shown = call.services.datastores.info(call.actor, app, datastore, None)
    one, figures = shown.datastore, shown.figures
    may_connect = call.actor.may(Permission.CONFIGURE, found)
    known: dict[str, object] = {
        **_plain(call, one),
        "version": f"{one.kind.traits.product} {figures.version if figures else one.version}",
        "answers": figures is not None,
        "follows": one.leader.name if one.leader is not None else None,
        "url": one.url.reveal() if may_connect else None,
        "figures": {},
    }
    if figures is not None:
        known["figures"] = {
            "Data Size": size_words(figures.size_bytes),
            "Connections": f"{figures.connections}/{one.connections}",
            **figures.more,
        }
    return known


def create(call: Call, *, app: str, order: str, name: str | None) -> dict[str, object]:
    """Create a datastore and attach it. The answer does not wait until it is ready."""
    kind, plan, told = parse_order(order)
    wanted = attachment_name(name) if name is not None else None
    if told is not None:
        call.progress.warn(told)
    found = call.services.apps.find(call.actor, app, to=Permission.CONFIGURE)
    with _failure_logged(call, found, f"No {kind.traits.product} was created and attached"):
        made = call.services.datastores.create(
            call.actor,
            app,
            (kind, plan),
            wanted,
            call.progress,
            begun=lambda new: call.answer(_plain(call, new)),
        )
    return _plain(call, made)


def destroy(call: Call, *, app: str, datastore: str) -> dict[str, object]:
    """Delete a datastore with all data in it, and its attachments to the app that it belongs to."""
    found = call.services.apps.find(call.actor, app, to=Permission.OWN)
    one = visible(call.services.store, found, datastore, None).datastore
    row = _plain(call, one)
    with _failure_logged(call, found, f"{one.name} was not destroyed"):
        call.services.datastores.destroy(
            call.actor,
            app,
            one.name,
            one.name,
            call.accepting(lambda *_: {**row, "state": "being destroyed"}),
            detach=True,
        )
    return {**row, "state": "destroyed"}


def attach(call: Call, *, app: str, datastore: str, name: str | None) -> dict[str, object]:
    """Give an app the URL of a datastore; returns the attachment, the first of several."""
    wanted = attachment_name(name) if name is not None else None
    found = call.services.apps.find(call.actor, app, to=Permission.CONFIGURE)
    former = {one.name for one in _attachments(call, found)}

    def made() -> dict[str, object]:
        new = next(one for one in _attachments(call, found) if one.name not in former)
        return _attached(call, new)

    progress = call.accepting(lambda *_: made())
    call.services.attachments.attach(call.actor, app, datastore, wanted, progress)
    return made()


def detach(call: Call, *, app: str, names: Sequence[str]) -> list[dict[str, object]]:
    """Take URLs of datastores from an app; returns the attachments as they were."""
    found = call.services.apps.find(call.actor, app, to=Permission.CONFIGURE)
    gone = [_attached(call, one) for one in _attachments(call, found) if one.name in names]
    progress = call.accepting(lambda *_: gone)
    call.services.attachments.detach(call.actor, app, names, progress)
    return gone


def promote_postgresql(call: Call, *, app: str, datastore: str) -> dict[str, object]:
    """Make an attached PostgreSQL the app's DATABASE_URL; returns that attachment."""
    return _promote(call, app, datastore, DatastoreKind.POSTGRESQL)


def promote_redis(call: Call, *, app: str, datastore: str) -> dict[str, object]:
    """The same for Redis and REDIS_URL."""
    return _promote(call, app, datastore, DatastoreKind.REDIS)


def _promote(call: Call, app: str, datastore: str, kind: DatastoreKind) -> dict[str, object]:
    found = call.services.apps.find(call.actor, app, to=Permission.CONFIGURE)

    def promoted() -> dict[str, object]:
        first = kind.traits.firsts[0]
        return _attached(call, next(one for one in _attachments(call, found) if one.name == first))

    progress = call.accepting(lambda *_: promoted())
    call.services.attachments.promote(call.actor, app, datastore, kind, progress)
    return promoted()


@contextmanager
def _failure_logged(call: Call, app: App, what: str) -> Iterator[None]:
    """The app's log says why it failed, if the client no longer waits for that."""
    try:
        yield
    except PaasError as error:
        if call.reply.client_gone():
            call.services.logs.write(app.id, "addons", f"{what}: {error.message}")
        raise


def _of_app(call: Call, app: App) -> list[Shown]:
    return of_app(call.services.store, app)


def _attachments(call: Call, app: App) -> list[Attachment]:
    return call.services.store.datastores.attachments(app_id=app.id)


def _plain(call: Call, one: Datastore) -> dict[str, object]:
    """With its attachments to all apps that the actor may see; without its URL."""
    store = call.services.store
    attached = [a for a in store.datastores.attachments() if a.datastore == one.name]
    apps = {a.app_id: store.apps.by_id(a.app_id) for a in attached}
    shown = [
        a for a in attached if (app := apps[a.app_id]) and call.actor.may(Permission.VIEW, app)
    ]
    own = [a for a in attached if a.app_id == one.app_id]
    return {
        "id": one.id,
        "name": one.name,
        "kind": str(one.kind),
        "plan": one.plan.name,
        "state": _state(call, one, bool(own)),
        "app": _app(store.apps.by_id(one.app_id)),
        "vars": [variable(a.name) for a in own],
        "attachments": [{"app": _app(apps[a.app_id]), "name": a.name} for a in shown],
        "created_at": one.created_at.isoformat(),
    }


def _state(call: Call, one: Datastore, is_attached: bool) -> str:
    """One that was created is attached in a second step, by the same change of the app."""
    if one.state is not DatastoreState.READY or is_attached:
        return str(one.state)
    is_changing = call.services.locks.app_is_held(one.app_id)
    return str(DatastoreState.PENDING if is_changing else one.state)


def _attached(call: Call, attachment: Attachment) -> dict[str, object]:
    """An attachment, with what is attached. Databases elsewhere are none of these."""
    store = call.services.store
    found = store.datastores.find(attachment.datastore)
    return {
        "app": _app(store.apps.by_id(attachment.app_id)),
        "name": attachment.name,
        "datastore": _plain(call, found) if found is not None else None,
    }


def _app(app: App | None) -> dict[str, object]:
    return {"id": app.id, "name": app.name} if app is not None else {"id": 0, "name": ""}
