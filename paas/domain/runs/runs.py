"""One-off processes that people start, ``paas run bash``: their names, and how they are typed."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from paas.domain.manifest.procfile import Processes, cron_line, is_cron
from paas.domain.releases.artifacts import Image
from paas.domain.values.errors import usage_error
from paas.domain.values.names import shown
from paas.domain.values.secret import Secret

COMMANDS = ("run", "run:detached")
APP_OPTIONS = ("-a", "--app")
_VALUED = (*APP_OPTIONS, "-e", "--env")
_TERM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Run:
    """A one-off process that runs. user: who started it. version: of its release.

    attached: whether someone waits for it. pid: of its first process, or 0 before it has one.
    job: the name of the cron job that it is a run of.
    """

    app_id: int
    number: int
    user: str
    command: str
    version: int
    slug_id: str
    attached: bool
    terminal: bool
    since: datetime
    pid: int = 0
    job: str | None = None

    @property
    def label(self) -> str:
        """As users see it: ``run.1``, or ``cron.cleanup``."""
        return f"run.{self.number}" if self.job is None else f"cron.{self.job}"


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a one-off process ended. status: as a shell has it, 128 and the number of a signal.

    shortage: whose memory ran out, where the kernel killed for it and the status is not 0.
    """

    status: int
    shortage: str = ""

    @property
    def words(self) -> str:
        """``exited with status 137 (out of memory: the limit is 512 MiB)``."""
        why = f" (out of memory: {self.shortage})" if self.shortage else ""
        return f"exited with status {self.status}{why}"


@dataclass(frozen=True, slots=True)
class RunSpec:
    """A one-off process to be started. env: config vars, and what was typed for this one.

    slug_id: empty if the app was not deployed yet. image: as of Slug. terminal: whether it gets a
    terminal, as wide and high as the caller's. job: as of Run.
    """

    user: str
    command: str
    version: int
    slug_id: str
    env: Mapping[str, Secret]
    terminal: bool = False
    job: str | None = None
    image: Image | None = None


def command_text(words: Sequence[str], processes: Processes) -> str:
    """The shell command of the typed words: one word is one as it stands, several are quoted.

    A process type in front stands for its command in the Procfile (``paas run console``).
    """
    if not words or not any(words):
        raise usage_error("run-command", "No command was given.", "For example: paas run bash")
    if any("\0" in word for word in words):
        raise usage_error("run-command", "The command contains a NUL character.")
    if words[0].startswith("-"):
        raise usage_error(
            "run-command",
            f"{shown(words[0])} is not a command; options come before the app's name.",
            "See: paas help run",
        )
    for kind, command in processes.items():
        if kind == words[0]:
            first = cron_line(command)[1] if is_cron(kind) else command
            return " ".join([first, *map(shlex.quote, words[1:])])
    return words[0] if len(words) == 1 else shlex.join(words)


def run_label(name: str) -> str:
    """Validate ``run.1`` or ``cron.cleanup``."""
    if re.fullmatch(r"run\.[1-9][0-9]{0,8}|cron\.[A-Za-z0-9_-]{1,63}", name) is None:
        raise usage_error("run-name", f"{shown(name)} is not of the form run.1.", "paas run:list")
    return name


def terminal_name(text: str | None) -> str:
    """The value of TERM for a process with a terminal; nothing strange gets through."""
    return text if text is not None and _TERM.fullmatch(text) else "dumb"


def app_first(words: Sequence[str]) -> list[str]:
    """The words after ``run``, with an app that is named at their very end brought to the front.

    Users of ``heroku run bash -a shop`` type it there. An app that is named before the
    command, or ``--`` before it, leaves all that follows to the command.
    """
    options, command = split_options(words)
    if "--" in options or names_app(options):
        return list(words)
    if len(command) > 2 and command[-2] in APP_OPTIONS and "--" not in command:
        return [*command[-2:], *options, *command[:-2]]
    if len(command) > 1 and command[-1].startswith("--app=") and "--" not in command:
        return [command[-1], *options, *command[:-1]]
    return list(words)


def split_options(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The options of ``run`` itself, with a ``--`` that ends them, and the command."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in _VALUED else 1
        if list(words[at - 1 : at]) == ["--"]:
            break
    return list(words[:at]), list(words[at:])


def names_app(options: Sequence[str]) -> bool:
    """Whether -a or --app is among the options of ``run``."""
    return any(
        word in APP_OPTIONS or word.startswith("--app=") or re.match(r"-a[^-]", word)
        for word in options
    )
