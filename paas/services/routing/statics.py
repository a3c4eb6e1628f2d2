"""Static files: the paths that the proxy answers from a release's slug."""

from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.releases.releases import Release
from paas.domain.routing.routing import Routing
from paas.domain.routing.statics import StaticPath, bounded, merged
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress
from paas.services.access import find_app
from paas.services.routing.sites import Sites
from paas.store import Store


@dataclass(frozen=True, slots=True)
class StaticInfo:
    """One path. by_config: set by a config var. there: whether the release has the folder."""

    static: StaticPath
    by_config: bool
    there: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Statics:
    """What users do with an app's static paths."""

    store: Store
    sites: Sites

    def listing(self, actor: Actor, name: str) -> list[StaticInfo]:
        """Every static path of the app, by path."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        routing = self.store.routing.of_app(app.id)
        found = self.sites.files.listing(self._release(app), routing)
        return [StaticInfo(s, s not in routing.statics, there) for s, there in found]

    def add(self, actor: Actor, name: str, static: StaticPath, progress: Progress) -> bool:
        """Have the proxy answer a path; returns whether the current release has the folder."""

        def wanted(_app: App, routing: Routing) -> Routing:
            return replace(routing, statics=bounded(merged([static], routing.statics)))

        self.sites.change(actor, name, "adds a static path", wanted, progress)
        infos = self.listing(actor, name)
        return any(info.there for info in infos if info.static.path == static.path)

    def remove(self, actor: Actor, name: str, path: str, progress: Progress) -> None:
        """Let the app answer a path again."""

        def wanted(app: App, routing: Routing) -> Routing:
            left = tuple(static for static in routing.statics if static.path != path)
            if left == routing.statics:
                raise PaasError(
                    "no-such-static",
                    f"{app.name} has no static path {path} that was added by a command.",
                    f"List them with: paas static -a {app.name}",
                )
            return replace(routing, statics=left)

        self.sites.change(actor, name, "removes a static path", wanted, progress)

    def _release(self, app: App) -> Release | None:
        return self.store.releases.current(app)
