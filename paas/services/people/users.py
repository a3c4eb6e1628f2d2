"""Users of the server, and the teams that they belong to."""

from dataclasses import dataclass

from paas.domain.people.access import TeamName, of_team
from paas.domain.people.actors import Actor
from paas.domain.people.users import Role, User
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName
from paas.interfaces import Clock, LastUses, Locks, ServerLock
from paas.services.access import no_such_team, no_such_user, require_account, require_admin
from paas.services.people.last_owner import refuse_if_last
from paas.services.people.logins import Logins
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Users:
    """What admins do with users and teams."""

    store: Store
    logins: Logins
    key_uses: LastUses
    token_uses: LastUses
    locks: Locks
    clock: Clock

    def all(self, actor: Actor) -> list[User]:
        """All users, for admins."""
        require_admin(actor, "list the users")
        return self.store.users.all()

    def add(self, actor: Actor, name: UserName, role: Role) -> User:
        """Add a user, who can log in when they have a key, or a certificate of an SSH CA.

        Raises PaasError if there is one.
        """
        require_admin(actor, "add users")
        with self.locks.server(ServerLock.KEYS, f"{actor.name} adds the user {name}"):
            with self.store.transaction():
                if self.store.users.find(name) is not None:
                    raise PaasError(
                        "user-taken", f"There is already a user {name}.", "See: paas users"
                    )
                user = self.store.users.add(name, role, self.clock.now())
            self.logins.publish()
        return user

    def set_role(self, actor: Actor, name: UserName, role: Role) -> User:
        """Make a user an admin or a member. Raises PaasError if no admin would be left."""
        require_admin(actor, "change roles")
        with self.store.transaction():
            user = self._find(name)
            if role is not Role.ADMIN:
                self._refuse_last_admin(actor, user)
            return self.store.users.add(name, role, self.clock.now())

    def remove(self, actor: Actor, name: UserName) -> User:
        """Remove a user with their keys, tokens and access.

        Raises PaasError while they alone own an app: nobody could use it.
        """
        require_admin(actor, "remove users")
        with self.locks.server(ServerLock.KEYS, f"{actor.name} removes the user {name}"):
            with self.store.transaction():
                user = self._find(name)
                self._refuse_last_admin(actor, user)
                refuse_if_last(self.store, user.as_holder)
                keys = [key for key in self.store.keys.all() if key.user == name]
                tokens = [token for token in self.store.tokens.all() if token.user == name]
                self.store.users.remove(name)
            for key in keys:
                self.key_uses.forget(key.fingerprint)
            for token in tokens:
                self.token_uses.forget(token.prefix)
            self.logins.publish()
        return user

    def teams(self, actor: Actor) -> dict[TeamName, list[UserName]]:
        """The teams with their members: all for an admin, else those that the actor belongs to."""
        require_account(actor, "list teams")
        mine = actor.user.teams if actor.user is not None else frozenset()
        teams = self.store.teams.all()
        return {name: teams[name] for name in teams if actor.is_admin or name in mine}

    def create_team(self, actor: Actor, name: TeamName) -> None:
        """Make an empty team. Raises PaasError if there is one of that name."""
        require_admin(actor, "create teams")
        self.store.teams.create(name, self.clock.now())

    def destroy_team(self, actor: Actor, name: TeamName) -> None:
        """Remove a team and its access. Raises PaasError while it alone owns an app."""
        require_admin(actor, "destroy teams")
        with self.store.transaction():
            self._require_team(name)
            refuse_if_last(self.store, of_team(name))
            self.store.teams.remove(name)

    def add_to_team(self, actor: Actor, team: TeamName, name: UserName) -> None:
        """Give a user what the team has. No change if they belong to it."""
        require_admin(actor, "change teams")
        with self.store.transaction():
            self._require_team(team)
            self.store.teams.add_member(team, self._find(name).name)

    def remove_from_team(self, actor: Actor, team: TeamName, name: UserName) -> None:
        """Take from a user what they have by the team. Raises PaasError if they are not in it."""
        require_admin(actor, "change teams")
        with self.store.transaction():
            self._require_team(team)
            if team not in self._find(name).teams:
                raise PaasError(
                    "not-in-team", f"{name} does not belong to {team}.", "See: paas teams"
                )
            self.store.teams.remove_member(team, name)

    def _find(self, name: UserName) -> User:
        user = self.store.users.find(name)
        if user is None:
            raise no_such_user(name)
        return user

    def _require_team(self, name: TeamName) -> None:
        if not self.store.teams.exists(name):
            raise no_such_team(name)

    def _refuse_last_admin(self, actor: Actor, user: User) -> None:
        """The operator may remove even the last: root makes another one."""
        admins = [one for one in self.store.users.all() if one.role is Role.ADMIN]
        if actor.user is not None and admins == [user]:
            raise PaasError(
                "last-admin",
                f"{user.name} is the only admin: only root on the server could make another.",
                "First make somebody else an admin: paas users:set-role NAME admin",
            )
