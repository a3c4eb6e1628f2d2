"""How a commit is built: by buildpacks, or from its Dockerfile, with all that this needs."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from paas.domain.apps.apps import App
from paas.domain.builds.build_values import ValueKind
from paas.domain.builds.builders import (
    DOCKERFILE,
    DOCKERFILE_MAX_BYTES,
    BuilderName,
    DockerfileBuild,
    chosen,
)
from paas.domain.builds.buildpacks import Buildpack
from paas.domain.manifest.heroku_yml import (
    HEROKU_YML,
    HEROKU_YML_MAX_BYTES,
    HerokuYml,
    parse_heroku_yml,
)
from paas.domain.releases.artifacts import DOCKER, NATIVE
from paas.domain.values.errors import NoBuildpackError, PaasError
from paas.domain.values.names import ProcessType
from paas.interfaces import Builder, Built, Engines, Progress
from paas.store import Store

# A file of the commit, by its path below the app's folder: None if there is none.
ReadFile = Callable[[str, int], bytes | None]
# Has a builder build; dockerfile: what a builder of images builds.
BuildWith = Callable[[Builder, DockerfileBuild | None], Built]


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """How one commit is built.

    processes: those of heroku.yml, which count before the Procfile. engine: what runs the slug, if
    buildpacks make one.
    """

    builder: BuilderName
    dockerfile: DockerfileBuild
    processes: dict[ProcessType, str] = field(default_factory=dict)
    engine: str = NATIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class BuilderChoice:
    """Chooses the builder of each push. read_yaml: a file's values; it is given its name."""

    store: Store
    engines: Engines
    read_yaml: Callable[[bytes, str], object]

    def plan(
        self, app: App, packs: Sequence[Buildpack], read: ReadFile, progress: Progress
    ) -> BuildPlan:
        """What was set by hand, else what the commit says. Raises PaasError."""
        settings = self.store.image_builds.settings(app.id)
        declared = HerokuYml()
        if DOCKER in self.engines.names() and settings.builder is not BuilderName.BUILDPACKS:
            declared = self._declared(read, progress)
        path = settings.dockerfile or declared.dockerfile or DOCKERFILE
        builder = chosen(
            settings,
            in_heroku_yml=declared.dockerfile is not None,
            has_dockerfile=_is_there(read, path),
            has_buildpacks=bool(packs),
        )
        values = self.store.image_builds
        args = {name: arg.reveal() for name, arg in values.values(app.id, ValueKind.ARG).items()}
        dockerfile = DockerfileBuild(
            path=path,
            target=settings.target or declared.target,
            args={**declared.args, **args},
            secrets=values.values(app.id, ValueKind.SECRET),
            logins=tuple(values.logins(app.id)),
            port=values.port(app.id),
        )
        images = builder is BuilderName.DOCKERFILE
        engine = DOCKER if app.scheduling.on_nodes else settings.engine
        if not images and engine not in self.engines.names():
            raise no_engine(app)
        return BuildPlan(builder, dockerfile, declared.processes if images else {}, engine)

    def expecting(self, app: App) -> AbstractContextManager[None]:
        """Have the builder get ready that is most likely chosen for the app, as far as it is known.

        Its build comes in the block, or another builder's, or none.
        """
        settings = self.store.image_builds.settings(app.id)
        if settings.builder is BuilderName.DOCKERFILE:
            return nullcontext()
        return self.engines.named(NATIVE).builder.expecting()

    def build(self, plan: BuildPlan, build: BuildWith, progress: Progress) -> Built:
        """Build as planned; the Dockerfile too if that is left open and no buildpack fits."""
        if plan.builder is not BuilderName.DOCKERFILE:
            try:
                return build(self.engines.named(NATIVE).builder, None)
            except NoBuildpackError:
                if plan.builder is not BuilderName.AUTO:
                    raise
            except PaasError:
                if plan.builder is BuilderName.AUTO and DOCKER in self.engines.names():
                    progress.warn(
                        f"There is also {plan.dockerfile.path}. To build that: paas builder:set "
                        "dockerfile"
                    )
                raise
        if DOCKER not in self.engines.names():
            raise no_docker()
        progress.step(f"Building {plan.dockerfile.path}")
        if plan.builder is BuilderName.AUTO:
            progress.detail("No buildpack fits. To choose: paas builder:set dockerfile")
        return build(self.engines.named(DOCKER).builder, plan.dockerfile)

    def _declared(self, read: ReadFile, progress: Progress) -> HerokuYml:
        content = read(HEROKU_YML, HEROKU_YML_MAX_BYTES)
        if content is None:
            return HerokuYml()
        declared = parse_heroku_yml(self.read_yaml(content, HEROKU_YML))
        for warning in declared.warnings:
            progress.warn(warning)
        return declared if declared.dockerfile else replace(declared, processes={})


def no_docker() -> PaasError:
    """The error where an image is to be built on a server without Docker."""
    return PaasError(
        "no-docker",
        "A Dockerfile is built by Docker, which this server does not have.",
        "The server's administrator can add it: install.sh --docker; to build with buildpacks "
        "instead: paas builder:set buildpacks",
    )


def no_engine(app: App) -> PaasError:
    """The error where a slug is to run in containers on a server without Docker."""
    return PaasError(
        "no-docker",
        f"{app.name} is to run in containers, and this server has no Docker.",
        "The server's administrator can add it: install.sh --docker; to run processes instead: "
        "paas builder:set engine native",
    )


def _is_there(read: ReadFile, path: str) -> bool:
    """Whether there is such a plain file; what else has that name is the builder's to refuse."""
    try:
        return read(path, DOCKERFILE_MAX_BYTES) is not None
    except PaasError:
        return False
