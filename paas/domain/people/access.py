"""Who has access to an app: users and teams, each with a role."""

import re
from dataclasses import dataclass
from typing import NewType

from paas.domain.people.permissions import AppRole
from paas.domain.values.errors import usage_error
from paas.domain.values.names import UserName, shown, user_name

TeamName = NewType("TeamName", str)
TEAM_MARK = "@"


class Holder(str):
    """Who has access: a user, ``alice``, or a team, ``@web``."""

    __slots__ = ()

    @property
    def user(self) -> UserName | None:
        """The user, or None if it is a team."""
        return None if self.startswith(TEAM_MARK) else UserName(self)

    @property
    def team(self) -> TeamName | None:
        """The team, or None if it is a user."""
        return TeamName(self[len(TEAM_MARK) :]) if self.startswith(TEAM_MARK) else None


@dataclass(frozen=True, slots=True)
class Grant:
    """One who has access to an app."""

    holder: Holder
    role: AppRole


def team_name(text: str) -> TeamName:
    """Validate a team's name, with or without its ``@``: the same characters as a user's."""
    name = text.removeprefix(TEAM_MARK)
    if re.fullmatch(r"[a-z0-9](?:[a-z0-9._-]{0,31})", name) is None:
        raise usage_error(
            "team-name",
            f"{shown(text)} is not a team name: 1 to 32 lowercase letters, digits, dots, "
            "underscores and dashes, starting with a letter or digit.",
        )
    return TeamName(name)


def holder(text: str) -> Holder:
    """Validate ``alice`` or ``@web``."""
    if text.startswith(TEAM_MARK):
        return of_team(team_name(text))
    return Holder(user_name(text))


def of_team(name: TeamName) -> Holder:
    """The team as one who has access."""
    return Holder(f"{TEAM_MARK}{name}")


def app_role(text: str) -> AppRole:
    """Validate a role for an app."""
    try:
        return AppRole(text)
    except ValueError as error:
        raise usage_error(
            "app-role", f"{shown(text)} is not a role; there are: {', '.join(AppRole)}."
        ) from error
