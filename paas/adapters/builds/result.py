"""What a build returns: the driver's result file, written by the app's uid and so not trusted."""

from pathlib import Path
from typing import Any

from paas.adapters.builds.untrusted import read_plain_file
from paas.domain.builds.buildpacks import StaticFiles, static_files
from paas.domain.manifest.procfile import COMMAND_MAX_BYTES
from paas.domain.values.errors import PaasError
from paas.domain.values.jsontext import JsonTextError, parse_json
from paas.domain.values.names import ProcessType, process_type, var_name, var_value
from paas.domain.values.secret import Secret
from paas.interfaces import Built

RESULT_MAX_BYTES = 65_536
LABEL_MAX_CHARS = 60


def read_result(directory: Path, name: str) -> bytes:
    """The content of the result file. Raises PaasError if it is missing or unreadable."""
    content = read_plain_file(directory, name, RESULT_MAX_BYTES + 1)
    if content is None:
        raise _unreadable("the build left no plain file behind")
    if len(content) > RESULT_MAX_BYTES:
        raise _unreadable(f"it is larger than {RESULT_MAX_BYTES} bytes")
    return content


def parse_result(content: bytes) -> Built:
    """For each buildpack the name that bin/detect printed and the JSON of lib/release.py.

    The YAML that bin/release prints is parsed in the sandbox: nothing here follows an anchor,
    converts digits to numbers or nests deeper than a few levels.

    The process types are those of the last buildpack, as on Heroku; if several propose a config
    var, the last one wins. https://devcenter.heroku.com/articles/buildpack-api#bin-release
    """
    *fields, rest = content.split(b"\0")
    if rest or not fields or len(fields) % 2:
        raise _unreadable("it is cut short")
    labels = [label.decode("utf-8", "replace")[:LABEL_MAX_CHARS] for label in fields[::2]]
    releases = [_release(text) for text in fields[1::2]]
    config: dict[str, Secret] = {}
    for release in releases:
        config.update(_config(_mapping(release, "config_vars")))
    processes = _mapping(releases[-1], "default_process_types")
    return Built(
        buildpack=", ".join(labels),
        processes=dict(_process(kind, command) for kind, command in processes.items()),
        config=config,
        static=_static(_mapping(releases[-1], "static")),
    )


def _release(text: bytes) -> dict[object, Any]:
    try:
        release = parse_json(text.decode()).value
    except (JsonTextError, UnicodeDecodeError) as error:
        raise _unreadable("it is not what the platform's own scripts write") from error
    return release if isinstance(release, dict) else {}


def _mapping(release: dict[object, Any], key: str) -> dict[object, Any]:
    value = release.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _unreadable(f"{key} is not a mapping")
    return value


def _config(values: dict[object, Any]) -> dict[str, Secret]:
    found: dict[str, Secret] = {}
    for name, value in values.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise _unreadable("config_vars must map names to strings")
        try:
            valid = var_name(name)
            found[valid] = Secret(var_value(valid, value))
        except PaasError as error:
            raise _unreadable(f"in config_vars, {error.message}".rstrip(".")) from error
    return found


def _static(value: dict[object, Any]) -> StaticFiles | None:
    if not value:
        return None
    texts = [value.get(key) for key in ("root", "fallback", "error_page")]
    if not isinstance(texts[0], str) or not all(isinstance(text, str | None) for text in texts):
        raise _unreadable("static must name a root and files in it")
    try:
        return static_files(texts[0], texts[1], texts[2])
    except PaasError as error:
        raise _unreadable(f"in static, {error.message}".rstrip(".")) from error


def _process(kind: object, command: object) -> tuple[ProcessType, str]:
    if not isinstance(kind, str) or not isinstance(command, str):
        raise _unreadable("default_process_types must map names to commands")
    command = command.strip()
    if not command or {"\0", "\n", "\r"} & set(command):
        raise _unreadable(f"the command of {kind[:60]!r} is not one line")
    try:
        size_bytes = len(command.encode())
    except UnicodeEncodeError as error:
        why = f"the command of {kind[:60]!r} contains half a surrogate pair"
        raise _unreadable(why) from error
    if size_bytes > COMMAND_MAX_BYTES:
        raise _unreadable(f"the command of {kind[:60]!r} is too long")
    return process_type(kind), command


def _unreadable(why: str) -> PaasError:
    return PaasError("build-result", f"The result of the build cannot be used: {why}.")
