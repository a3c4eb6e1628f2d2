"""heroku.yml: an app's Dockerfile, and what is run of its image.

https://devcenter.heroku.com/articles/build-docker-images-heroku-yml
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from paas.domain.builds.builders import ARGS_MAX, DOCKERFILE, dockerfile_path, stage_name
from paas.domain.manifest.procfile import COMMAND_MAX_BYTES
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType, VarName, process_type, shown, var_name, var_value

HEROKU_YML = "heroku.yml"
HEROKU_YML_MAX_BYTES = 64 * 1024
RELEASE = ProcessType("release")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HerokuYml:
    """What is used of a heroku.yml.

    dockerfile: None: it names none. processes: the commands of ``run``, and of ``release``.
    """

    dockerfile: str | None = None
    target: str | None = None
    args: dict[VarName, str] = field(default_factory=dict)
    processes: dict[ProcessType, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def parse_heroku_yml(value: object) -> HerokuYml:
    """Validate a heroku.yml that was read as YAML. Raises PaasError that names the key."""
    top = _mapping(value, "the file")
    build = _mapping(top.get("build"), "build")
    docker = _mapping(build.get("docker"), "build.docker")
    dockerfile, target = _dockerfile(docker)
    return HerokuYml(
        dockerfile=dockerfile,
        target=target,
        args=_args(_mapping(build.get("config"), "build.config")),
        processes=_processes(top),
        warnings=tuple(_ignored(top, build, docker)),
    )


def _ignored(
    top: Mapping[str, Any], build: Mapping[str, Any], docker: Mapping[str, Any]
) -> Iterator[str]:
    """A warning for each key that means nothing here, such as options of ``docker run``."""
    known: list[tuple[str, object, set[str]]] = [
        ("", top, {"build", "run", "release"}),
        ("build.", build, {"docker", "config"}),
        ("release.", top.get("release"), {"command", "image"}),
    ]
    known += [
        (f"build.docker.{kind}.", one, {"dockerfile", "target"}) for kind, one in docker.items()
    ]
    run = _mapping(top.get("run"), "run")
    known += [(f"run.{kind}.", one, {"command", "image"}) for kind, one in run.items()]
    for where, value, keys in known:
        for key in value if isinstance(value, Mapping) else ():
            if key not in keys:
                name = shown(f"{where}{key}")
                yield f"heroku.yml: {name} means nothing here and is ignored."


def _dockerfile(images: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The one Dockerfile, and its stage, of all process types."""
    found = {_image(kind, value) for kind, value in images.items()}
    if len(found) > 1:
        raise _wrong(
            f"build.docker names {len(found)} images ({', '.join(sorted(map(str, images)))}), and "
            "an app has one here",
            "Build one image from one Dockerfile, and start each process type from it: run.",
        )
    return found.pop() if found else (None, None)


def _image(kind: str, value: object) -> tuple[str, str | None]:
    where = f"build.docker.{kind}"
    _checked(where, process_type, str(kind))
    parts = _mapping({"dockerfile": value} if isinstance(value, str) else value, where)
    path = _text(parts.get("dockerfile", DOCKERFILE), f"{where}.dockerfile")
    target = parts.get("target")
    if target is not None:
        target = _checked(where, stage_name, _text(target, f"{where}.target"))
    return _checked(where, dockerfile_path, path), target


def _args(config: Mapping[str, Any]) -> dict[VarName, str]:
    if len(config) > ARGS_MAX:
        raise _wrong(f"build.config has more than {ARGS_MAX} values")
    args: dict[VarName, str] = {}
    for key, value in config.items():
        where = f"build.config.{key}"
        name = _checked(where, var_name, str(key))
        args[name] = _checked(where, partial(var_value, name), _text(value, where))
    return args


def _processes(top: Mapping[str, Any]) -> dict[ProcessType, str]:
    run = _mapping(top.get("run"), "run")
    processes: dict[ProcessType, str] = {}
    for key, value in run.items():
        kind = _checked(f"run.{key}", process_type, str(key))
        if command := _command(value, f"run.{key}"):
            processes[kind] = command
    release = top.get("release")
    if release is not None and (command := _command(release, "release")):
        processes[RELEASE] = command
    return processes


def _command(value: object, where: str) -> str:
    """A command: a text, or a mapping whose ``command`` is one, or a list of them."""
    if isinstance(value, Mapping):
        value, where = value.get("command", ""), f"{where}.command"
    lines = value if isinstance(value, list) else [value]
    text = " && ".join(_text(line, where).strip() for line in lines)
    if "\0" in text or len(text.encode()) > COMMAND_MAX_BYTES:
        raise _wrong(f"{where} is longer than {COMMAND_MAX_BYTES} bytes, or contains a NUL")
    return text


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong(f"{where} must be a mapping of names to values")
    return value


def _text(value: object, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _wrong(f"{where} must be a text")
    return str(value)


def _checked(where: str, check: Callable[[str], T], text: str) -> T:
    try:
        return check(text)
    except PaasError as error:
        raise _wrong(f"{where}: {error.message.rstrip('.')}") from error


def _wrong(what: str, hint: str | None = None) -> PaasError:
    return PaasError(
        "heroku-yml",
        f"heroku.yml: {what}.",
        hint or "For example: build: {docker: {web: Dockerfile}}",
    )
