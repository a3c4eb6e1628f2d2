"""The running HAProxy: its master process, the workers, and commands to each.

A worker is a whole HAProxy; after a reload there is a new one, and the former keeps running until
its last connection has ended. Commands: https://docs.haproxy.org/2.6/management.html, 9.3 and 9.4.
"""

import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from paas.domain.values.errors import PaasError

ANSWER_LIMIT_S = 10.0
ANSWER_S = 1.0
RETRY_S = 0.005
# A reload deletes the pid file and writes it again; on a busy machine that takes a while.
PID_LIMIT_S = 3.0
_MAINTENANCE = 1  # srv_admin_state: SRV_ADMF_FMAINT
_RUNNING = 2  # srv_op_state: SRV_ST_RUNNING
_APP = re.compile(r"paas_[0-9]+(_once|_trailers|_tcp)?")
_INSTANCE = re.compile(r"s[0-9][0-9.-]*")


@dataclass(frozen=True, slots=True)
class Workers:
    """Pids of the workers. failed: how many reloads have failed since the last that did not."""

    present: frozenset[int]
    former: frozenset[int]
    failed: int


@dataclass(frozen=True, slots=True)
class Instance:
    """A server of an app's backend, as a worker has it."""

    backend: str
    name: str
    up: bool
    in_maintenance: bool


class Master:
    """The master process, by the socket that it listens on, and its pid file."""

    def __init__(self, path: Path, pid_file: Path) -> None:
        self._path = path
        self._pid_file = pid_file

    def is_up(self) -> bool:
        """Whether the process is there."""
        deadline = time.monotonic() + PID_LIMIT_S
        while self._path.exists() and time.monotonic() < deadline:
            try:
                pid = int(self._pid_file.read_text())
            except (OSError, ValueError):
                time.sleep(RETRY_S)
                continue
            try:
                return Path(f"/proc/{pid}/comm").read_text().strip() == "haproxy"
            except OSError:
                return False
        return False

    def forget(self) -> None:
        """Delete what an ended process left."""
        for path in (self._path, self._pid_file):
            path.unlink(missing_ok=True)

    def call(self, command: str, worker: int | None = None) -> str:
        """The answer to one command, which may be sent twice. worker: the pid that should do it.

        Raises PaasError if HAProxy or the worker is not running.
        """
        whose = command if worker is None else f"@!{worker} {command}"
        deadline = time.monotonic() + ANSWER_LIMIT_S
        while True:
            try:
                answer = self._call(whose, ANSWER_S)
            except OSError as error:
                # For some milliseconds of a reload nothing listens; if a worker ends in the middle
                # of a command there is no answer.
                if not self.is_up() or time.monotonic() >= deadline:
                    raise _down() from error
                if worker is not None and not _lives(worker):
                    raise _gone(worker) from error
                time.sleep(RETRY_S)
            else:
                if answer.startswith("Can't find the target PID"):
                    raise _gone(worker)
                return answer

    def reload(self, limit_s: float) -> str:
        """Begin a reload; returns what HAProxy says about it; since 2.7 when it is done.

        Raises PaasError if HAProxy is not running.
        """
        deadline = time.monotonic() + limit_s
        while True:
            try:
                return self._call("reload", limit_s)
            except (ConnectionRefusedError, FileNotFoundError) as error:  # in the middle of another
                if not self.is_up() or time.monotonic() >= deadline:
                    raise _down() from error
                time.sleep(RETRY_S)
            except OSError:
                return ""

    def _call(self, command: str, limit_s: float) -> str:
        parts = []
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(limit_s)
            connection.connect(str(self._path))
            connection.sendall(f"{command}\n".encode())
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                parts.append(part)
        return b"".join(parts).decode(errors="replace")

    def workers(self) -> Workers:
        """The workers that accept connections and those that are finishing theirs."""
        present: set[int] = set()
        former: set[int] = set()
        failed = 0
        pids = present
        for line in self.call("show proc").splitlines():
            if line.startswith("# old workers"):
                pids = former
            if (found := re.match(r"([0-9]+)\s+worker\s", line)) is not None:
                pids.add(int(found[1]))
            if (found := re.search(r"\smaster\s.*\[failed: ([0-9]+)\]", line)) is not None:
                failed = int(found[1])
        return Workers(frozenset(present), frozenset(former), failed)

    def worker(self, pid: int) -> "Worker":
        """One of them."""
        return Worker(self, pid)


class WorkerGoneError(PaasError):
    """A worker has ended."""


class Worker:
    """One worker. Each method raises PaasError if it is gone."""

    def __init__(self, master: Master, pid: int) -> None:
        self._master = master
        self._pid = pid

    def call(self, command: str) -> str:
        """The answer to one command."""
        return self._master.call(command, self._pid)

    def is_stopping(self) -> bool:
        """Whether it has closed its listening sockets."""
        return re.search(r"^Stopping: 1", self.call("show info"), re.MULTILINE) is not None

    def instances(self) -> list[Instance]:
        """The instances of all apps; other servers, such as the nginx behind it, are left out."""
        rows = (line.split() for line in self.call("show servers state").splitlines())
        return [
            Instance(row[1], row[3], row[5] == str(_RUNNING), bool(int(row[6]) & _MAINTENANCE))
            for row in rows
            if len(row) > 6 and _APP.fullmatch(row[1]) and _INSTANCE.fullmatch(row[3])
        ]

    def add(self, backend: str, line: str) -> None:
        """Send requests to an instance. line: as after ``server`` in a file.

        Raises PaasError with HAProxy's message if it cannot be added.
        """
        name = line.split()[0]
        answer = self.call(f"add server {backend}/{line}")
        if "registered" not in answer and "already" not in answer.lower():
            raise PaasError("proxy-runtime", f"HAProxy did not add an instance: {answer.strip()}")
        # A new one is in maintenance, and so is a removed one that is not deleted yet.
        self._must_be_silent(f"enable health {backend}/{name}")
        self._must_be_silent(f"set server {backend}/{name} state ready")

    def send_away(self, backend: str, name: str) -> None:
        """Send an instance no more requests; those that it has are finished."""
        self._must_be_silent(f"set server {backend}/{name} state maint")

    def delete(self, backend: str, name: str) -> bool:
        """Delete an instance that was removed; False while it still has requests."""
        answer = self.call(f"del server {backend}/{name}")
        return "deleted" in answer or "No such server" in answer

    def busy(self) -> tuple[set[tuple[str, str]], int]:
        """The instances that have connections, by backend and name; the total of all servers."""
        head, *lines = self.call("show servers conn").lstrip("# ").splitlines() or [""]
        names = head.split()
        instances, connections = set(), 0
        for row in (dict(zip(names, line.split(), strict=False)) for line in lines):
            if (used := int(row.get("used_cur", 0))) == 0:
                continue
            connections += used
            backend, _, name = row["bkname/svname"].partition("/")
            if _APP.fullmatch(backend) and _INSTANCE.fullmatch(name):
                instances.add((backend, name))
        return instances, connections

    def clients(self) -> int:
        """How many connections of clients it has."""
        return sum(int(row["scur"]) for row in self._statistics("-1 1 -1"))

    def _statistics(self, what: str) -> Iterator[dict[str, str]]:
        head, *lines = self.call(f"show stat {what}").lstrip("# ").splitlines() or [""]
        names = head.split(",")
        for line in lines:
            if line.strip():
                yield dict(zip(names, line.split(","), strict=False))

    def _must_be_silent(self, command: str) -> None:
        answer = self.call(command).strip()
        if answer:
            raise PaasError("proxy-runtime", f"HAProxy's answer to {command} was: {answer}")


def _lives(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def _down() -> PaasError:
    return PaasError(
        "proxy-down",
        "HAProxy is not running, so nothing can be routed.",
        "See what is running with: paas server:status",
    )


def _gone(pid: int | None) -> WorkerGoneError:
    return WorkerGoneError("proxy-worker-gone", f"HAProxy's worker {pid} has just ended.")
