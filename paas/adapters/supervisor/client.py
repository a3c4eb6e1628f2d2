"""A client of supervisord, by XML-RPC over its Unix socket (paas/adapters/supervisor/plugin.py)."""

import http.client
import socket
import xmlrpc.client
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

from paas.domain.values.errors import PaasError

_TIMEOUT_S = 30.0
# Faults of supervisor/xmlrpc.py, which is slow to import.
_ALREADY_STARTED, _NOT_RUNNING = 60, 70


@dataclass(frozen=True, slots=True)
class Process:
    """What supervisord knows of a process.

    state: in supervisord's terms, such as RUNNING. pid: 0 while it does not run. started and
    stopped: seconds since the epoch, 0 for never. exits: how often it has ended. status: the last
    exit status (negative: the signal that killed it). reason: the same in words, with the cause if
    supervisord knows it.
    """

    group: str
    name: str
    state: str
    pid: int
    started: float
    stopped: float
    exits: int
    status: int | None
    reason: str | None = None
    error: str | None = None


class Supervisor:
    """supervisord as seen from outside; every call is a separate connection.

    Each method raises PaasError ``supervisor-down`` where nothing answers.
    """

    def __init__(self, socket_path: Path, timeout_s: float = _TIMEOUT_S) -> None:
        self._socket_path = socket_path
        self._timeout_s = timeout_s

    def add_group(self, conf: Path) -> bool:
        """Add and start the group of this file; False: it already exists."""
        return bool(self._call("paas.add_group_from_file", str(conf)))

    def groups(self) -> set[str]:
        """The names of all groups."""
        return set(self._call("paas.groups"))

    def processes(self, groups: Iterable[str]) -> list[Process]:
        """The processes of these groups, as far as they exist."""
        found: list[dict[str, Any]] = self._call("paas.processes", sorted(groups))
        return [Process(**{"status": None, **info}) for info in found]

    def stop_processes(self, group: str, names: Sequence[str], limit_s: float) -> list[int]:
        """Send TERM to processes of a group (no names: all) and return their pids immediately."""
        return [int(pid) for pid in self._call("paas.stop_processes", group, list(names), limit_s)]

    def remove_processes(self, group: str, names: Sequence[str]) -> bool:
        """Remove stopped processes (no names: all), and the empty group; False: some still run."""
        return bool(self._call("paas.remove_processes", group, list(names)))

    def keep_program(self, name: str, *, wanted: bool) -> None:
        """Start or stop a program of the platform itself; no error if nothing changes."""
        start = ("startProcess", _ALREADY_STARTED)
        method, already = start if wanted else ("stopProcess", _NOT_RUNNING)
        self._call(f"supervisor.{method}", name, not wanted, accept=already)

    def restart_program(self, name: str) -> None:
        """Stop and start a program of the platform itself, such as the gate."""
        self._call("supervisor.stopProcess", name, True)
        self._call("supervisor.startProcess", name, False)

    def renew_programs(self, names: Sequence[str]) -> None:
        """Restart programs of the platform itself, with what supervisord.conf says about them now.

        One that it names no longer is ended. Everything else, including the apps' groups, keeps
        running.
        """
        before = {found.name: found.state for found in self.processes(names)}
        ((added, changed, removed),) = self._call("supervisor.reloadConfig")
        for name in {*names} & {*removed}:
            self._call("supervisor.stopProcessGroup", name, True)
            self._call("supervisor.removeProcessGroup", name)
        for name in names:
            if name in removed or name not in {*before, *added}:
                continue
            if name in changed:
                self._call("supervisor.stopProcessGroup", name, True)
                self._call("supervisor.removeProcessGroup", name)
            if name in [*added, *changed]:
                self._call("supervisor.addProcessGroup", name)
            elif before.get(name) != "STOPPED":
                self.restart_program(name)
            if before.get(name) == "RUNNING":  # even if it does not start with supervisord
                self.keep_program(name, wanted=True)

    def pid(self) -> int:
        """supervisord's own process id."""
        return int(self._call("supervisor.getPID"))

    def shut_down(self) -> None:
        """Begin to stop everything, supervisord included."""
        self._call("supervisor.shutdown")

    def _call(self, method: str, *params: Any, accept: int | None = None) -> Any:
        request = xmlrpc.client.dumps(params, method).encode()
        connection = _UnixConnection(self._socket_path, self._timeout_s)
        try:
            connection.request("POST", "/RPC2", request, {"Content-Type": "text/xml"})
            response = connection.getresponse()
            answer = response.read()
            if response.status != http.HTTPStatus.OK:
                raise http.client.HTTPException(f"HTTP status {response.status}")
            (result,), _ = xmlrpc.client.loads(answer.decode())
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == accept:
                return None
            raise PaasError(
                "supervisor-refused", f"supervisord refused {method}: {fault.faultString}."
            ) from fault
        except (OSError, http.client.HTTPException, ExpatError, ValueError) as error:
            raise PaasError(
                "supervisor-down",
                f"supervisord does not answer at {self._socket_path}: {error}.",
                "See what runs with: paas server:status",
            ) from error
        finally:
            connection.close()
        return result


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
