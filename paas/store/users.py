"""Users and their roles."""

from datetime import datetime

from paas.domain.apps.apps import Role, User
from paas.domain.values.names import UserName
from paas.store.database import Table


class Users(Table):
    """The users of the server."""

    def add(self, name: UserName, role: Role, now: datetime) -> User:
        """Add a user, or give the one of that name another role."""
        self._database.write(
            "INSERT INTO users (name, role, created_at) VALUES (?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET role = excluded.role",
            name,
            role,
            now.isoformat(),
        )
        return User(name, role)

    def find(self, name: UserName) -> User | None:
        row = self._database.row("SELECT name, role FROM users WHERE name = ?", name)
        return User(UserName(row["name"]), Role(row["role"])) if row else None
