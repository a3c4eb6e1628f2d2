"""sandbox:set and sandbox:report: what an app's processes may do that others' may not."""

from dataclasses import dataclass

from paas.domain.apps.apps import Actor
from paas.domain.apps.permissions import Permission
from paas.services.access import find_app, require_admin
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSandbox:
    """The settings apply to what is started from now on; changing them restarts nothing."""

    store: Store

    def set_user_namespaces(self, actor: Actor, name: str, *, allowed: bool) -> None:
        """Whether the app's processes and builds may make namespaces of their own.

        For admins: within one, a process can use parts of the kernel that are closed to it
        otherwise.
        """
        require_admin(actor, "change an app's sandbox")
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        self.store.apps.set_user_namespaces(app.id, allowed=allowed)

    def has_user_namespaces(self, actor: Actor, name: str) -> bool:
        """Whether they may."""
        return find_app(self.store, actor, name, to=Permission.VIEW).user_namespaces
