"""The running nginx: its master and worker processes, seen through /proc, and its messages.

Signals and process titles: https://nginx.org/en/docs/control.html and nginx's
src/os/unix/ngx_process_cycle.c.
"""

import os
import re
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from paas.adapters.system.subprocesses import run
from paas.domain.values.errors import PaasError

NGINX = "/usr/sbin/nginx"
SERVING = "nginx: worker process"
SHUTTING_DOWN = "nginx: worker process is shutting down"
TEST_LIMIT_S = 60.0
POLL_S = 0.002
# Of what a reload has taken so far, which is seconds where there are many sites on a busy machine.
POLL_SHARE = 0.05
# Runs a command that sees the first argument's files at the place of the second.
_SHOWN = (
    *("/usr/bin/unshare", "--mount", "/bin/sh", "-c"),
    'mount --bind "$0" "$1" && shift && exec "$@"',
)
_NGINX_SAYS = re.compile(r"^nginx: ", re.MULTILINE)
# What it says after five attempts to listen.
_ERROR_LOG = re.compile(r'^\s*error_log\s+"?([^\s";]+)', re.MULTILINE)
BIND_FAILED = "still could not bind()"


class NginxProcess:
    """The nginx whose main file is conf and whose master's pid is in pid_file."""

    def __init__(self, conf: Path, pid_file: Path, reload_limit_s: float) -> None:
        self._conf = conf
        self._pid_file = pid_file
        self._reload_limit_s = reload_limit_s

    def test(self) -> str:
        """Have nginx read its files; returns its warnings.

        Raises PaasError with nginx's own message if it refuses them.
        """
        ok, words = self._test()
        if not ok:
            raise PaasError(
                "proxy-refused",
                f"Nginx refuses its files: {_errors(words)}",
                f"For details: sudo nginx -t -c {self._conf}",
            )
        return words

    def test_with(self, directory: Path, place: Path) -> str:
        """The same with the files of one directory in place of those of another.

        They are shown there to that nginx alone, so that it reads all others as the master does,
        and names these as if they were in place. If the kernel refuses that, all are tested as they
        are.
        """
        ok, words = self._test(*_SHOWN, directory, place)
        if not ok and _NGINX_SAYS.search(words):
            raise PaasError("proxy-refused", f"Nginx refuses its files: {_errors(words)}")
        return words if ok else self.test()

    def _test(self, *inside: str | Path) -> tuple[bool, str]:
        """Whether nginx accepts its files, and what it says. inside: a command that runs it."""
        done = run(
            [*inside, NGINX, "-t", "-q", "-c", self._conf],
            description="Testing nginx's files",
            timeout_s=TEST_LIMIT_S,
            env={},
            check=False,
        )
        return done.ok, done.output.decode(errors="replace")

    def master(self) -> int | None:
        """The pid of the master process, or None if nginx is not running."""
        try:
            pid = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):  # nginx -t leaves an empty file if there is none
            return None
        return pid if process_title(pid).startswith("nginx: master process") else None

    def running(self) -> int:
        """The pid of the master process. Raises PaasError if nginx is not running."""
        master = self.master()
        if master is None:
            raise PaasError(
                "proxy-down",
                "Nginx is not running, so nothing can be routed.",
                "See what is running with: paas server:status",
            )
        return master

    def reload(self) -> str:
        """Have nginx reload its files; returns when no worker with the former ones still accepts.

        Returns what the master logged meanwhile: its warnings, if its log has these.

        Raises PaasError if that does not happen in time: then the former workers may still serve (a
        port that is taken only shows now, for example).
        """
        master = self.running()
        before = _serving(_workers(master))
        errors = _NewErrors(self._conf)
        _signal(master, signal.SIGHUP)
        began = time.monotonic()
        while (waited_s := time.monotonic() - began) < self._reload_limit_s:
            workers = _workers(master)
            former = _serving(workers) & before
            new = {pid for pid, title in workers.items() if title == SERVING} - before
            if new and not former:
                return _of_master(master, errors.since())
            if len(_serving(workers) - before) >= len(before):
                # All have started: none will start with the former files.
                _shut_down(former)
            if process_title(master) == "" or _has_refused(master, errors.since()):
                break
            time.sleep(max(POLL_S, waited_s * POLL_SHARE))
        why = "; ".join(dict.fromkeys(re.findall(r"\[emerg\] [0-9#]+: (.*)", errors.since())))
        raise PaasError(
            "proxy-reload",
            "Nginx did not load its new files: its former workers are still serving."
            + (f" It says: {why}" if why else ""),
            "Its error log says why: /var/log/nginx/error.log, or logs/nginx-error.log of an "
            "embedded server.",
        )

    def reopen_logs(self) -> None:
        """Have nginx reopen its log files after they were renamed; does nothing if it is down."""
        master = self.master()
        if master is not None:
            _signal(master, signal.SIGUSR1)

    def worker_uids(self) -> set[int]:
        """The accounts that its workers run as; none where it is down."""
        master = self.master()
        found = set()
        for pid in _workers(master) if master is not None else ():
            with suppress(FileNotFoundError, ProcessLookupError):
                found.add(Path(f"/proc/{pid}").stat().st_uid)
        return found

    def workers_shutting_down(self) -> int:
        """How many workers with former files are still finishing their requests."""
        master = self.master()
        if master is None:
            return 0
        return sum(title == SHUTTING_DOWN for title in _workers(master).values())


class _NewErrors:
    """What is written into nginx's error log from now on."""

    def __init__(self, conf: Path) -> None:
        try:
            named = _ERROR_LOG.search(conf.read_text())
            self._path = Path(named[1]) if named else None
            self._start = self._path.stat().st_size if self._path else 0
        except (OSError, ValueError):  # ValueError: the machine's file is not UTF-8
            self._path = None

    def since(self) -> str:
        try:
            if self._path is None or self._path.stat().st_size <= self._start:
                return ""
            with self._path.open("rb") as file:
                file.seek(self._start)
                return file.read(65_536).decode(errors="replace")
        except OSError:
            return ""


def _of_master(master: int, words: str) -> str:
    """Its lines alone: each worker writes to the same log, and so may other programs."""
    return "\n".join(re.findall(rf"^\S+ \S+ \[[a-z]+\] {master:d}#.*$", words, re.MULTILINE))


def _has_refused(master: int, words: str) -> bool:
    """Whether the master keeps its former files. It tries several times to bind an address."""
    refusal = rf"\[emerg\] {master:d}#[0-9]+: (?!bind\(\))"
    return BIND_FAILED in words or re.search(refusal, words) is not None


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError as error:
        raise PaasError("proxy-down", "Nginx has just ended.") from error


def _shut_down(workers: set[int]) -> None:
    """Have these workers exit gracefully, as soon as there are new ones.

    The master would do it 0.1 s after it has started those (ngx_master_process_cycle), and does not
    mind if they have ended by then. Connections wait in the listening sockets meanwhile.
    """
    for pid in workers:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)


def _workers(master: int) -> dict[int, str]:
    """The titles of the master's children (proc(5), CONFIG_PROC_CHILDREN)."""
    try:
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return {int(child): process_title(int(child)) for child in children}


def _serving(workers: Mapping[int, str]) -> set[int]:
    """The workers that accept, or will: one that was just forked still has the master's title."""
    gone = {SHUTTING_DOWN, ""}
    return {pid for pid, title in workers.items() if title not in gone and "cache" not in title}


def process_title(pid: int) -> str:
    """A process's title; empty if it is gone or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _errors(words: str) -> str:
    """Nginx's error messages, without warnings and the closing line."""
    level = r"^(?:nginx:|\S+ \S+) \[(?:emerg|alert|crit|error)\] (?:[0-9#]+: )?(.*)$"
    lines = re.findall(level, words, re.MULTILINE)
    return "; ".join(lines) or words.strip() or "it gave no reason"
