"""The Procfile: which command starts each process type."""

import re
from collections.abc import Mapping

from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType, process_type, shown
from paas.domain.values.plain_text import EncodingError, plain_text

PROCFILE_MAX_BYTES = 1024**2
COMMAND_MAX_BYTES = 16_384

# Process types that are commands of the platform and never run as instances.
NOT_INSTANCES = frozenset({"release"})

# Lines of these types are cron jobs (domain/runs/cron.py).
_CRON = re.compile(r"cron(?:[0-9]*|[-_][A-Za-z0-9][A-Za-z0-9_-]*)")

Processes = Mapping[ProcessType, str]


def is_cron(kind: str) -> bool:
    """Whether a line of the Procfile is a cron job: ``cron``, ``cron2``, ``cron-cleanup``."""
    return _CRON.fullmatch(kind) is not None


def cron_line(text: str) -> tuple[str, str]:
    """Schedule and command of a cron job: five fields, or one word such as ``@daily``."""
    words = text.split(None, 1 if text.startswith("@") else 5)
    if len(words) < (2 if text.startswith("@") else 6):
        raise PaasError(
            "cron-schedule",
            "A cron line is a schedule of five fields, then the command.",
            "For example: cron: 0 3 * * * python cleanup.py; or give the type another name.",
        )
    return " ".join(words[:-1]), words[-1]


def instance_types(processes: Processes) -> set[ProcessType]:
    """The process types that run as instances."""
    return {kind for kind in processes if kind not in NOT_INSTANCES and not is_cron(kind)}


def command_position(content: bytes, kind: str) -> str:
    """The position of a process type's command in a parsed Procfile."""
    lines = plain_text(content).replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        name, _, command = line.partition(":")
        if name.strip() == kind:
            column = len(line) - len(command.lstrip()) + 1
            return f"Procfile, line {number}, column {column}"
    return "Procfile"


def parse_procfile(content: bytes) -> dict[ProcessType, str]:
    """Parse a Procfile (Heroku's format: ``type: command`` a line; ``#`` starts a comment line).

    UTF-8 and UTF-16, with a BOM or not, and CRLF line ends are accepted. Commands are kept as they
    are except for the blanks around them. Raises PaasError that names the line.
    """
    try:
        text = plain_text(content)
    except EncodingError as error:
        raise _wrong(0, f"it {error}") from error
    processes: dict[ProcessType, str] = {}
    for number, raw in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if "\0" in line or "\r" in line:
            raise _wrong(number, "it contains a NUL or a lone carriage return")
        name, colon, command = line.partition(":")
        if not colon:
            raise _wrong(number, f"{shown(line)} has no colon: each line is 'type: command'")
        kind = _type(number, name.strip())
        command = command.strip()
        if not command:
            raise _wrong(number, f"the process type {kind!r} has no command")
        if len(command.encode()) > COMMAND_MAX_BYTES:
            raise _wrong(number, f"the command of {kind!r} is longer than {COMMAND_MAX_BYTES}")
        if kind in processes:
            raise _wrong(number, f"the process type {kind!r} is there twice")
        processes[kind] = command
    return processes


def _type(number: int, name: str) -> ProcessType:
    try:
        return process_type(name)
    except PaasError as error:
        raise _wrong(number, error.message) from error


def _wrong(number: int, what: str) -> PaasError:
    where = f"Procfile, line {number}: " if number else "Procfile: "
    return PaasError(
        "procfile", where + re.sub(r"\.$", "", what) + ".", "For example: web: gunicorn app:app"
    )
