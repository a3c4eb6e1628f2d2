"""The state: one database."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from paas.domain.apps.apps import App, AppLock, Key, Role, User
from paas.domain.apps.storage import Storage
from paas.domain.builds.buildpacks import Buildpack
from paas.domain.logs.drains import Drain
from paas.domain.releases.releases import (
    Build,
    ConfigVars,
    Instance,
    Release,
    Slug,
)
from paas.domain.routing.routing import Routing
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, BranchName, ProcessType, UserName
from paas.interfaces.certificates import CertificateStates
from paas.interfaces.schedules import CronStates


class Store(CertificateStates, CronStates, Protocol):
    """The state: one database. Each method is one transaction and durable when it returns."""

    def close(self) -> None:
        """Let go of the database before a fork; the next call opens it anew."""

    def read_older(self) -> PaasError | None:
        """Have this read, but never write, a store that is an older copy; what is wrong with it.

        None: nothing. Raises PaasError where it cannot be read. Only for what acts on nothing that
        it reads.
        """

    def add_user(self, name: UserName, role: Role, now: datetime) -> User: ...
    def user(self, name: UserName) -> User | None: ...
    def add_key(self, key: Key, now: datetime) -> None:
        """Raises PaasError where the fingerprint is taken."""

    def all_keys(self) -> list[Key]: ...
    def remove_key(self, fingerprint: str) -> None: ...

    def add_app(self, name: AppName, owner: UserName | None, now: datetime) -> App:
        """Make an app with a free uid. Raises PaasError where the name is taken."""

    def app(self, name: str) -> App | None: ...
    def app_by_id(self, app_id: int) -> App | None: ...
    def apps(self) -> list[App]: ...
    def rename_app(self, app_id: int, name: AppName) -> None: ...
    def set_deploy_branch(self, app_id: int, branch: BranchName | None) -> None: ...
    def remove_app(self, app_id: int) -> None:
        """Forget the app and everything of it, but that it is to be removed: see destroyed.

        Until that is done no other app gets its uid.
        """

    def destroyed(self) -> list[int]:
        """The ids of apps that were removed, of which something may be left on the server."""

    def forget_destroyed(self, app_id: int) -> None:
        """Nothing is left of it."""

    def buildpacks(self, app_id: int) -> list[Buildpack]:
        """The app's own, in order; none: they are detected."""

    def set_buildpacks(self, app_id: int, buildpacks: Sequence[Buildpack]) -> None: ...
    def build_dir(self, app_id: int) -> str | None:
        """The folder of the repository that is the app; None: all of it."""

    def set_build_dir(self, app_id: int, folder: str | None) -> None: ...

    def start_limit(self, app_id: int) -> int | None:
        """How many seconds its web instances may take to answer, by hand; None: not set."""

    def set_start_limit(self, app_id: int, seconds: int | None) -> None: ...

    def formation(self, app_id: int) -> dict[ProcessType, int]:
        """The quantities that were set, by process type; a type that was never set is absent."""

    def set_formation(self, app_id: int, quantities: Mapping[ProcessType, int]) -> None: ...

    def add_build(self, build: Build) -> None: ...
    def end_build(self, build: Build) -> None:
        """Record status, ended_at and reason of a build."""

    def builds(self, app_id: int) -> list[Build]:
        """Newest first."""

    def add_slug(self, slug: Slug) -> None: ...
    def slug(self, slug_id: str) -> Slug | None: ...
    def slugs(self, app_id: int) -> list[Slug]:
        """Newest first."""

    def remove_slug(self, slug_id: str) -> None:
        """Forget a slug; releases keep its id, so that they can say it is pruned."""

    def add_release(
        self,
        app_id: int,
        *,
        slug_id: str | None,
        config: ConfigVars,
        description: str,
        user: str,
        now: datetime,
    ) -> Release:
        """Record the next version as pending."""

    def release(self, app_id: int, version: int) -> Release | None: ...
    def releases(self, app_id: int) -> list[Release]:
        """Newest first."""

    def fail_release(self, app_id: int, version: int) -> None: ...
    def make_current(
        self, app_id: int, version: int, generation: int | None, keep: Sequence[Instance] = ()
    ) -> None:
        """The commit point: that release has succeeded and is the app's current one.

        generation: the roll-out whose instances are live from now on; None where there are none.
        keep: instances of earlier ones that it takes over.
        """

    def next_generation(self) -> int:
        """A number never given before, for a new group of instances."""

    def add_instances(self, instances: Sequence[Instance]) -> None:
        """Record instances before they are started. Raises PaasError where a port is taken."""

    def instances(self, app_id: int | None = None) -> list[Instance]: ...
    def remove_instances(self, instances: Sequence[Instance]) -> None: ...
    def used_ports(self) -> set[int]: ...
    def lock_app(self, app_id: int, lock: AppLock) -> AppLock:
        """Lock it against deploys; the lock that holds, which may be an earlier one."""

    def unlock_app(self, app_id: int) -> bool: ...
    def app_lock(self, app_id: int) -> AppLock | None: ...
    def routing(self, app_id: int) -> Routing: ...
    def set_routing(self, app_id: int, routing: Routing) -> None:
        """Raises PaasError ``host-taken`` where another app has one of its names."""

    def host_owner(self, host: str) -> int | None:
        """The id of the app that has a name by its routing; not of one that has it by its own."""

    def host_owners_below(self, domain: str) -> set[int]:
        """The ids of the apps that have the name, or any below it, in the same sense."""

    def maintenance(self, app_id: int) -> bool: ...
    def set_maintenance(self, app_id: int, on: bool) -> None: ...
    def add_drain(self, drain: Drain) -> None: ...
    def drains(self, app_id: int | None = None) -> list[Drain]:
        """In the order in which they were added; of all apps where none is given."""

    def remove_drain(self, token: str) -> None: ...
    def add_storage(self, app_id: int, path: str) -> Storage: ...
    def restore_storage(self, app_id: int, storage: Storage) -> None: ...
    def remove_storage(self, storage_id: int) -> None: ...
    def stopped(self, app_id: int) -> frozenset[str]:
        """What is stopped by hand (domain/releases/stopping.py)."""

    def set_stopped(self, app_id: int, words: Iterable[str]) -> None: ...
    def gone(self, kind: str) -> set[str]:
        """The ids of what was removed: of ``app``, ``slug``, ``storage`` or ``certificate``.

        Ids are never given twice, so files by that name may be deleted.
        """

    def forget_gone(self, kind: str, ids: Iterable[str]) -> None:
        """Their files are deleted."""
