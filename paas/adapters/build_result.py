"""What a build hands back: the driver's result file, written by the app's uid, hence distrusted."""

from pathlib import Path

import yaml

from paas.adapters.untrusted import read_plain_file
from paas.domain.errors import PaasError
from paas.domain.interfaces import Built
from paas.domain.names import ProcessType, process_type
from paas.domain.procfile import COMMAND_MAX_BYTES

RESULT_MAX_BYTES = 65_536


def read_result(directory: Path, name: str) -> bytes:
    """The content of the result file. Raises PaasError where there is none that can be read."""
    content = read_plain_file(directory, name, RESULT_MAX_BYTES + 1)
    if content is None:
        raise _unreadable("the build left no plain file behind")
    if len(content) > RESULT_MAX_BYTES:
        raise _unreadable(f"it is larger than {RESULT_MAX_BYTES} bytes")
    return content


def parse_result(content: bytes) -> Built:
    """The buildpack's folder, the name that bin/detect printed, and the YAML of bin/release.

    https://devcenter.heroku.com/articles/buildpack-api#bin-release
    """
    lines = content.split(b"\n", 2)
    if len(lines) < 3:
        raise _unreadable("it is cut short")
    try:
        release = yaml.safe_load(lines[2])
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise _unreadable("bin/release did not print valid YAML") from error
    processes = release.get("default_process_types") if isinstance(release, dict) else None
    if processes is not None and not isinstance(processes, dict):
        raise _unreadable("default_process_types is not a mapping")
    return Built(
        buildpack=lines[1].decode("utf-8", "replace")[:60],
        processes=dict(_process(kind, command) for kind, command in (processes or {}).items()),
    )


def _process(kind: object, command: object) -> tuple[ProcessType, str]:
    if not isinstance(kind, str) or not isinstance(command, str):
        raise _unreadable("default_process_types must map names to commands")
    command = command.strip()
    if not command or {"\0", "\n", "\r"} & set(command):
        raise _unreadable(f"the command of {kind[:60]!r} is not one line")
    if len(command.encode()) > COMMAND_MAX_BYTES:
        raise _unreadable(f"the command of {kind[:60]!r} is too long")
    return process_type(kind), command


def _unreadable(why: str) -> PaasError:
    return PaasError("build-result", f"The result of the build cannot be used: {why}.")
