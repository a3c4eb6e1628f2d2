"""The machine under the platform, checked and repaired; implements `Machine`."""

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from paas.adapters.audit import drain_progress
from paas.adapters.cluster.registry_program import REGISTRY
from paas.adapters.cluster.registry_record import has_registry
from paas.adapters.cluster.registry_state import mend_registry, registry_findings
from paas.adapters.docker.bridge_repair import repair_bridges
from paas.adapters.docker.engine_state import BRIDGES, engine_findings
from paas.adapters.docker.patience import wait_until_listening
from paas.adapters.docker.programs import CONTAINERD, DOCKERD
from paas.adapters.network.app_networks import AppNetworks
from paas.adapters.proxy.haproxy.proxy import HaproxyProxy
from paas.adapters.proxy.nginx.process import NginxProcess
from paas.adapters.server import daemons
from paas.adapters.server.daemon_programs import environment, owns_network_daemons
from paas.adapters.server.disk_space import disk_findings
from paas.adapters.server.expected_paths import directories, sockets_and_files
from paas.adapters.server.listening import other_holder, unreachable_addresses
from paas.adapters.server.programs import program_findings
from paas.adapters.server.wall_findings import (
    cgroup_findings,
    firewall_findings,
    network_findings,
)
from paas.adapters.supervisor.client import Supervisor
from paas.adapters.system.files import make_directory
from paas.adapters.system.subprocesses import run
from paas.domain.server.findings import ENGINE, Finding, mendable
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress
from paas.settings import Settings

SYSTEMCTL_LIMIT_S = 60.0
START_LIMIT_S = 15.0
SETTLE_LIMIT_S = 5.0
_UNITS = {"sshd": "ssh", "nginx": "nginx"}


class ServerMachine:
    """`Machine` of one server; must run as root."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def is_up(self) -> bool:
        """Whether supervisord answers."""
        if daemons.supervisord_pid(self._settings) is None:
            return False
        try:
            Supervisor(self._settings.paths.supervisor_socket).groups()
        except PaasError:
            return False
        return True

    def warnings(self) -> list[Finding]:
        """See `Machine`."""
        return [
            *self._daemons(),
            *self._listening(),
            *disk_findings(self._settings),
            *self._docker(),
            *self._registry(),
        ]

    def findings(self) -> list[Finding]:
        """See `Machine`."""
        return [
            *program_findings(self._settings),
            *self._wrong_paths(),
            *self.warnings(),
            *self._proxy(),
            *firewall_findings(self._settings),
            *network_findings(self._settings),
            *cgroup_findings(self._settings),
            *drain_progress.findings(self._settings),
        ]

    def mend(self, findings: Sequence[Finding], progress: Progress) -> None:
        """See `Machine`."""
        checks = {finding.check for finding in findings}
        steps = (
            ({"place", "sites"}, self._mend_paths),
            ({"networks"}, AppNetworks(self._settings).prepare),
            ({"firewall", "networks"}, lambda: daemons.apply_firewall(self._settings)),
            ({"daemon", "listening"}, self._mend_daemons),
            ({ENGINE}, self._mend_engine),
            ({REGISTRY}, lambda: mend_registry(self._settings)),
            ({BRIDGES}, lambda: repair_bridges(self._settings)),
        )
        for concerned, step in steps:
            if checks & concerned:
                try:
                    step()
                except (PaasError, OSError) as error:
                    progress.warn(error.report if isinstance(error, PaasError) else str(error))

    def _daemons(self) -> Iterator[Finding]:
        rows = self._settled()
        if not rows:
            down = daemons.supervisord_pid(self._settings) is None
            words = (
                "The server is stopped." if down else "supervisord is running but does not answer."
            )
            yield Finding(check="daemon", message=words, command="paas server:start")
            return
        for row in rows:
            if row.state != "RUNNING":
                log = self._settings.paths.logs / f"{row.name}.log"
                words = f"{row.name} is not running ({row.state}). What it said: {log}"
                yield mendable("daemon", words)
        if not self._gate_answers():
            words = f"The gate takes no connection at {self._settings.paths.gate_socket}."
            yield mendable("daemon", words)

    def _docker(self) -> Iterator[Finding]:
        """What is wrong with the engine though its programs run."""
        if not self._settings.docker:
            return
        running = {row.name for row in daemons.processes(self._settings) if row.state == "RUNNING"}
        if running >= {CONTAINERD, DOCKERD}:
            wait_until_listening(self._settings)  # it may have been started just now
            yield from engine_findings(self._settings)

    def _registry(self) -> Iterator[Finding]:
        """What is wrong with that for nodes, unless its program fails, which is found as such."""
        if has_registry(self._settings) and (rows := daemons.processes(self._settings)):
            states = {row.state for row in rows if row.name == REGISTRY}
            if states <= {"RUNNING"}:
                yield from registry_findings(self._settings)

    def _settled(self) -> list[daemons.Row]:
        """The programs; one that has just been started counts as running a second later."""
        deadline = time.monotonic() + SETTLE_LIMIT_S
        while True:
            rows = daemons.processes(self._settings)
            starting = any(row.state == "STARTING" for row in rows)
            if not starting or time.monotonic() >= deadline:
                return rows
            time.sleep(0.1)

    def _gate_answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(2.0)
            return probe.connect_ex(str(self._settings.paths.gate_socket)) == 0

    def _listening(self) -> Iterator[Finding]:
        rows = {row.name: row for row in daemons.processes(self._settings)}
        for name, port in self._public_ports():
            if (
                name in rows
                and rows[name].state == "RUNNING"
                and (unreachable := unreachable_addresses(port))
            ):
                yield mendable("listening", self._unreachable_words(name, port, unreachable))

    def _public_ports(self) -> Iterator[tuple[str, int]]:
        """Each daemon with its ports in our files; not the machine's sshd."""
        settings = self._settings
        web = "haproxy" if settings.proxy == "haproxy" else "nginx"
        yield web, settings.http_port
        if settings.embedded:
            yield "sshd", settings.ssh_port

    def _unreachable_words(self, name: str, port: int, unreachable: Sequence[str]) -> str:
        where = " and ".join(f"[{a}]:{port}" if ":" in a else f"{a}:{port}" for a in unreachable)
        own = {row.pid for row in daemons.processes(self._settings) if row.pid}
        found = other_holder(port, own)
        return f"{name} does not take connections at {where}" + (f": {found}." if found else ".")

    def _wrong_paths(self) -> Iterator[Finding]:
        settings = self._settings
        sites = {
            expected.path for expected in directories(settings) if expected.path.name == "sites"
        }
        others = sockets_and_files(settings, running=self.is_up())
        for expected in [*directories(settings), *others]:
            wrong = expected.wrong()
            if wrong is not None:
                check = "sites" if expected.path in sites else "place"
                yield mendable(check, f"{expected.path} {wrong}: {expected.why}.")

    def _proxy(self) -> Iterator[Finding]:
        """Whether nginx could start from its files, those of the machine too."""
        settings = self._settings
        nginx = NginxProcess(settings.nginx_conf, settings.nginx_pid, settings.worker_limit_s)
        try:
            nginx.test()
        except PaasError as error:
            yield Finding(check="proxy", message=error.report, command=error.hint or "")

    def _mend_paths(self) -> None:
        daemons.make_directories(self._settings)
        for expected in sockets_and_files(self._settings, running=self.is_up()):
            expected.mend()

    def _mend_daemons(self) -> None:
        """Start what is down, restart what does not listen; sshd's open connections continue."""
        if not self.is_up():
            return
        make_directory(Path("/run/sshd"), mode=0o755)
        for row in daemons.processes(self._settings):
            if row.state != "RUNNING":
                self._start(row.name)
        for name, port in self._public_ports():
            if unreachable_addresses(port):
                self._start(name, again=True)
        if not self._gate_answers():
            self._start("gate", again=True)
        self._await_daemons()

    def _mend_engine(self) -> None:
        """Start both programs again: containers run on meanwhile."""
        supervisor = Supervisor(self._settings.paths.supervisor_socket)
        for name in (CONTAINERD, DOCKERD):
            supervisor.restart_program(name)
        wait_until_listening(self._settings)

    def _await_daemons(self) -> None:
        """What was started counts as running a second later."""
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and any((*self._daemons(), *self._listening())):
            time.sleep(0.1)

    def _start(self, name: str, *, again: bool = False) -> None:
        if name in _UNITS and not owns_network_daemons(self._settings):
            run(
                ["systemctl", "reload-or-restart" if again else "start", _UNITS[name]],
                description=f"Starting {name}",
                timeout_s=SYSTEMCTL_LIMIT_S,
                env=environment(),
            )
            return
        supervisor = Supervisor(self._settings.paths.supervisor_socket)
        if again and name in ("sshd", "gate"):
            supervisor.restart_program(name)
        elif again:
            with suppress(PaasError):
                self._listen_again(name)
        else:
            supervisor.keep_program(name, wanted=True)

    def _listen_again(self, name: str) -> None:
        settings = self._settings
        if name == "haproxy":
            HaproxyProxy(settings).listen_again()
            return
        NginxProcess(settings.nginx_conf, settings.nginx_pid, settings.worker_limit_s).reload()
