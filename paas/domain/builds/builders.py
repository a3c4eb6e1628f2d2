"""The builder of an app, its buildpacks or its Dockerfile, and how it is chosen."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from paas.domain.builds.build_values import RegistryLogin
from paas.domain.releases.artifacts import DOCKER, NATIVE
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import VarName, shown
from paas.domain.values.secret import Secret

ENGINES = (NATIVE, DOCKER)
DOCKERFILE = "Dockerfile"
DOCKERFILE_MAX_BYTES = 1024**2
# BuildKit takes 0.02 s for 1 of 500, and minutes for 10,000, in which no other build goes on.
INSTRUCTIONS_MAX = 500
PATH_MAX = 200
ARGS_MAX = 100
_PATH = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._@+=,~-]*(?:/[A-Za-z0-9._][A-Za-z0-9._@+=,~-]*)*")
# https://docs.docker.com/reference/dockerfile/
_INSTRUCTION = re.compile(
    r"^\s*(?:ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|"
    r"SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)\b",
    re.IGNORECASE | re.MULTILINE,
)
_COMMENT = re.compile(r"^[^\S\n]*#.*\n?", re.MULTILINE)
_ADD = re.compile(r"^\s*(?:ONBUILD\s+)?ADD\b", re.IGNORECASE | re.MULTILINE)
# A line goes on behind one of these, also after comments; a directive says which.
_GOES_ON = (re.compile(r"\\\s*\n"), re.compile(r"`\s*\n"))
_STAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class BuilderName(StrEnum):
    """What ``builder:set`` accepts. AUTO: detected at each push, see `chosen`."""

    AUTO = "auto"
    BUILDPACKS = "buildpacks"
    DOCKERFILE = "dockerfile"


@dataclass(frozen=True, slots=True)
class BuilderSettings:
    """What was set by hand for an app.

    dockerfile: its path below the app's folder. target: the stage to build, as in ``FROM x AS y``.
    engine: what runs the slugs that buildpacks make, NATIVE or DOCKER.
    """

    builder: BuilderName = BuilderName.AUTO
    dockerfile: str | None = None
    target: str | None = None
    engine: str = NATIVE


@dataclass(frozen=True, slots=True)
class DockerfileBuild:
    """One build of a Dockerfile.

    args: for ``ARG``; they stay readable in the image. secrets: for ``RUN --mount=type=secret``, by
    id; they do not stay. target: None means the last stage. logins: to registries. port: set by
    ``ports:set``.
    """

    path: str = DOCKERFILE
    target: str | None = None
    args: dict[VarName, str] = field(default_factory=dict)
    secrets: dict[VarName, Secret] = field(default_factory=dict)
    logins: tuple[RegistryLogin, ...] = ()
    port: int | None = None


def builder_name(text: str) -> BuilderName:
    """Raises a usage error that names the builders."""
    try:
        return BuilderName(text)
    except ValueError:
        raise usage_error(
            "builder-name",
            f"{shown(text)} is not a builder: choose {', '.join(BuilderName)}.",
            "paas builder:set dockerfile",
        ) from None


def engine_name(text: str) -> str:
    """Validate what slugs are to run on. Raises a usage error."""
    if text not in ENGINES:
        raise usage_error(
            "engine-name",
            f"{shown(text)} is not an engine: choose {' or '.join(ENGINES)}.",
            "paas builder:set engine docker",
        )
    return text


def dockerfile_path(text: str) -> str:
    """Validate a Dockerfile's path below the app's folder. Raises a usage error."""
    outside = {".", "..", ".git"} & {*text.split("/")}
    if len(text) > PATH_MAX or not _PATH.fullmatch(text) or outside:
        raise usage_error(
            "dockerfile-path",
            f"{shown(text)} is not the path of a Dockerfile below the app's folder.",
            "For example: paas builder:set dockerfile-path deploy/Dockerfile",
        )
    return text


def refuse_endless(dockerfile: bytes) -> None:
    """Refuse one that would keep the engine from all other builds. Raises PaasError."""
    text = _COMMENT.sub("", dockerfile.decode("utf-8", "replace"))
    texts = (text, *(goes_on.sub("", text) for goes_on in _GOES_ON))
    count = max(len(_INSTRUCTION.findall(each)) for each in texts)
    if count > INSTRUCTIONS_MAX:
        raise PaasError(
            "dockerfile-instructions",
            f"The Dockerfile has {count} instructions; the limit is {INSTRUCTIONS_MAX}.",
            "Join some of them: RUN a && b is one, and so is ENV A=1 B=2.",
        )


def adds_files(dockerfile: bytes) -> bool:
    """Whether it has an ADD, which unpacks archives."""
    return _ADD.search(dockerfile.decode("utf-8", "replace")) is not None


def stage_name(text: str) -> str:
    """Validate the name of a stage, as ``FROM image AS name`` gives it. Raises a usage error."""
    if not _STAGE.fullmatch(text):
        raise usage_error(
            "docker-target",
            f"{shown(text)} is not the name of a stage: letters, digits, dots, dashes and "
            "underscores, starting with a letter or digit.",
            "The Dockerfile names its stages: FROM image AS name",
        )
    return text


def chosen(
    settings: BuilderSettings, *, in_heroku_yml: bool, has_dockerfile: bool, has_buildpacks: bool
) -> BuilderName:
    """The builder of this push; AUTO: the first buildpack that fits, or else the Dockerfile.

    in_heroku_yml: heroku.yml names a Dockerfile. has_buildpacks: buildpacks were set by hand, or
    app.json names some, which is as explicit as ``builder:set buildpacks``.
    """
    if settings.builder is not BuilderName.AUTO:
        return settings.builder
    if has_buildpacks:
        return BuilderName.BUILDPACKS
    if in_heroku_yml:
        return BuilderName.DOCKERFILE
    return BuilderName.AUTO if has_dockerfile else BuilderName.BUILDPACKS
