"""A deploy: from a pushed commit to the release that is live, as one plain sequence."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from paas.domain.addresses import Addresses
from paas.domain.appjson import APP_JSON_MAX_BYTES, AppJson, parse_app_json
from paas.domain.apps import Actor, App
from paas.domain.errors import PaasError
from paas.domain.formation import WEB
from paas.domain.history import prunable
from paas.domain.interfaces import (
    Builder,
    BuildQueue,
    Built,
    Clock,
    Locks,
    Logs,
    Narrator,
    Quarantine,
    Repository,
    Runs,
    Slugs,
    Store,
)
from paas.domain.names import ProcessType
from paas.domain.procfile import NOT_INSTANCES, PROCFILE_MAX_BYTES, parse_procfile
from paas.domain.releases import Build, ConfigVars, Slug, Status
from paas.services.access import refreshed
from paas.services.builds import canceller, tell_place
from paas.services.env import declared_config
from paas.services.narration import Recorded, waiting
from paas.services.phases import Phases
from paas.services.rollout import Rollout
from paas.services.upkeep import refuse_locked
from paas.services.watch import Watch


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
    queue: BuildQueue
    slugs: Slugs
    runs: Runs
    rollout: Rollout
    phases: Phases
    watch: Watch
    locks: Locks
    logs: Logs
    clock: Clock
    addresses: Addresses
    random_secret: Callable[[], str]
    keep_slugs: int
    keep_slugs_mib: int

    def deploy(self, push: Push, terminal: Narrator, on_live: Callable[[], None]) -> None:
        """Build the commit and make it live. Raises PaasError with nothing changed.

        The app's lock is held to the end; on_live is called when the new version serves.
        """
        holder = f"{push.actor.name} deploys {push.commit[:7]}"
        with self.locks.app(push.app.id, holder, waiting(terminal)):
            push = replace(push, app=refreshed(self.store, push.app))
            refuse_locked(self.store, push.app)
            self.slugs.check_space()
            build = self._begin(push)
            say = Recorded(terminal, self.logs.open_build(build.id))
            try:
                slug, config = self._build(push, build, say)
                baseline = self.watch.baseline(push.app)
                version = self._release(push, slug, config, say, on_live)
            except PaasError as error:
                _tell_failure(push.app, say)
                say.record_error(error)
                self._abandon(build, error.reference)
                raise
            except BaseException as error:
                self._abandon(build, type(error).__name__)
                raise
            self._prune(push.app.id)
        self.watch.follow(push.app, version, baseline)

    def _begin(self, push: Push) -> Build:
        now = self.clock.now()
        build_id = f"{push.app.id}-{now:%Y%m%d%H%M%S%f}"
        build = Build(
            build_id, push.app.id, push.commit, push.actor.name, Status.PENDING, now, None, None
        )
        self.store.add_build(build)
        return build

    def _build(self, push: Push, build: Build, say: Recorded) -> tuple[Slug, ConfigVars]:
        """Steps 1 to 3 of a deploy: tree, buildpack, slug; and the config of its release."""
        app = push.app
        tree = self.slugs.new_build(build.id, app.uid)
        written = self.repository.write_tree(app.id, push.commit, push.quarantine, tree, app.uid)
        for warning in written.warnings:
            say.warn(warning)
        if written.files == 0:
            raise PaasError("empty-tree", "The commit has no files.", "Commit your app's files.")
        folder = self.store.build_dir(app.id)
        if folder is not None:
            self.slugs.narrow(build.id, folder)
        declared = self._procfile(push, folder)
        app_json = self._file(push, folder, "app.json", APP_JSON_MAX_BYTES)
        config = self._declared(app, app_json, say)
        built = self._compile(push, build, tree, config, say)
        if built.procfile is not None:
            declared = parse_procfile(built.procfile)
        processes = {**built.processes, **declared}
        if not set(processes) - NOT_INSTANCES and built.static is None:
            raise PaasError(
                "no-processes",
                "The app has no Procfile, and no way to start it was found.",
                "Add a Procfile with one line, for example: web: gunicorn app:app",
            )
        _tell_processes(processes, declared, built.static is not None, say)
        if self._current_slug(app.id) is None:
            # At the first deploy only, as on Heroku: who unsets one later means it.
            config = {**built.config, **config}
        if app_json is not None and (script := parse_app_json(app_json).predeploy):
            self.phases.predeploy(app, tree, config, script, say)
        canceller(self.queue, build.id)()
        size_bytes = self.slugs.freeze(build.id)
        now = self.clock.now()
        slug = Slug(
            build.id, app.id, push.commit, processes, size_bytes, now, built.static, app_json
        )
        self.store.add_slug(slug)
        self.store.end_build(replace(build, status=Status.SUCCEEDED, ended_at=now))
        self.queue.forget(build.id)
        return slug, config

    def _compile(
        self, push: Push, build: Build, tree: Path, config: ConfigVars, say: Recorded
    ) -> Built:
        """The buildpacks, when it is this build's turn; until somebody cancels it."""
        check = canceller(self.queue, build.id)
        with self.queue.turn(build.id, tell_place(say), check):
            return self.builder.build(
                push.app,
                tree,
                config,
                say.raw,
                buildpacks=self.store.buildpacks(push.app.id),
                commit=push.commit,
                check=check,
            )

    def _procfile(self, push: Push, folder: str | None) -> dict[ProcessType, str]:
        """The Procfile as committed; read from git, so that no link in it is ever followed."""
        content = self._file(push, folder, "Procfile", PROCFILE_MAX_BYTES)
        return parse_procfile(content) if content is not None else {}

    def _file(self, push: Push, folder: str | None, name: str, limit: int) -> bytes | None:
        path = f"{folder}/{name}" if folder else name
        return self.repository.read_file(push.app.id, push.commit, push.quarantine, path, limit)

    def _declared(self, app: App, app_json: bytes | None, say: Recorded) -> ConfigVars:
        """The config vars that the build and the release get."""
        manifest = parse_app_json(app_json) if app_json is not None else AppJson()
        for warning in manifest.warnings:
            say.warn(warning)
        slug_id = self._current_slug(app.id)
        slug = self.store.slug(slug_id) if slug_id else None
        former = slug.manifest if slug else AppJson()
        return declared_config(manifest, former, self._config(app), self.random_secret, say)

    def _release(
        self,
        push: Push,
        slug: Slug,
        config: ConfigVars,
        say: Recorded,
        on_live: Callable[[], None],
    ) -> int:
        """Steps 3 to 6: the release, its instances, the switch, the end of the old ones."""
        app = push.app
        commit = self.repository.commit(app.id, push.commit, push.quarantine)
        first = self._current_slug(app.id) is None
        release = self.store.add_release(
            app.id,
            slug_id=slug.id,
            config=config,
            description=f"Deploy {push.commit[:8]}: {commit.summary[:60]}",
            user=push.actor.name,
            now=self.clock.now(),
        )
        say.step(f"Releasing v{release.version}")

        def live() -> None:
            say.step(f"Live: {self.addresses.url(app.name)} (v{release.version})")
            self.logs.write(app.id, "deploy", f"v{release.version} is live: {release.description}")
            self.phases.after(app, release, slug, say, first=first)
            on_live()

        self.rollout.run(app, release, say, live)
        return release.version

    def _config(self, app: App) -> ConfigVars:
        release = self.store.release(app.id, app.current) if app.current else None
        return release.config if release else {}

    def _abandon(self, build: Build, reason: str) -> None:
        """Record the failure and remove the slug, unless it is live already.

        It is kept where it got as far as a release, so that releases:retry can take it.
        """
        if self._current_slug(build.app_id) == build.id:
            return
        # The files first: where the disk is full, the record needs their room.
        if reason == "disk-full" or not self._is_released(build):
            self.slugs.remove(build.id)
            self.store.remove_slug(build.id)
        self.store.end_build(
            replace(build, status=Status.FAILED, ended_at=self.clock.now(), reason=reason)
        )
        self.queue.forget(build.id)
        self._prune(build.app_id)

    def _is_released(self, build: Build) -> bool:
        releases = self.store.releases(build.app_id)
        return any(release.slug_id == build.id for release in releases[:1])

    def _prune(self, app_id: int) -> None:
        """Remove the slugs that nothing needs and that are beyond the limits."""
        app = self.store.app_by_id(app_id)
        gone = prunable(
            self.store.slugs(app_id),
            self.store.releases(app_id),
            app.current if app else None,
            keep=self.keep_slugs,
            max_bytes=self.keep_slugs_mib * 1024**2,
        )
        in_use = {run.slug_id for run in self.runs.listing(app_id)}
        for slug in gone:
            if slug.id in in_use:
                continue  # a deploy to come removes it
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
    processes: dict[ProcessType, str],
    declared: dict[ProcessType, str],
    static: bool,
    say: Narrator,
) -> None:
    say.step("Discovering process types")
    if declared:
        say.detail("Procfile declares: " + ", ".join(sorted(declared)))
    for kind in sorted(set(processes) - set(declared)):
        say.detail(f"Default of the buildpack: {kind}: {processes[kind]}")
    if WEB not in processes and static:
        say.detail("No web process: Nginx serves the files")
    elif WEB not in processes:
        say.warn("There is no web process, so nothing will answer at the app's address.")
