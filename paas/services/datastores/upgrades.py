"""Upgrading an app's PostgreSQL to another major version.

The present files stay until a server of the new version has served a copy of them; the recorded
version decides which are used. From then on the former ones are only kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError
from paas.domain.values.names import shown
from paas.domain.values.sizes import size_words
from paas.interfaces import Clock, DatastoreServer, Locks, MajorUpgrades, Progress, Runtime
from paas.services.access import find_app
from paas.services.datastores.finding import (
    refuse_followed,
    refuse_follower,
    refuse_foreign,
    refuse_unready,
    visible,
)
from paas.services.datastores.upkeep import START_LIMIT_S, STOP_LIMIT_S
from paas.store import Store

# Of free disk, for each byte of the datastore: the copy, and what an empty one takes.
_ROOM, _ROOM_BYTES = 1.2, 200 * 1024**2
KEPT_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrades:
    """If an upgrade fails halfway, the former version keeps serving."""

    store: Store
    upgrades: MajorUpgrades
    servers: Mapping[DatastoreKind, DatastoreServer]
    runtime: Runtime
    locks: Locks
    clock: Clock

    def upgrade(
        self, actor: Actor, name: str, wanted: str | None, to: str | None, progress: Progress
    ) -> None:
        """Upgrade a datastore to a version; None means the newest installed. wanted: see `visible`.

        All connections end, and nobody can connect until it is done.
        """
        app = find_app(self.store, actor, name, to=Permission.OWN)
        with self.locks.app(app.id, f"{actor.name} upgrades a datastore"):
            one = visible(self.store, app, wanted, DatastoreKind.POSTGRESQL).datastore
            refuse_foreign(self.store, app, one)
            refuse_follower(one, "has its version")
            refuse_followed(self.store, one, "cannot be upgraded")
            refuse_unready(one)
            version = self._version(one, to)
            self._refuse_without_room(one)
            if not self.servers[one.kind].answers(one):
                raise PaasError(
                    "datastore-down",
                    f"The server of {one.name} does not answer.",
                    "Ask the server's operator to run: paas doctor",
                )
            self._copy(one, version, progress)
            self.store.datastores.set_version(one.name, version)
            changed = self.store.datastores.find(one.name)
            assert changed is not None
            self._start(changed)
            progress.step(f"{one.name} is PostgreSQL {version}")
            try:
                with progress.doing("counting its rows for the planner"):
                    self.upgrades.finish(changed)
            except PaasError as error:
                progress.warn(f"{one.name} serves, but a later step failed: {error.report}")
        progress.detail(
            f"The former files are kept for {KEPT_FOR.days} days. Moments before now can no longer "
            "be restored; the next full backup is made within minutes."
        )

    def delete_former(self) -> None:
        """Delete files that were replaced long enough ago."""
        before = self.clock.now() - KEPT_FOR
        for one in self.store.datastores.all():
            if one.kind is DatastoreKind.POSTGRESQL:
                self.upgrades.delete_former(one, before)

    def _copy(self, one: Datastore, version: str, progress: Progress) -> None:
        """Create the new files; if that fails, the present ones are served again."""
        workload = self.servers[one.kind].workload(one)
        try:
            with progress.doing(f"creating files for PostgreSQL {version}"):
                self.upgrades.prepare(one, version)
            self.runtime.stop([workload], STOP_LIMIT_S)
            with progress.doing(f"copying {one.name}, which is down meanwhile"):
                self.upgrades.copy(one, version)
        except BaseException:
            self.upgrades.give_up(one)
            if self.runtime.states([workload])[workload.id].pid is None:
                self._start(one)
            raise

    def _start(self, one: Datastore) -> None:
        server = self.servers[one.kind]
        server.refresh(one)
        self.runtime.start([server.workload(one)])
        server.set_up(one, START_LIMIT_S)

    def _version(self, one: Datastore, to: str | None) -> str:
        """The version to upgrade to. Raises PaasError."""
        installed = self.upgrades.versions()
        newer = [each for each in installed if int(each) > int(one.version)]
        if to is None and newer:
            return newer[-1]
        if to is not None and to in newer:
            return to
        if to is not None and to.isascii() and to.isdigit() and int(to) > int(one.version):
            raise PaasError(
                "pg-upgrade-version",
                f"PostgreSQL {int(to)} is not installed on this server.",
                "Root on the server installs it, where the distribution has it: apt-get install "
                f"--no-install-recommends postgresql-{int(to)}",
            )
        if to is not None:
            raise PaasError(
                "pg-upgrade-version",
                f"{one.name} is PostgreSQL {one.version}, and {shown(to)} is not later.",
                f"Later ones that are installed: {', '.join(newer) or 'none'}.",
            )
        raise PaasError(
            "pg-upgrade-version",
            f"{one.name} is PostgreSQL {one.version}, and no later version is installed.",
            "The next release of the distribution brings one. Root installs it beside this one: "
            "apt-get install --no-install-recommends postgresql-VERSION",
        )

    def _refuse_without_room(self, one: Datastore) -> None:
        size_bytes, free_bytes = self.upgrades.space(one)
        needed = int(_ROOM * size_bytes) + _ROOM_BYTES
        if free_bytes < needed:
            raise PaasError(
                "pg-upgrade-room",
                f"A copy needs {size_words(needed)} of disk space, but only "
                f"{size_words(free_bytes)} is free.",
                "Free some space, or ask the server's operator: paas disk",
            )
