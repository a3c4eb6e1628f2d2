"""Quotas: what members are refused, and what admins set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.people.access import Holder
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.people.users import Role
from paas.domain.releases.formation import wanted_quantities
from paas.domain.routing.router_settings import router_settings
from paas.domain.server.quotas import (
    OF_APPS,
    OF_USERS,
    UNLIMITED,
    Quota,
    Values,
    exceeds,
    over,
    parse_quotas,
)
from paas.domain.values.errors import usage_error
from paas.domain.values.names import UserName
from paas.domain.values.sizes import size_words
from paas.interfaces import Disk
from paas.services.access import find_app, no_such_user, require_admin
from paas.store import Store


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """One quota. used: None if that differs between apps. limit: UNLIMITED for none.

    origin: ``app``, ``user`` or ``server.yml``.
    """

    quota: Quota
    used: int | None
    limit: int
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """defaults: from server.yml. Admins are never refused, even on apps of members."""

    store: Store
    disk: Disk
    defaults: Values

    def limit(self, quota: Quota, app: App) -> tuple[int, str]:
        """What applies to an app, and where it was set: for it, for its owner, or for all."""
        if (value := self.store.quotas.of_app(app.id).get(quota)) is not None:
            return value, "app"
        return self._limit_of(quota, app.owner)

    def _limit_of(self, quota: Quota, owner: Holder | None) -> tuple[int, str]:
        user = owner.user if owner is not None else None
        values = self.store.quotas.of_user(user) if user is not None else {}
        if (value := values.get(quota)) is not None:
            return value, "user"
        return self.defaults[quota], "server.yml"

    def refuse_app(self, actor: Actor, owner: Holder) -> None:
        """Raises PaasError if a member would give the owner more apps than they may have."""
        if actor.is_admin:
            return
        limit, _ = self._limit_of(Quota.APPS, owner)
        if exceeds(self._apps_of(owner) + 1, limit):
            own = actor.user is not None and owner.user == actor.user.name
            raise over(
                "too-many-apps",
                f"{'You have' if own else f'{owner} has'} reached "
                f"{'your' if own else 'the'} quota of {limit} apps.",
                "Remove one: paas apps:destroy.",
            )

    def refuse_datastores(self, actor: Actor, owner: Holder | None, more: int = 1) -> None:
        """Raises PaasError if a member would give the owner's apps more datastores than allowed."""
        limit, _ = self._limit_of(Quota.DATASTORES, owner)
        if actor.is_admin or owner is None or not more:
            return
        used = self._datastores_of(owner)
        if exceeds(used + more, limit):
            raise over(
                "datastore-quota",
                f"The apps of {owner} have {used} datastores, and the quota is {limit}.",
                "Destroy one that no app needs: paas addons:destroy.",
            )

    def refuse_instances(self, actor: Actor, app: App, wanted: int) -> None:
        """Raises PaasError if a formation is too large, and larger than the current one."""
        limit, _ = self.limit(Quota.INSTANCES, app)
        if actor.is_admin or not exceeds(wanted, limit) or wanted <= self._instances(app):
            return
        raise over(
            "too-many-instances",
            f"{app.name} would have {wanted} instances; its quota is {limit}.",
            "Scale to fewer: paas ps:scale, or the formation in app.json.",
        )

    def refuse_body(self, actor: Actor, app: App, size_bytes: int) -> None:
        """Raises PaasError if the actor may not let visitors send that much."""
        limit, _ = self.limit(Quota.BODY, app)
        if not actor.is_admin and exceeds(size_bytes, limit):
            raise over(
                "body-quota",
                f"client-max-body-size of {app.name} may be at most {size_words(limit)}.",
                "Set a smaller one.",
            )

    def refuse_known_full(self, actor: Actor, app: App) -> None:
        """Raises PaasError if the app was over its disk quota when last measured, and still is.

        For what is measured again later: an app that may go on is not measured here.
        """
        limit, _ = self.limit(Quota.DISK, app)
        last = self.disk.last_total(app.id)
        if last is None or exceeds(last, limit):
            self.refuse_full(actor, app)

    def refuse_full(self, actor: Actor, app: App, built: Mapping[str, int] | None = None) -> None:
        """Raises PaasError if the app is over its disk quota.

        built: the size in bytes of a slug that is not stored yet, by its id.
        """
        limit, _ = self.limit(Quota.DISK, app)
        if actor.is_admin or limit == UNLIMITED:
            return
        # Slugs do not change. Measured with everything else, files that are shared count once.
        slugs = {slug.id: slug.size_bytes for slug in self.store.slugs.of_app(app.id)}
        used = self._disk_use([app.id], {**slugs, **(built or {})})[app.id]
        if exceeds(used, limit):
            used = self._disk_use([app.id])[app.id]
        if exceeds(used, limit):
            raise over(
                "disk-quota",
                f"{app.name} uses {size_words(used)} of disk; its quota is {size_words(limit)}.",
                f"See: paas disk -a {app.name}. To free space: paas builds:cache:purge -a "
                f"{app.name}, or delete files in its storage directories, or rows in its "
                "datastores.",
            )

    def full(self) -> list[tuple[App, str]]:
        """The apps of members that are over their disk quotas, with the amounts in words."""
        limits = {app: self.limit(Quota.DISK, app)[0] for app in self.store.apps.all()}
        limited = [app for app, limit in limits.items() if limit and self._is_members(app)]
        usage = self._disk_use([app.id for app in limited])
        return [
            (app, f"{size_words(usage[app.id])} of {size_words(limits[app])}")
            for app in limited
            if exceeds(usage[app.id], limits[app])
        ]

    def set_for_app(self, actor: Actor, name: str, words: Sequence[str]) -> list[QuotaUse]:
        """Set some of an app's quotas; returns all of them."""
        require_admin(actor, "set quotas")
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        values = parse_quotas(words)
        for quota in OF_USERS:
            if quota in values:
                raise usage_error(
                    "quota",
                    f"{quota} is a quota of users.",
                    f"paas quota:set --user NAME {quota}=50",
                )
        self.store.quotas.set_of_app(app.id, values)
        return self.of_app(actor, name)

    def set_for_user(self, actor: Actor, name: UserName, words: Sequence[str]) -> list[QuotaUse]:
        """Set some quotas of a user and of each of their apps; returns all of them."""
        require_admin(actor, "set quotas")
        values = parse_quotas(words)
        self._require_user(name)
        self.store.quotas.set_of_user(name, values)
        return self.of_user(actor, name)

    def of_app(self, actor: Actor, name: str) -> list[QuotaUse]:
        """An app's quotas and what it uses of them."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        routing = self.store.routing.of_app(app.id)
        pending = {one.host for one in self.store.domain_proofs.pending(app.id)}
        used = {
            Quota.INSTANCES: self._instances(app),
            Quota.DOMAINS: len(routing.claimed | pending) + len(routing.paths),
            Quota.DISK: self._disk_use([app.id])[app.id],
            Quota.BODY: router_settings(routing.settings, routing.users).body_bytes,
        }
        return [QuotaUse(quota, used[quota], *self.limit(quota, app)) for quota in OF_APPS]

    def of_user(self, actor: Actor, name: UserName) -> list[QuotaUse]:
        """How many apps and datastores a user has and may have, and each app's quotas. Others' are
        for admins.
        """
        if actor.user is None or actor.user.name != name:
            require_admin(actor, "see the quotas of other users")
        self._require_user(name)
        owner = Holder(name)
        used = {Quota.APPS: self._apps_of(owner), Quota.DATASTORES: self._datastores_of(owner)}
        return [QuotaUse(quota, used.get(quota), *self._limit_of(quota, owner)) for quota in Quota]

    def _disk_use(
        self, app_ids: Sequence[int], slugs: Mapping[str, int] | None = None
    ) -> dict[int, int]:
        """The totals of apps in bytes; slugs: see `Disk`."""
        datastores = self.store.datastores.owners()
        usage = self.disk.usage(app_ids, slugs or {}, datastores=datastores)
        return {id: one.total for id, one in usage.items()}

    def _require_user(self, name: UserName) -> None:
        if self.store.users.find(name) is None:
            raise no_such_user(name)

    def _is_members(self, app: App) -> bool:
        """Whether quotas hold for it: those of nobody's apps and of admins' do not."""
        if app.owner is None:
            return False
        user = self.store.users.find(app.owner.user) if app.owner.user is not None else None
        return user is None or user.role is Role.MEMBER

    def _apps_of(self, owner: Holder) -> int:
        return len(self.store.apps.owned_by(owner))

    def _datastores_of(self, owner: Holder) -> int:
        owned = self.store.apps.owned_by(owner)
        return sum(app_id in owned for app_id in self.store.datastores.owners().values())

    def _instances(self, app: App) -> int:
        """How many instances the current formation has."""
        release = self.store.releases.current(app)
        slug = self.store.slugs.of_release(release)
        if slug is None:
            return 0
        return sum(wanted_quantities(slug, self.store.formations.of_app(app.id)).values())
