"""Changing a datastore's login, while the apps to which it is attached keep serving.

A new login is created beside the former one, every app is rolled out with it, then the former one's
connections are ended and it is dropped. After a kill at any point, the login in the store works,
and `finish` does the rest.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.datastores.datastores import Datastore, DatastoreState
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import DatastoreServer, Locks, Logs, Progress, ServerLock
from paas.services.access import find_app
from paas.services.datastores.finding import (
    refuse_follower,
    refuse_foreign,
    refuse_unready,
    visible,
)
from paas.services.datastores.following.upkeep import FollowerUpkeep
from paas.services.datastores.pooling.upkeep import PoolerUpkeep
from paas.services.progress import Part, waiting
from paas.services.releases.change import Change, Target
from paas.services.releases.changes import Changes
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRotation:
    """One change at a time on a server."""

    store: Store
    servers: Mapping[DatastoreKind, DatastoreServer]
    changes: Changes
    poolers: PoolerUpkeep
    following: FollowerUpkeep
    locks: Locks
    logs: Logs
    random_secret: Callable[[], str]

    def rotate(
        self,
        actor: Actor,
        name: str,
        wanted: str | None,
        kind: DatastoreKind,
        progress: Progress,
        *,
        force: bool,
    ) -> None:
        """Replace the login of a datastore that belongs to the app.

        An interrupted change is finished instead. force: drop the former login even if an app does
        not come up with the new one; otherwise that raises PaasError, with both logins valid.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        found = visible(self.store, app, wanted, kind).datastore
        refuse_foreign(self.store, app, found)
        refuse_follower(found, "has its login")
        holder = f"{actor.name} changes the login of {found.name}"
        with self.locks.server(ServerLock.LOGINS, holder, waiting(progress)):
            if found.id in self.store.login_changes.under_way():
                progress.step(f"Finishing an interrupted change of the login of {found.name}")
            else:
                self._begin(found, holder, progress)
            self._finish(found.name, progress, force=force)
        progress.step(f"The former login of {found.name} no longer works")
        progress.live()

    def finish(self, progress: Progress) -> int:
        """Finish what was interrupted, unless somebody is changing a login now.

        Returns how many were finished.
        """
        if self.locks.server_is_held(ServerLock.LOGINS):
            return 0
        finished = 0
        with self.locks.server(ServerLock.LOGINS, "the server finishes a change of a login"):
            under_way = self.store.login_changes.under_way()
            for one in self.store.datastores.all():
                if one.id not in under_way:
                    continue
                try:
                    self._finish(one.name, progress, force=False)
                    finished += 1
                except PaasError as error:
                    progress.warn(f"{one.name}: {error.message}")
        return finished

    def finish_one(self, name: str, progress: Progress) -> None:
        """Finish a recorded change of a login, while the lock of logins is held.

        The former login has stopped working already, so an app that does not come up with the new
        one is only reported.
        """
        self._finish(name, progress, force=True)

    def _begin(self, datastore: Datastore, holder: str, progress: Progress) -> None:
        """Create the new login, and have everything that starts from now on use it."""
        with self.locks.app(datastore.app_id, holder, waiting(progress)):
            present = self.store.datastores.find(datastore.name) or datastore
            refuse_unready(present)
            new = present.with_next_login(Secret(self.random_secret()))
            self.store.login_changes.begin(present)
            server = self.servers[present.kind]
            try:
                server.add_login(new)
                self.poolers.learn_logins(new)
                self.following.let_catch_up(present, progress)
                self.store.login_changes.commit(new)
            except BaseException:
                server.drop_former_logins(present)
                self.poolers.learn_logins(present)
                self.store.login_changes.end(present.id)
                raise
        progress.step(f"{new.name} has the login {new.login}, beside the former one")

    def _finish(self, name: str, progress: Progress, *, force: bool) -> None:
        found = self.store.datastores.find(name)
        if found is None:
            return
        failed = []
        for app_id in self.store.login_changes.apps(found.id):
            app = self.store.apps.by_id(app_id)
            try:
                if app is not None:
                    self._roll_out(app, found, progress)
            except PaasError as error:
                assert app is not None
                progress.warn(f"{app.name}: {error.message}")
                failed.append(app.name)
            else:
                self.store.login_changes.rolled_out(found.id, app_id)
        if failed and not force:
            raise _still_used(found, failed)
        with self.locks.app(found.app_id, f"the former login of {name} ends", waiting(progress)):
            found = self.store.datastores.find(name)
            if found is None or found.state is not DatastoreState.READY:
                return  # destroyed meanwhile
            with progress.doing("ending the connections of the former login"):
                server = self.servers[found.kind]
                ended = server.drop_former_logins(found)
                for follower in self.store.datastores.followers(found.id):
                    with suppress(PaasError):  # without its server there are no sessions
                        ended += server.drop_former_logins(follower)
                self.poolers.learn_logins(found)
            self.store.login_changes.end(found.id)
        if ended:
            progress.detail(
                f"{ended} connections of the former login were ended: one-off processes and "
                "programs elsewhere that still used it."
            )

    def _roll_out(self, app: App, datastore: Datastore, progress: Progress) -> None:
        """Start new instances, which get the new login, and wait for the end of the former ones."""

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target | None]:
            release = self.store.releases.current(app)
            if release is None or release.slug_id is None:
                yield None
                return
            text = f"Restarted {app.name} with the new login of {datastore.name}"

            def live() -> None:
                progress.step(text)
                self.logs.write(app.id, "datastore", text)

            yield Target(release=release, live=live)

        doing = f"gives it the new login of {datastore.name}"
        change = Change(app=app, who="the server", doing=doing, prepare=prepare)
        self.changes.apply(change, Part(progress))
        self.changes.draining.wait(app, progress)


def _still_used(datastore: Datastore, apps: Sequence[str]) -> PaasError:
    return PaasError(
        "login-still-used",
        f"{', '.join(apps)} did not come up with the new login of {datastore.name}, so the former "
        "one still works.",
        "Fix that, then run the same command again to finish the change. Or end the former login "
        "at once with --force.",
    )
