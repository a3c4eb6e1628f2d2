"""The datastores that an app's app.json asks for, created at its first deploy, as on Heroku."""

from collections.abc import Sequence
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.datastores.datastores import Attachment, Datastore
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.names import attachment_name, new_names, variable
from paas.domain.datastores.plans import Plan, kind_of, parse_order
from paas.domain.manifest.appjson import Addon
from paas.domain.people.actors import Actor
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress
from paas.services.datastores.datastores import Datastores
from paas.services.datastores.finding import kind_of_attached, refuse_on_nodes
from paas.store import Store


@dataclass(frozen=True, slots=True)
class _Order:
    """An add-on that is a datastore. wanted: the attachment's name that the app asks for."""

    addon: Addon
    kind: DatastoreKind
    plan: Plan
    wanted: AttachmentName | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredDatastores:
    """Creates and attaches them during a push. The caller holds the app's lock."""

    store: Store
    datastores: Datastores

    def make(self, app: App, actor: Actor, addons: Sequence[Addon], progress: Progress) -> None:
        """Create the datastores that the app does not have yet, and attach them.

        They remain if the push is rejected afterwards, since its release command may have filled
        them. The next push finds them, including one that an interrupted push left unattached.
        Raises PaasError before anything is created if one of them cannot be.
        """
        orders = self._orders(app, addons, progress)
        if not orders:
            return
        self._remove_interrupted(app)
        spare = self._unattached(app)
        missing = self._missing(app, orders)
        found = {order: _taken_out(spare, order.kind) for order in missing}
        new = [order for order in missing if found[order] is None]
        if new:
            self.datastores.refuse_many(app, len(new))
            self.datastores.quotas.refuse_datastores(actor, app.owner, len(new))
            self.datastores.quotas.refuse_full(actor, app)
        versions = {
            order.kind: self.datastores.version(actor, order.kind, progress) for order in new
        }
        for order in missing:
            there = found[order]
            if there is None:
                refuse_on_nodes(app, order.kind)
                version = versions[order.kind]
                _tell_version(order, version, progress)
                files = self.datastores.servers[order.kind].create
                of_kind = (order.kind, order.plan, version)
                there = self.datastores.make(app, of_kind, files, progress)
                product, plan = order.kind.traits.product, order.plan.name
                progress.step(f"Created {there.name}: {product} {version}, plan {plan}")
            self._attach(app, there, order, progress)
        if missing:
            progress.detail("If this push is rejected, the datastores stay for the next one.")

    def tell(
        self, app: App, addons: Sequence[Addon], former: Sequence[Addon], progress: Progress
    ) -> None:
        """Warn about datastores that a later push asks for and the app lacks; none is created.

        former: the add-ons of the live release. A datastore that it had was destroyed or detached
        on purpose.
        """
        new = [addon for addon in addons if addon not in former]
        for order in self._missing(app, self._orders(app, new, progress)):
            named = f" --as {order.wanted}" if order.wanted else ""
            progress.warn(
                f"{order.addon.position}: {order.addon.order} is not created, since this is not "
                f"the first deploy. To create it: paas addons:create {order.kind}:"
                f"{order.plan.name}{named} -a {app.name}"
            )

    def _orders(self, app: App, addons: Sequence[Addon], progress: Progress) -> list[_Order]:
        orders = []
        for addon in addons:
            word = addon.order.partition(":")[0]
            if kind_of(word) is None:
                progress.warn(
                    f"{addon.position}: this server does not offer the add-on {word}. If the app "
                    f"needs it, set its config vars: paas config:set NAME=VALUE -a {app.name}"
                )
                continue
            order, told = _read(addon)
            if told is not None:
                progress.detail(told)
            orders.append(order)
        return orders

    def _missing(self, app: App, orders: Sequence[_Order]) -> list[_Order]:
        """Those for which the app has neither an attachment nor a config var."""
        attached = self.store.datastores.attachments(app_id=app.id)
        taken = self.datastores.attachments.taken(app)
        by_hand = taken - {one.name for one in attached}
        named = {order.wanted for order in orders}
        missing = [order for order in orders if order.wanted and order.wanted not in taken]
        for kind in DatastoreKind:
            there = {
                one.datastore
                for one in attached
                if one.name not in named and kind_of_attached(self.store, one) is kind
            }
            count = len(there) + bool(by_hand & {*kind.traits.firsts})
            missing += [one for one in orders if one.kind is kind and not one.wanted][count:]
        return [order for order in orders if order in missing]

    def _attach(self, app: App, datastore: Datastore, order: _Order, progress: Progress) -> None:
        """Without a release, since that of the push follows."""
        names = new_names(order.kind, self.datastores.attachments.taken(app), order.wanted)
        self.store.datastores.attach([Attachment(app.id, name, datastore.name) for name in names])
        self.datastores.upkeep.let_clients()
        variables = " and ".join(map(variable, names))
        progress.detail(f"app.json asks for {order.addon.order}: its URL is in {variables}")

    def _remove_interrupted(self, app: App) -> None:
        """Under the app's lock, unfinished datastores must have been interrupted."""
        for one in self.store.datastores.of_app(app.id):
            if one.state.is_discardable:
                self.datastores.upkeep.remove(one)

    def _unattached(self, app: App) -> list[Datastore]:
        attached = {one.datastore for one in self.store.datastores.attachments()}
        return [
            one
            for one in self.store.datastores.of_app(app.id)
            if one.name not in attached and one.leader is None
        ]


def _taken_out(spare: list[Datastore], kind: DatastoreKind) -> Datastore | None:
    found = next((one for one in spare if one.kind is kind), None)
    if found is not None:
        spare.remove(found)
    return found


def _read(addon: Addon) -> tuple[_Order, str | None]:
    """The order, and what to say about its plan. A PaasError includes the position in app.json."""
    try:
        kind, plan, told = parse_order(addon.order)
        wanted = attachment_name(addon.wanted) if addon.wanted is not None else None
    except PaasError as error:
        raise PaasError(
            "app-json",
            f"{addon.position}: {error.message}",
            "Correct it and commit; docs/reference/app.json.md describes each key.",
        ) from error
    return _Order(addon, kind, plan, wanted), told


def _tell_version(order: _Order, version: str, progress: Progress) -> None:
    wanted = order.addon.version
    if wanted is not None and wanted != version:
        progress.warn(
            f"{order.addon.position}: the version of {order.kind.traits.product} here is "
            f"{version}, not {wanted}."
        )
