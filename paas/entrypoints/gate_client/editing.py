"""``config:edit``: opens the config vars in the user's editor; the changes are sent back."""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from paas.domain.manifest.envfile import envfile, parse_envfile
from paas.domain.values.errors import PaasError, usage_error
from paas.entrypoints.failure import rendered

COMMAND = "config:edit"
_NO_RESTART = "--no-restart"
_HEAD = "# One config var a line: NAME=value. What you change is one release; empty values stay.\n"
# Runs another command: its words and what it reads; returns its status and what it printed.
Run = Callable[[list[str], str | None], tuple[int, str]]


def is_wanted(words: Sequence[str]) -> bool:
    """Whether this is a config:edit, not a request for its help."""
    return COMMAND in words and "--help" not in words and "help" not in words


def run_command(argv: list[str], stdin: str | None) -> tuple[int, str]:
    """Run a program; returns its status and output. Without stdin it inherits this program's."""
    done = subprocess.run(
        argv,
        input=None if stdin is None else stdin.encode("utf-8", "surrogateescape"),
        stdout=subprocess.PIPE,
        check=False,
    )
    return done.returncode, done.stdout.decode("utf-8", "surrogateescape")


def edit(words: list[str], run: Run) -> int:
    """Fetch, edit, and send what has changed, if anything. words: as typed."""
    plain = [word for word in words if word != _NO_RESTART]
    status, before = run([_other(word, "config:export") for word in plain], None)
    if status != 0:
        return status
    with _private_file(_HEAD + before) as path:
        while True:
            _open_editor(path)
            try:
                status = _send(words, run, before, _read(path))
            except PaasError as error:
                sys.stderr.write(rendered(error))
                status = error.exit_code
            if status == 0 or not _wants_again():
                return status


def _send(words: list[str], run: Run, before: str, after: str) -> int:
    old, new = parse_envfile(before), parse_envfile(after)
    changed: dict[str, str] = {name: value for name, value in new.items() if old.get(name) != value}
    unset = [word for name in sorted(set(old) - set(new)) for word in ("--unset", name)]
    if not changed and not unset:
        sys.stderr.write("       Nothing to change.\n")
        return 0
    sent = [_other(word, "config:import") for word in words]
    return run([*sent, *unset], envfile(changed))[0]


def _other(word: str, command: str) -> str:
    return command if word == COMMAND else word


@contextlib.contextmanager
def _private_file(text: str) -> Iterator[Path]:
    """A private file that is always deleted at the end, with its directory."""
    for number in (signal.SIGHUP, signal.SIGTERM):  # the terminal was closed
        signal.signal(number, _leave)
    with tempfile.TemporaryDirectory(prefix="paas-config-") as folder:
        path = Path(folder) / "config.env"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
        yield path


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise usage_error("config-edit", f"The edited file is gone: {error.strerror}.") from error


def _open_editor(path: Path) -> None:
    """Raises PaasError if it cannot be run, or says that it failed (as vi does with :cq)."""
    text = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        done = subprocess.run([*shlex.split(text), str(path)], check=False)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise usage_error(
            "config-edit", f"The editor {text!r} cannot be run: {why}.", "export EDITOR=nano"
        ) from error
    if done.returncode != 0:
        raise PaasError("editor-failed", f"{text} ended with {done.returncode}; nothing was sent.")


def _wants_again() -> bool:
    """Whether the user wants to return to the editor, so that nothing typed is lost."""
    if not sys.stdin.isatty():
        return False
    try:
        return input("       Edit again? [Y/n] ").strip().lower() in {"", "y", "yes"}
    except (EOFError, KeyboardInterrupt):
        return False
