"""checks:set and checks:report: how an app is checked before it gets requests."""

from dataclasses import dataclass

from paas.domain.manifest.health import Checks
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.releases.start_limits import StartLimit, StartLimits, parse_seconds
from paas.services.access import find_app
from paas.services.builds.build import current_slug
from paas.store import Store


@dataclass(frozen=True, slots=True)
class CheckReport:
    """limit: for the next roll-out. checks: those of the current release."""

    limit: StartLimit
    highest_s: float
    checks: Checks


@dataclass(frozen=True, slots=True, kw_only=True)
class AppChecks:
    """The settings apply from the next roll-out on; changing them restarts nothing."""

    store: Store
    limits: StartLimits

    def set_start_limit(self, actor: Actor, name: str, text: str | None) -> StartLimit:
        """Set how long web instances may take until they answer; None: remove the setting.

        Raises PaasError if the server does not allow that much.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        seconds = parse_seconds(text) if text is not None else None
        if seconds is not None:
            self.limits.allow(seconds, "This")
        self.store.start_limits.set(app.id, seconds)
        return self.report(actor, name).limit

    def report(self, actor: Actor, name: str) -> CheckReport:
        """What holds now."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        slug_id = current_slug(self.store, app.id)
        slug = self.store.slugs.find(slug_id) if slug_id else None
        declared = slug.manifest.start_limit_s if slug else None
        limit = self.limits.of(self.store.start_limits.of_app(app.id), declared)
        return CheckReport(limit, self.limits.highest_s, slug.manifest.checks if slug else {})
