"""Users, their roles on the server, and the teams that they belong to."""

import json
import sqlite3
from datetime import datetime

from paas.domain.people.access import TeamName
from paas.domain.people.users import Role, User
from paas.domain.values.names import UserName
from paas.store.database import Table

_SELECT = (
    "SELECT name, role, (SELECT json_group_array(team) FROM team_members WHERE user = users.name) "
    "AS teams FROM users"
)


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

    def names(self) -> list[UserName]:
        """All of them, in order."""
        rows = self._database.rows("SELECT name FROM users ORDER BY name")
        return [UserName(row["name"]) for row in rows]

    def find(self, name: UserName) -> User | None:
        row = self._database.row(f"{_SELECT} WHERE name = ?", name)
        return _user(row) if row else None

    def all(self) -> list[User]:
        """By name."""
        return [_user(row) for row in self._database.rows(f"{_SELECT} ORDER BY name")]

    def remove(self, name: UserName) -> None:
        """Remove a user with their keys, their access to apps and their places in teams."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM keys WHERE user = ?", (name,))
            connection.execute("DELETE FROM users WHERE name = ?", (name,))


def _user(row: sqlite3.Row) -> User:
    teams = frozenset(map(TeamName, json.loads(row["teams"])))
    return User(UserName(row["name"]), Role(row["role"]), teams)
