"""Finding the datastores of an app, by their names or those of their attachments."""

from collections.abc import Sequence
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.datastores.datastores import Attachment, Datastore, DatastoreState
from paas.domain.datastores.external import External
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.plans import Plan
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import AppName
from paas.interfaces import Figures
from paas.store import Store


@dataclass(frozen=True, slots=True)
class Shown:
    """A datastore as its users see it. names: of its attachments to the app.

    figures: None if its server does not answer. owner: the app to which it belongs. from_nodes:
    whether nodes can connect to it, so that not only its apps are let.
    """

    datastore: Datastore
    owner: AppName
    names: tuple[AttachmentName, ...]
    figures: Figures | None = None
    from_nodes: bool = False


def visible(store: Store, app: App, wanted: str | None, kind: DatastoreKind | None) -> Shown:
    """A datastore of the app, by its name or that of an attachment; of a kind, if one is given.

    wanted: None means the one with the first name of its kind, such as DATABASE, or the only one
    that is attached. Raises PaasError.
    """
    known = of_app(store, app)
    if wanted is not None:
        for one in known:
            if wanted == one.datastore.name or wanted.removesuffix("_URL") in one.names:
                return _of_kind(one, kind)
        elsewhere = external(store, app, wanted, kind)
        raise no_such_datastore(wanted) if elsewhere is None else _elsewhere(elsewhere)
    attached = [one for one in known if one.names and kind in (None, one.datastore.kind)]
    first = [one for one in attached if {*one.datastore.kind.traits.firsts} & {*one.names}]
    for found in (first, attached):
        if len(found) == 1:
            return found[0]
    what = kind.traits.product if kind is not None else "datastore"
    elsewhere = external(store, app, wanted, kind) if not attached else None
    if elsewhere is not None:
        raise _elsewhere(elsewhere)
    if not attached:
        raise PaasError(
            "which-datastore",
            f"{app.name} has no {what} attached.",
            f"To create one: paas addons:create {kind or DatastoreKind.POSTGRESQL} -a {app.name}",
        )
    raise PaasError(
        "which-datastore",
        f"{app.name} has several attached: {', '.join(one.datastore.name for one in attached)}.",
        f"Name one of them: paas addons -a {app.name}",
    )


def external(
    store: Store, app: App, wanted: str | None, kind: DatastoreKind | None
) -> External | None:
    """The database elsewhere that is meant, or None if it is not one.

    wanted: its name or that of an attachment; None means the one with the first name of its kind,
    or the only one of that kind that the app has. Raises PaasError if it is of another kind.
    """
    present = store.datastores.attachments(app_id=app.id)
    known = [
        (one, {at.name for at in present if at.datastore == one.name})
        for one in store.externals.of_app(app.id)
    ]
    if wanted is not None:
        for one, names in known:
            if wanted in (one.name, *names):
                if kind is not None:
                    refuse_kind(one.name, one.kind, kind)
                return one
        return None
    known = [(one, names) for one, names in known if kind in (None, one.kind)]
    for one, names in known:
        if {*one.kind.traits.firsts} & names:
            return one
    used = [one for one in of_app(store, app) if one.names and kind in (None, one.datastore.kind)]
    return known[0][0] if len(known) == 1 and not used else None


def _elsewhere(found: External) -> PaasError:
    return usage_error(
        "external",
        f"{found.name} is a database elsewhere, and this command is for those that this server "
        "runs.",
        "Change it where it runs. If its password has changed, give the new URL: "
        "paas addons:attach --url - --as NAME",
    )


def _of_kind(found: Shown, kind: DatastoreKind | None) -> Shown:
    if kind is not None:
        refuse_kind(found.datastore.name, found.datastore.kind, kind)
    return found


def refuse_kind(name: str, present: DatastoreKind, kind: DatastoreKind) -> None:
    """Raises PaasError if a command for one kind is used for another."""
    if present is not kind:
        raise usage_error(
            "datastore-kind",
            f"{name} is {present.traits.product}, but this command is for {kind.traits.product}.",
            f"List the commands for {present.traits.product}: paas help addons",
        )


def kind_of_attached(store: Store, attachment: Attachment) -> DatastoreKind:
    """The kind of what is attached: a datastore of this server, or a database elsewhere."""
    found = store.datastores.find(attachment.datastore) or store.externals.find(
        attachment.datastore
    )
    if found is None:
        raise no_such_datastore(attachment.datastore)
    return found.kind


def of_app(store: Store, app: App) -> list[Shown]:
    """The datastores that belong to an app or are attached to it, by number."""
    present = store.datastores.attachments(app_id=app.id)
    names = {one.datastore for one in present}
    found = [one for one in store.datastores.all() if one.app_id == app.id or one.name in names]
    return [Shown(one, _owner(store, one, app), _names(present, one)) for one in found]


def _owner(store: Store, datastore: Datastore, app: App) -> AppName:
    owner = app if datastore.app_id == app.id else store.apps.by_id(datastore.app_id)
    return owner.name if owner is not None else AppName("")


def _names(present: Sequence[Attachment], datastore: Datastore) -> tuple[AttachmentName, ...]:
    return tuple(one.name for one in present if one.datastore == datastore.name)


def refuse_foreign(store: Store, app: App, datastore: Datastore) -> None:
    """Raises PaasError unless it belongs to the app."""
    if datastore.app_id != app.id:
        owner = store.apps.by_id(datastore.app_id)
        raise PaasError(
            "datastore-of-another-app",
            f"{datastore.name} belongs to {owner.name if owner else 'another app'}.",
            "If you have access to that app, use -a and its name.",
        )


def refuse_follower(datastore: Datastore, why: str) -> None:
    """Raises PaasError if it is a follower. why: the reason, to follow its name."""
    if datastore.leader is not None:
        raise PaasError(
            "datastore-follows",
            f"{datastore.name} follows {datastore.leader.name}, and {why}.",
            f"Use {datastore.leader.name}, or make it independent: paas pg:unfollow "
            f"{datastore.name}",
        )


def refuse_followed(store: Store, datastore: Datastore, what: str) -> None:
    """Raises PaasError if it has followers. what: what cannot be done to it, to follow its name."""
    followers = ", ".join(one.name for one in store.datastores.followers(datastore.id))
    if followers:
        raise PaasError(
            "datastore-followed",
            f"{datastore.name} {what} while it is followed by {followers}.",
            "First destroy its followers (paas addons:destroy), or make them independent "
            "(paas pg:unfollow).",
        )


def refuse_smaller(leader: Datastore | None, plan: Plan) -> None:
    """Raises PaasError if a follower with that plan could not follow."""
    if leader is not None and plan.connections < leader.plan.connections:
        raise usage_error(
            "follower-plan",
            "A follower cannot have fewer connections than its leader: "
            f"{leader.name} would have the plan {leader.plan.name}, its follower {plan.name}.",
            f"Give the follower the plan {leader.plan.name}, or a larger one.",
        )


def refuse_unready(datastore: Datastore) -> None:
    """Raises PaasError unless it serves, as far as the store knows."""
    if datastore.state is not DatastoreState.READY:
        raise PaasError(
            "datastore-not-ready",
            f"{datastore.name} is {datastore.state}.",
            "If nobody is creating, changing or destroying it now, an admin can finish that: "
            "paas doctor --fix",
        )


def refuse_on_nodes(app: App, kind: DatastoreKind, *, pooled: bool = False) -> None:
    """Raises PaasError if the app runs on nodes, which do not reach a datastore of that kind.

    pooled: whether its connection pooler is meant.
    """
    if app.scheduling.on_nodes and not nodes_reach(kind, pooled=pooled):
        what = "connection poolers" if pooled else kind.traits.product
        raise beyond_nodes(f"{app.name} runs on nodes, and nodes cannot reach {what}")


def nodes_reach(kind: DatastoreKind, *, pooled: bool) -> bool:
    """Whether instances on nodes can use such a datastore."""
    return kind is DatastoreKind.POSTGRESQL and not pooled


def beyond_nodes(what: str) -> PaasError:
    """The error where an app on nodes would need what these cannot reach."""
    return PaasError(
        "datastore-on-nodes",
        f"{what}: from there only PostgreSQL itself can be reached.",
        "Use a database elsewhere (paas addons:attach URL), or run the app on this server: "
        "paas scheduler:set local",
    )


def no_such_datastore(name: str) -> PaasError:
    """The same error if there is none, and if the actor may not know of it."""
    return PaasError(
        "no-such-datastore",
        f"There is no datastore {name!r} that you may use here.",
        "List those of an app: paas addons -a APP",
    )
