"""A deploy: from a pushed commit to the release that is live, as one plain sequence."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from paas.domain.addresses import Addresses
from paas.domain.apps import Actor, App
from paas.domain.errors import PaasError
from paas.domain.formation import WEB
from paas.domain.interfaces import (
    Builder,
    Clock,
    Locks,
    Logs,
    Narrator,
    Quarantine,
    Repository,
    Slugs,
    Store,
)
from paas.domain.names import ProcessType
from paas.domain.procfile import NOT_INSTANCES, parse_procfile
from paas.domain.releases import Build, ConfigVars, Slug, Status
from paas.services.access import refreshed
from paas.services.narration import Recorded, waiting
from paas.services.rollout import Rollout

PROCFILE_MAX_BYTES = 1024**2


@dataclass(frozen=True, slots=True)
class Push:
    """A commit that someone pushed to an app's deploy branch."""

    app: App
    commit: str
    quarantine: Quarantine | None
    actor: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploys:
    """Turns pushes into releases."""

    store: Store
    repository: Repository
    builder: Builder
    slugs: Slugs
    rollout: Rollout
    locks: Locks
    logs: Logs
    clock: Clock
    addresses: Addresses
    keep_slugs: int

    def deploy(self, push: Push, terminal: Narrator, on_live: Callable[[], None]) -> None:
        """Build the commit and make it live. Raises PaasError with nothing changed.

        The app's lock is held to the end; on_live is called when the new version serves.
        """
        holder = f"{push.actor.name} deploys {push.commit[:7]}"
        with self.locks.app(push.app.id, holder, waiting(terminal)):
            push = replace(push, app=refreshed(self.store, push.app))
            self.slugs.check_space()
            build = self._begin(push)
            say = Recorded(terminal, self.logs.open_build(build.id))
            try:
                slug = self._build(push, build, say)
                self._release(push, slug, say, on_live)
            except PaasError as error:
                _tell_failure(push.app, say)
                say.record_error(error)
                self._abandon(build, error.reference)
                raise
            except BaseException as error:
                self._abandon(build, type(error).__name__)
                raise
            self._prune(push.app.id)

    def _begin(self, push: Push) -> Build:
        now = self.clock.now()
        build_id = f"{push.app.id}-{now:%Y%m%d%H%M%S%f}"
        build = Build(
            build_id, push.app.id, push.commit, push.actor.name, Status.PENDING, now, None, None
        )
        self.store.add_build(build)
        return build

    def _build(self, push: Push, build: Build, say: Recorded) -> Slug:
        """Steps 1 to 3 of a deploy: tree, buildpack, slug."""
        app = push.app
        tree = self.slugs.new_build(build.id, app.uid)
        written = self.repository.write_tree(app.id, push.commit, push.quarantine, tree, app.uid)
        for warning in written.warnings:
            say.warn(warning)
        if written.files == 0:
            raise PaasError("empty-tree", "The commit has no files.", "Commit your app's files.")
        declared = self._procfile(push)
        built = self.builder.build(app, tree, self._config(app), say.raw)
        processes = {**built.processes, **declared}
        if not set(processes) - NOT_INSTANCES:
            raise PaasError(
                "no-processes",
                "The app has no Procfile, and no way to start it was found.",
                "Add a Procfile with one line, for example: web: gunicorn app:app",
            )
        _tell_processes(processes, declared, say)
        size_bytes = self.slugs.freeze(build.id)
        now = self.clock.now()
        slug = Slug(build.id, app.id, push.commit, processes, size_bytes, now)
        self.store.add_slug(slug)
        self.store.end_build(replace(build, status=Status.SUCCEEDED, ended_at=now))
        return slug

    def _procfile(self, push: Push) -> dict[ProcessType, str]:
        """The Procfile as committed; read from git, so that no link in it is ever followed."""
        content = self.repository.read_file(
            push.app.id, push.commit, push.quarantine, "Procfile", PROCFILE_MAX_BYTES
        )
        return parse_procfile(content) if content is not None else {}

    def _release(self, push: Push, slug: Slug, say: Recorded, on_live: Callable[[], None]) -> None:
        """Steps 3 to 6: the release, its instances, the switch, the end of the old ones."""
        app = push.app
        commit = self.repository.commit(app.id, push.commit, push.quarantine)
        release = self.store.add_release(
            app.id,
            slug_id=slug.id,
            config=self._config(app),
            description=f"Deploy {push.commit[:8]}: {commit.summary[:60]}",
            user=push.actor.name,
            now=self.clock.now(),
        )
        say.step(f"Releasing v{release.version}")

        def live() -> None:
            say.step(f"Live: {self.addresses.url(app.name)} (v{release.version})")
            self.logs.write(app.id, "deploy", f"v{release.version} is live: {release.description}")
            on_live()

        self.rollout.run(app, release, say, live)

    def _config(self, app: App) -> ConfigVars:
        release = self.store.release(app.id, app.current) if app.current else None
        return release.config if release else {}

    def _abandon(self, build: Build, reason: str) -> None:
        """Record the failure and remove the slug, unless it is live already."""
        if self._current_slug(build.app_id) == build.id:
            return
        # The files first: where the disk is full, the record needs their room.
        self.slugs.remove(build.id)
        self.store.remove_slug(build.id)
        self.store.end_build(
            replace(build, status=Status.FAILED, ended_at=self.clock.now(), reason=reason)
        )

    def _prune(self, app_id: int) -> None:
        """Remove the oldest slugs beyond those to keep; never one that runs."""
        current = self._current_slug(app_id)
        for slug in self.store.slugs(app_id)[self.keep_slugs :]:
            if slug.id != current:
                self.store.remove_slug(slug.id)
                self.slugs.remove(slug.id)

    def _current_slug(self, app_id: int) -> str | None:
        app = self.store.app_by_id(app_id)
        release = self.store.release(app_id, app.current) if app and app.current else None
        return release.slug_id if release else None


def _tell_failure(app: App, say: Narrator) -> None:
    serving = f"; v{app.current} goes on serving" if app.current else ""
    say.step(f"The deploy failed{serving}")


def _tell_processes(
    processes: dict[ProcessType, str], declared: dict[ProcessType, str], say: Narrator
) -> None:
    say.step("Discovering process types")
    if declared:
        say.detail("Procfile declares: " + ", ".join(sorted(declared)))
    for kind in sorted(set(processes) - set(declared)):
        say.detail(f"Default of the buildpack: {kind}: {processes[kind]}")
    if WEB not in processes:
        say.warn("There is no web process, so nothing will answer at the app's address.")
