"""Settings for building an app's image: builder, Dockerfile, values for builds, logins and port."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.builds.build_values import RegistryLogin, ValueKind
from paas.domain.builds.builders import (
    ARGS_MAX,
    BuilderName,
    BuilderSettings,
    builder_name,
    dockerfile_path,
    engine_name,
    stage_name,
)
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.releases.artifacts import DOCKER, NATIVE, Image
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import VarName
from paas.domain.values.secret import Secret
from paas.interfaces import Engines
from paas.services.access import find_app
from paas.services.builds.choice import no_docker, no_engine
from paas.store import Store


@dataclass(frozen=True, slots=True)
class ImageReport:
    """What `docker:report` shows.

    secrets: the names of the secrets. logins: registries and users. port: what ``ports:set`` says.
    image: that of the live release; None: it has none.
    """

    settings: BuilderSettings
    args: Mapping[VarName, Secret]
    secrets: tuple[VarName, ...]
    logins: tuple[tuple[str, str], ...]
    port: int | None
    image: Image | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBuilds:
    """What applies from the next push on; these methods build nothing."""

    store: Store
    engines: Engines

    def report(self, actor: Actor, name: str) -> ImageReport:
        """All settings, without secrets; with arguments for those who may change them."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        values = self.store.image_builds
        slug = self.store.slugs.of_release(self.store.releases.current(app))
        return ImageReport(
            settings=values.settings(app.id),
            args=values.values(app.id, ValueKind.ARG),
            secrets=tuple(values.values(app.id, ValueKind.SECRET)),
            logins=tuple((login.host, login.user) for login in values.logins(app.id)),
            port=values.port(app.id),
            image=slug.image if slug else None,
        )

    def set_builder(self, actor: Actor, name: str, text: str) -> BuilderName:
        """Choose the builder. Raises PaasError if the server does not have it."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        builder = builder_name(text)
        if builder is BuilderName.DOCKERFILE and DOCKER not in self.engines.names():
            raise no_docker()
        self._change(app, replace(self._settings(app), builder=builder))
        return builder

    def set_dockerfile(self, actor: Actor, name: str, text: str | None) -> str | None:
        """Choose the Dockerfile; None: ``Dockerfile``, or the one that heroku.yml names."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        path = dockerfile_path(text) if text else None
        self._change(app, replace(self._settings(app), dockerfile=path))
        return path

    def set_target(self, actor: Actor, name: str, text: str | None) -> str | None:
        """Choose the stage that is built; None: the last one, or the one that heroku.yml names."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        stage = stage_name(text) if text else None
        self._change(app, replace(self._settings(app), target=stage))
        return stage

    def set_engine(self, actor: Actor, name: str, text: str | None) -> str:
        """Choose what runs the slugs of buildpacks; None: processes of the server."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        engine = engine_name(text) if text else NATIVE
        if engine not in self.engines.names():
            raise no_engine(app)
        self._change(app, replace(self._settings(app), engine=engine))
        return engine

    def set_values(
        self, actor: Actor, name: str, kind: ValueKind, values: Mapping[VarName, str]
    ) -> App:
        """Set arguments or secrets; others stay."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        with self.store.transaction():
            there = self.store.image_builds.values(app.id, kind)
            if len({*there, *values}) > ARGS_MAX:
                raise usage_error("build-values-max", f"An app may have at most {ARGS_MAX}.")
            secrets = {key: Secret(text) for key, text in values.items()}
            self.store.image_builds.set_values(app.id, kind, secrets)
        return app

    def unset_values(
        self, actor: Actor, name: str, kind: ValueKind, names: Iterable[VarName]
    ) -> App:
        """Remove arguments or secrets. Raises PaasError, and removes none, if one is missing."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        with self.store.transaction():
            missing = set(names) - set(self.store.image_builds.values(app.id, kind))
            if missing:
                raise _not_set(app, sorted(missing))
            self.store.image_builds.unset(app.id, kind, names)
        return app

    def set_port(self, actor: Actor, name: str, port: int | None) -> App:
        """Set where web containers listen; None: the port that the image exposes, or else 5000."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        self.store.image_builds.set_port(app.id, port)
        return app

    def login(self, actor: Actor, name: str, login: RegistryLogin) -> App:
        """Let builds fetch images from a registry as that user. The login is not tested."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        self.store.image_builds.set_login(app.id, login)
        return app

    def logout(self, actor: Actor, name: str, host: str) -> App:
        """Forget a login. Raises PaasError if there is none."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        with self.store.transaction():
            if host not in {login.host for login in self.store.image_builds.logins(app.id)}:
                raise _not_set(app, [host])
            self.store.image_builds.unset(app.id, ValueKind.LOGIN, [host])
        return app

    def _settings(self, app: App) -> BuilderSettings:
        return self.store.image_builds.settings(app.id)

    def _change(self, app: App, settings: BuilderSettings) -> None:
        self.store.image_builds.set_settings(app.id, settings)


def _not_set(app: App, names: list[str]) -> PaasError:
    return PaasError(
        "build-value-not-set",
        f"{app.name} does not have {', '.join(names)}. Nothing was removed.",
        "See what it has: paas docker:report",
    )
