"""Quotas: what members are refused, and what admins set."""

from collections.abc import Sequence
from dataclasses import dataclass

from paas.domain.apps.apps import Actor, App, Role
from paas.domain.apps.permissions import Permission
from paas.domain.releases.formation import wanted_quantities
from paas.domain.routing.router_settings import router_settings
from paas.domain.server.quotas import (
    OF_APPS,
    UNLIMITED,
    Quota,
    Values,
    exceeds,
    over,
    parse_quotas,
)
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import UserName
from paas.domain.values.sizes import size_words
from paas.interfaces import Disk
from paas.services.access import find_app, require_admin
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

    def _limit_of(self, quota: Quota, user: UserName | None) -> tuple[int, str]:
        values = self.store.quotas.of_user(user) if user is not None else {}
        if (value := values.get(quota)) is not None:
            return value, "user"
        return self.defaults[quota], "server.yml"

    def refuse_app(self, actor: Actor) -> None:
        """Raises PaasError if a member has as many apps as they may."""
        if actor.user is None or actor.is_admin:
            return
        limit, _ = self._limit_of(Quota.APPS, actor.user.name)
        if exceeds(self._apps_of(actor.user.name) + 1, limit):
            raise over(
                "too-many-apps",
                f"You have reached your quota of {limit} apps.",
                "Remove one: paas apps:destroy.",
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

    def refuse_full(self, actor: Actor, app: App) -> None:
        """Raises PaasError if the app is over its disk quota."""
        limit, _ = self.limit(Quota.DISK, app)
        if actor.is_admin or limit == UNLIMITED:
            return
        used = self.disk.usage([app.id])[app.id].total
        if exceeds(used, limit):
            raise over(
                "disk-quota",
                f"{app.name} uses {size_words(used)} of disk; its quota is {size_words(limit)}.",
                f"See: paas disk -a {app.name}. To free space: paas builds:cache:purge -a "
                f"{app.name}, or delete files in its storage directories.",
            )

    def full(self) -> list[tuple[App, str]]:
        """The apps of members that are over their disk quotas, with the amounts in words."""
        limits = {app: self.limit(Quota.DISK, app)[0] for app in self.store.apps.all()}
        limited = [app for app, limit in limits.items() if limit and self._is_members(app)]
        usage = self.disk.usage([app.id for app in limited])
        return [
            (app, f"{size_words(usage[app.id].total)} of {size_words(limits[app])}")
            for app in limited
            if exceeds(usage[app.id].total, limits[app])
        ]

    def set_for_app(self, actor: Actor, name: str, words: Sequence[str]) -> list[QuotaUse]:
        """Set some of an app's quotas; returns all of them."""
        require_admin(actor, "set quotas")
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        values = parse_quotas(words)
        if Quota.APPS in values:
            raise usage_error(
                "quota", "apps is a quota of users.", "paas quota:set --user NAME apps=50"
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
            Quota.DOMAINS: len(routing.claimed | pending),
            Quota.DISK: self.disk.usage([app.id])[app.id].total,
            Quota.BODY: router_settings(routing.settings, routing.users).body_bytes,
        }
        return [QuotaUse(quota, used[quota], *self.limit(quota, app)) for quota in OF_APPS]

    def of_user(self, actor: Actor, name: UserName) -> list[QuotaUse]:
        """How many apps a user has and may have, and each app's quotas. Others': for admins."""
        if actor.user is None or actor.user.name != name:
            require_admin(actor, "see the quotas of other users")
        self._require_user(name)
        used = {Quota.APPS: self._apps_of(name)}
        return [QuotaUse(quota, used.get(quota), *self._limit_of(quota, name)) for quota in Quota]

    def _require_user(self, name: UserName) -> None:
        if self.store.users.find(name) is None:
            raise PaasError("no-such-user", f"There is no user {name}.", "See: paas keys")

    def _is_members(self, app: App) -> bool:
        user = self.store.users.find(app.owner) if app.owner is not None else None
        return user is not None and user.role is Role.MEMBER

    def _apps_of(self, user: UserName) -> int:
        return sum(app.owner == user for app in self.store.apps.all())

    def _instances(self, app: App) -> int:
        """How many instances the current formation has."""
        release = self.store.releases.current(app)
        slug = self.store.slugs.of_release(release)
        if slug is None:
            return 0
        return sum(wanted_quantities(slug, self.store.formations.of_app(app.id)).values())
