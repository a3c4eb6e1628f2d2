"""Teams and who belongs to them."""

import sqlite3
from datetime import datetime

from paas.domain.people.access import TeamName
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName
from paas.store.database import Table


class Teams(Table):
    """The teams of the server."""

    def all(self) -> dict[TeamName, list[UserName]]:
        """The members of each, both by name."""
        rows = self._database.rows(
            "SELECT name, user FROM teams LEFT JOIN team_members ON team = name ORDER BY name, user"
        )
        teams: dict[TeamName, list[UserName]] = {}
        for row in rows:
            members = teams.setdefault(TeamName(row["name"]), [])
            if row["user"] is not None:
                members.append(UserName(row["user"]))
        return teams

    def exists(self, name: TeamName) -> bool:
        return self._database.row("SELECT 1 FROM teams WHERE name = ?", name) is not None

    def create(self, name: TeamName, now: datetime) -> None:
        """Raises PaasError if there is one of that name."""
        try:
            self._database.write(
                "INSERT INTO teams (name, created_at) VALUES (?, ?)", name, now.isoformat()
            )
        except sqlite3.IntegrityError as error:
            raise PaasError(
                "team-taken", f"There is already a team {name}.", "See: paas teams"
            ) from error

    def remove(self, name: TeamName) -> None:
        """Remove a team and its access to apps; its members stay users."""
        self._database.write("DELETE FROM teams WHERE name = ?", name)

    def add_member(self, team: TeamName, user: UserName) -> None:
        """Add a user; no change if they belong to it."""
        self._database.write(
            "INSERT OR IGNORE INTO team_members (team, user) VALUES (?, ?)", team, user
        )

    def remove_member(self, team: TeamName, user: UserName) -> None:
        self._database.write("DELETE FROM team_members WHERE team = ? AND user = ?", team, user)
