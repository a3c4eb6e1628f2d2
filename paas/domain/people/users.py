"""Users, and what they are on the server."""

from dataclasses import dataclass
from enum import StrEnum

from paas.domain.people.access import Holder, TeamName, of_team
from paas.domain.values.names import UserName


class Role(StrEnum):
    """What a user may do: a member has their own apps, an admin everything."""

    MEMBER = "member"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class User:
    """A person, known by the keys that they hold. teams: those that they belong to."""

    name: UserName
    role: Role
    teams: frozenset[TeamName] = frozenset()

    @property
    def as_holder(self) -> Holder:
        """The user themselves, as one who has access to an app."""
        return Holder(self.name)

    @property
    def holders(self) -> frozenset[Holder]:
        """As whom they may have access to an app: themselves, and their teams."""
        return frozenset({self.as_holder, *map(of_team, self.teams)})
