"""sandbox:set and sandbox:report: permissions that only some apps' processes have."""

from dataclasses import dataclass

from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.services.access import find_app, require_admin
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSandbox:
    """The settings apply to processes that start later; changing them restarts nothing."""

    store: Store

    def set_user_namespaces(self, actor: Actor, name: str, *, allowed: bool) -> None:
        """Set whether the app's processes and builds may create user namespaces.

        For admins: within one, a process can use parts of the kernel that are otherwise closed to
        it.
        """
        require_admin(actor, "change an app's sandbox")
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        self.store.apps.set_user_namespaces(app.id, allowed=allowed)

    def has_user_namespaces(self, actor: Actor, name: str) -> bool:
        """Whether the app's processes and builds may create user namespaces."""
        return find_app(self.store, actor, name, to=Permission.VIEW).user_namespaces
