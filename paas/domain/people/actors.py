"""Who asks for something."""

from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.people.permissions import AppRole, Permission
from paas.domain.people.users import Role, User


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token is limited to: one app with its previews, a role, or both. None: not limited."""

    app_id: int | None
    role: AppRole | None


@dataclass(frozen=True, slots=True)
class Actor:
    """The actor of a request: a user over SSH, or the operator (root on the server itself).

    scope: of the token that they used, if that is limited.
    """

    user: User | None
    scope: Scope | None = None

    @property
    def name(self) -> str:
        """The name that releases and builds record."""
        return self.user.name if self.user else "root"

    @property
    def is_admin(self) -> bool:
        """Whether this actor may do everything."""
        if self.scope is not None:
            return False
        return self.user is None or self.user.role is Role.ADMIN

    def role_on(self, app: App) -> AppRole | None:
        """What this actor is for the app, or None if it does not exist for them."""
        role = self._whole_role(app)
        if role is None or self.scope is None:
            return role
        if self.scope.app_id not in (None, app.id, app.preview_of):
            return None
        return role.limited_to(self.scope.role)

    def may(self, to: Permission, app: App) -> bool:
        """Whether this actor may do that with the app."""
        role = self.role_on(app)
        return role is not None and role.may(to)

    def _whole_role(self, app: App) -> AppRole | None:
        """Without the limits of a token."""
        if self.user is None or self.user.role is Role.ADMIN:
            return AppRole.OWNER
        # From the highest role to the lowest.
        return next((g.role for g in app.grants if g.holder in self.user.holders), None)
