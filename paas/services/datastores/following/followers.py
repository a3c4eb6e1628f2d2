"""What users do with followers: create them, see how far they are, and make them independent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from paas.domain.datastores.datastores import Datastore, DatastoreState
from paas.domain.datastores.following import Standing
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.names import DatastoreName, new_names
from paas.domain.datastores.plans import Plan
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError, usage_error
from paas.interfaces import DatastoreArchives, Locks, Progress, ServerLock
from paas.services.access import find_app, refreshed
from paas.services.datastores.archives.forks import refuse_without_room
from paas.services.datastores.datastores import Datastores
from paas.services.datastores.finding import (
    refuse_follower,
    refuse_foreign,
    refuse_smaller,
    refuse_unready,
    visible,
)
from paas.services.datastores.following.upkeep import CATCH_UP_LIMIT_S, FollowerUpkeep
from paas.services.datastores.rotation import LoginRotation
from paas.services.progress import waiting
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Followers:
    """A follower belongs to the app of its leader; it may be attached to others."""

    store: Store
    archives: Mapping[DatastoreKind, DatastoreArchives]
    datastores: Datastores
    keeping: FollowerUpkeep
    rotation: LoginRotation
    locks: Locks

    def follow(
        self,
        actor: Actor,
        name: str,
        wanted: str | None,
        plan: Plan | None,
        alias: AttachmentName | None,
        progress: Progress,
        made: Callable[[DatastoreName], None],
    ) -> Datastore:
        """Create a follower of an app's PostgreSQL, and attach it under a color, or that alias.

        plan: None means that of its leader; a smaller one is refused. made: see
        `Datastores.create`.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        leader = visible(self.store, app, wanted, DatastoreKind.POSTGRESQL).datastore
        refuse_foreign(self.store, app, leader)
        _refuse_chain(leader)
        refuse_smaller(leader, plan or leader.plan)
        new_names(leader.kind, self.datastores.attachments.taken(app), alias)
        with self.locks.app(app.id, f"{actor.name} creates a follower", waiting(progress)):
            app = refreshed(self.store, app)
            self.datastores.quotas.refuse_full(actor, app)
            leader = self.store.datastores.find(leader.name) or leader
            refuse_unready(leader)
            refuse_without_room(*self.archives[leader.kind].space(leader))
            followers = self.keeping.followers[leader.kind]

            def files(new: Datastore) -> None:
                self.keeping.upkeep.let_clients()  # the follower is one of its leader
                followers.admit(new)
                followers.copy(new)

            order = (leader.kind, plan or leader.plan, leader.version)
            new = self.datastores.make(app, order, files, progress, leader.settings, leader=leader)
        progress.step(f"Created {new.name}, which follows {leader.name}")
        made(new.name)
        self.datastores.attachments.add(actor, app, new, alias, progress)
        return new

    def unfollow(self, actor: Actor, name: str, wanted: str, progress: Progress) -> None:
        """Make a follower that belongs to the app an independent datastore, which accepts writes.

        The apps to which it is attached are restarted, since its URL changes. An interrupted change
        is finished.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        found = visible(self.store, app, wanted, DatastoreKind.POSTGRESQL).datastore
        refuse_foreign(self.store, app, found)
        holder = f"{actor.name} makes {found.name} independent"
        with self.locks.server(ServerLock.LOGINS, holder, waiting(progress)):
            with self.locks.app(app.id, holder, waiting(progress)):
                present = self.store.datastores.find(found.name) or found
                leader = present.leader
                if leader is None:
                    raise _no_follower(present)
                if present.state is not DatastoreState.UNFOLLOWING:
                    refuse_unready(present)
                    self._let_catch_up(present, progress)
                self.keeping.release(present, progress)
            progress.step(f"{present.name} no longer follows {leader.name}, and accepts writes")
            self.rotation.finish_one(present.name, progress)
        progress.live()

    def standing(self, follower: Datastore) -> Standing:
        """How far a follower is behind."""
        return self.keeping.watch.standing(follower)

    def of(self, leader: Datastore) -> list[Datastore]:
        """The followers of a datastore."""
        return self.store.datastores.followers(leader.id)

    def _let_catch_up(self, follower: Datastore, progress: Progress) -> None:
        followers = self.keeping.followers[follower.kind]
        with progress.doing("waiting for the latest changes of its leader"):
            caught_up = followers.has_caught_up(follower, CATCH_UP_LIMIT_S)
        if not caught_up:
            progress.warn(
                f"{follower.name} lacks changes of its leader, or its leader does not answer: it "
                "continues with what it has."
            )


def _refuse_chain(leader: Datastore) -> None:
    refuse_follower(leader, "cannot be followed itself")


def _no_follower(datastore: Datastore) -> PaasError:
    return usage_error(
        "not-a-follower",
        f"{datastore.name} is not a follower.",
        f"See: paas pg:info {datastore.name}",
    )
