"""From a pushed commit to its slug: tree, buildpacks, freeze."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from paas.domain.appjson import APP_JSON_MAX_BYTES, AppJson, parse_app_json
from paas.domain.apps import Actor, App
from paas.domain.errors import PaasError
from paas.domain.formation import WEB
from paas.domain.interfaces import (
    Builder,
    BuildQueue,
    Built,
    Clock,
    Narrator,
    Quarantine,
    Repository,
    Slugs,
    Store,
)
from paas.domain.names import ProcessType
from paas.domain.procfile import NOT_INSTANCES, PROCFILE_MAX_BYTES, parse_procfile
from paas.domain.releases import Build, ConfigVars, Slug, Status
from paas.services.builds import canceller, tell_place
from paas.services.env import declared_config
from paas.services.narration import Recorded
from paas.services.phases import Phases


@dataclass(frozen=True, slots=True)
class Push:
    """A commit that someone pushed to an app's deploy branch."""

    app: App
    commit: str
    quarantine: Quarantine | None
    actor: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class SlugMaker:
    """Makes slugs: steps 1 to 3 of a deploy."""

    store: Store
    repository: Repository
    builder: Builder
    queue: BuildQueue
    slugs: Slugs
    phases: Phases
    clock: Clock
    random_secret: Callable[[], str]

    def make(self, push: Push, build: Build, say: Recorded) -> tuple[Slug, ConfigVars]:
        """The slug, and the config of its release. Raises PaasError."""
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
        if current_slug(self.store, app.id) is None:
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
        slug_id = current_slug(self.store, app.id)
        slug = self.store.slug(slug_id) if slug_id else None
        former = slug.manifest if slug else AppJson()
        return declared_config(manifest, former, self._config(app), self.random_secret, say)

    def _config(self, app: App) -> ConfigVars:
        release = self.store.release(app.id, app.current) if app.current else None
        return release.config if release else {}


def current_slug(store: Store, app_id: int) -> str | None:
    """The id of the slug that the app's current release has."""
    app = store.app_by_id(app_id)
    release = store.release(app_id, app.current) if app and app.current else None
    return release.slug_id if release else None


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
