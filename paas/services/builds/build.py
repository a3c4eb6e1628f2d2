"""From a pushed commit to its slug: tree, builder, freeze."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from paas.domain.apps.apps import App
from paas.domain.builds.builders import DockerfileBuild
from paas.domain.builds.buildpacks import Buildpack, chosen_buildpack
from paas.domain.builds.images import writes_storage
from paas.domain.builds.steps import BuildSteps
from paas.domain.datastores.datastores import with_attached
from paas.domain.manifest.appjson import APP_JSON_MAX_BYTES, AppJson, parse_app_json
from paas.domain.manifest.procfile import PROCFILE_MAX_BYTES, instance_types, parse_procfile
from paas.domain.manifest.review import for_review
from paas.domain.people.actors import Actor
from paas.domain.releases.artifacts import DOCKER, NATIVE
from paas.domain.releases.formation import WEB, quantities
from paas.domain.releases.releases import Build, ConfigVars, Slug, Status
from paas.domain.releases.start_limits import StartLimits
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType, shown
from paas.interfaces import (
    Builder,
    BuildQueue,
    Built,
    Clock,
    Progress,
    Quarantine,
    Repository,
    Schedules,
    SlugImages,
    Slugs,
)
from paas.services.builds.builds import queue_reporter
from paas.services.builds.choice import BuilderChoice, BuildPlan
from paas.services.builds.private_buildpacks import PrivateBuildpacks
from paas.services.builds.trees import Trees
from paas.services.datastores.declared import DeclaredDatastores
from paas.services.progress import Recorded
from paas.services.releases.app_json_config import declared_config
from paas.services.releases.cron_checks import check_jobs
from paas.services.releases.release_commands import ReleaseCommands
from paas.services.server.quotas import Quotas
from paas.store import Store

Begun = Callable[[Build], None]


@dataclass(frozen=True, slots=True)
class Push:
    """A commit that someone pushed to an app's deploy branch. begun: is told of its build."""

    app: App
    commit: str
    quarantine: Quarantine | None
    actor: Actor
    begun: Begun = lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlugMaker:
    """Makes slugs: steps 1 to 3 of a deploy."""

    store: Store
    repository: Repository
    choice: BuilderChoice
    queue: BuildQueue
    slugs: Slugs
    slug_images: SlugImages
    trees: Trees
    release_commands: ReleaseCommands
    schedules: Schedules
    clock: Clock
    random_secret: Callable[[], str]
    limits: StartLimits
    quotas: Quotas
    datastores: DeclaredDatastores
    private: PrivateBuildpacks

    def make(self, push: Push, build: Build, progress: Recorded) -> tuple[Slug, ConfigVars]:
        """The slug, and the config of its release. Raises PaasError."""
        with self.choice.expecting(push.app):
            return self._make(push, build, progress)

    def _make(self, push: Push, build: Build, progress: Recorded) -> tuple[Slug, ConfigVars]:
        app = push.app
        tree = self.slugs.new_build(build.id, app.uid)
        self.trees.write(app, push.commit, push.quarantine, tree, progress)
        folder = self.store.build_dirs.of_app(app.id)
        if folder is not None:
            self.slugs.keep_only(build.id, folder)
        procfile = self._procfile(push, folder)
        declared = parse_procfile(procfile)
        app_json = self._file(push, folder, "app.json", APP_JSON_MAX_BYTES)
        if app_json is not None and app.preview_of is not None:
            app_json = for_review(app_json)
        manifest = parse_app_json(app_json) if app_json is not None else AppJson()
        if manifest.start_limit_s is not None:
            self.limits.allow(manifest.start_limit_s, "app.json")
        check_jobs(manifest, declared, procfile, self.schedules)
        self.make_datastores(push, manifest, progress)
        config = self.declared(app, app_json, progress)
        packs = self._buildpacks(app, app_json, progress)
        plan = self.choice.plan(app, packs, partial(self._file, push, folder), progress)
        # Later buildpacks, containers and scripts.dokku.predeploy get all in one tree.
        own = plan.engine == NATIVE and all(pack.shares_dependencies for pack in packs)
        share = own and not manifest.predeploy
        built = self._compile(
            push, build, tree, config, progress, packs=packs, plan=plan, share=share
        )
        _warn_of_user(app, built, progress)
        if plan.processes:
            procfile, declared = b"", plan.processes
        elif built.procfile is not None:
            procfile = built.procfile
            declared = parse_procfile(procfile)
        # What an image starts by itself is its web process, unless anything says what is.
        default = {} if built.image is not None and declared else built.processes
        processes = {**default, **declared}
        jobs = check_jobs(manifest, processes, procfile, self.schedules)
        if not instance_types(processes) and built.static is None and not jobs:
            raise _no_processes(is_image=built.image is not None)
        _report_processes(processes, declared, built.static is not None, progress)
        for job in jobs:
            progress.detail(f"Cron job: {job.name}, at {job.schedule} (UTC)")
        if current_slug(self.store, app.id) is None:
            # At the first deploy only, as on Heroku: a var that is unset later was unset on
            # purpose.
            config = {**built.config, **config}
        if manifest.predeploy:
            self.release_commands.predeploy(app, tree, config, manifest.predeploy, progress)
        counts = quantities(
            processes, {**manifest.formation, **self.store.formations.of_app(app.id)}
        )
        self.quotas.refuse_instances(push.actor, app, sum(counts.values()))
        progress.check()
        built = self._with_image(app, tree, built, plan, progress)
        size_bytes = self.slugs.freeze(build.id) + built.image_bytes
        self.quotas.refuse_full(push.actor, app, {build.id: size_bytes})
        now = self.clock.now()
        slug = Slug(
            id=build.id,
            app_id=app.id,
            commit=push.commit,
            processes=processes,
            size_bytes=size_bytes,
            created_at=now,
            static=built.static,
            app_json=app_json,
            image=built.image,
            dependencies=built.dependencies,
        )
        with self.store.transaction():
            self.store.slugs.add(slug)
            self.store.builds.end(replace(build, status=Status.SUCCEEDED, ended_at=now))
        return slug, config

    def _with_image(
        self, app: App, tree: Path, built: Built, plan: BuildPlan, progress: Recorded
    ) -> Built:
        """With the image of what buildpacks made, where that is to run in containers."""
        if built.image is not None or plan.engine != DOCKER:
            return built
        with progress.doing("building the image"):
            image, size_bytes = self.slug_images.make(
                app, tree, progress, port=plan.dockerfile.port
            )
        return replace(built, image=image, image_bytes=size_bytes)

    def make_datastores(self, push: Push, manifest: AppJson, progress: Progress) -> None:
        """Before its config vars are looked at: those of app.json may be among them."""
        live = current_slug(self.store, push.app.id)
        slug = self.store.slugs.find(live) if live else None
        if slug is None:
            self.datastores.make(push.app, push.actor, manifest.addons, progress)
        else:
            self.datastores.tell(push.app, manifest.addons, slug.manifest.addons, progress)

    def _buildpacks(self, app: App, app_json: bytes | None, progress: Progress) -> list[Buildpack]:
        """Those that were set by hand, else those of app.json; none: they are detected."""
        chosen = self.store.buildpacks.of_app(app.id)
        declared = parse_app_json(app_json).buildpacks if app_json is not None else ()
        if chosen or not declared:
            return chosen
        progress.step(f"Using the buildpacks of app.json: {', '.join(map(str, declared))}")
        return [chosen_buildpack(str(pack)) for pack in declared]

    def _compile(
        self,
        push: Push,
        build: Build,
        tree: Path,
        config: ConfigVars,
        progress: Recorded,
        *,
        packs: Sequence[Buildpack],
        plan: BuildPlan,
        share: bool,
    ) -> Built:
        """Build when it is this build's turn, until someone cancels it."""
        with ExitStack() as held:
            with progress.doing("waiting for other builds") as reword:
                show_place = queue_reporter(self.store, push.actor, progress, reword)
                held.enter_context(
                    self.queue.turn(build.id, build.user, show_place, progress.check)
                )
            packs = held.enter_context(self.private.fetched(push.app, packs, progress))
            steps, reword = BuildSteps(), held.enter_context(progress.doing("building"))

            def heard(line: bytes) -> None:
                progress.output(line)
                reword(steps.line(line))

            def build_with(builder: Builder, dockerfile: DockerfileBuild | None) -> Built:
                return builder.build(
                    push.app,
                    tree,
                    with_attached(config, self.store.datastores.attached_vars(push.app.id)),
                    heard,
                    buildpacks=packs,
                    dockerfile=dockerfile,
                    commit=push.commit,
                    share_dependencies=share,
                    check=progress.check,
                )

            return self.choice.build(plan, build_with, progress)

    def _procfile(self, push: Push, folder: str | None) -> bytes:
        """The Procfile as committed; read from git, so that no link in it is ever followed."""
        return self._file(push, folder, "Procfile", PROCFILE_MAX_BYTES) or b""

    def _file(self, push: Push, folder: str | None, name: str, limit: int) -> bytes | None:
        path = f"{folder}/{name}" if folder else name
        return self.repository.read_file(push.app.id, push.commit, push.quarantine, path, limit)

    def declared(self, app: App, app_json: bytes | None, progress: Recorded) -> ConfigVars:
        """The config vars that the build and the release get."""
        manifest = parse_app_json(app_json) if app_json is not None else AppJson()
        for warning in manifest.warnings:
            progress.warn(warning)
        slug_id = current_slug(self.store, app.id)
        slug = self.store.slugs.find(slug_id) if slug_id else None
        former = slug.manifest if slug else AppJson()
        return declared_config(
            manifest,
            former,
            self._config(app),
            self.random_secret,
            progress,
            attached=self.store.datastores.attached_vars(app.id),
        )

    def _config(self, app: App) -> ConfigVars:
        release = self.store.releases.current(app)
        return release.config if release else {}


def current_slug(store: Store, app_id: int) -> str | None:
    """The id of the slug that the app's current release has."""
    app = store.apps.by_id(app_id)
    release = store.releases.find(app_id, app.current) if app and app.current else None
    return release.slug_id if release else None


def _no_processes(*, is_image: bool) -> PaasError:
    if is_image:
        return PaasError(
            "no-processes",
            "The image has neither ENTRYPOINT nor CMD, and there is no Procfile.",
            'Add one to the Dockerfile, for example: CMD ["gunicorn", "app:app"]',
        )
    return PaasError(
        "no-processes",
        "The app has no Procfile, and no way to start it was found.",
        "Add a Procfile with one line that starts it, for example: web: gunicorn app:app, or: "
        "web: node index.js",
    )


def _warn_of_user(app: App, built: Built, progress: Progress) -> None:
    if app.storage and not writes_storage(built.user, app.uid):
        paths = ", ".join(sorted(one.path for one in app.storage))
        progress.warn(
            f"The image runs as the user {shown(built.user)}, who cannot write to {paths}: storage "
            "directories belong to the app's uid. Without USER, the image runs as that."
        )


def _report_processes(
    processes: dict[ProcessType, str],
    declared: dict[ProcessType, str],
    static: bool,
    progress: Progress,
) -> None:
    progress.step("Discovering process types")
    if declared:
        progress.detail("Procfile declares: " + ", ".join(sorted(declared)))
    for kind in sorted(set(processes) - set(declared)):
        default = f"Default of the buildpack: {kind}: {processes[kind]}"
        progress.detail(default if processes[kind] else f"The image's own command is {kind}")
    if WEB not in processes and static:
        progress.detail("No web process: Nginx serves the files")
    elif WEB not in processes:
        progress.warn("There is no web process, so nothing will answer at the app's address.")
