"""sandbox:set and sandbox:report: what only some apps' processes may do, or may not."""

from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.releases.artifacts import CONTAINERS, DOCKER
from paas.domain.values.errors import PaasError
from paas.interfaces import Engines
from paas.services.access import find_app, require_admin
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSandbox:
    """The settings apply to processes that start later; changing them restarts nothing."""

    store: Store
    engines: Engines

    def set_user_namespaces(self, actor: Actor, name: str, *, allowed: bool) -> None:
        """Set whether the app's processes and builds may create user namespaces.

        For admins: within one, a process can use parts of the kernel that are otherwise closed to
        it.
        """
        app = self._find(actor, name)
        self.store.apps.set_user_namespaces(app.id, allowed=allowed)

    def set_read_only(self, actor: Actor, name: str, *, read_only: bool) -> None:
        """Set whether the app's containers may write only to /app, /tmp and storage directories.

        Raises PaasError if the app has no containers.
        """
        app = self._find(actor, name)
        is_native = app.current is not None and app.engine not in CONTAINERS
        if read_only and (is_native or DOCKER not in self.engines.names()):
            raise PaasError(
                "not-in-containers",
                f"{app.name} does not run in containers. Its processes cannot write to the "
                "system's files anyway, only to /app, temporary and storage directories.",
                "To run it in containers: paas builder:set engine docker, then git push",
            )
        self.store.apps.set_read_only(app.id, read_only=read_only)

    def settings(self, actor: Actor, name: str) -> App:
        """The app, with both settings."""
        return find_app(self.store, actor, name, to=Permission.VIEW)

    def _find(self, actor: Actor, name: str) -> App:
        require_admin(actor, "change an app's sandbox")
        return find_app(self.store, actor, name, to=Permission.CONFIGURE)
