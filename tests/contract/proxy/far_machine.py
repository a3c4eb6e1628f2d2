"""Another machine for an app, as a network namespace that is gone with its only process."""

import ctypes
import itertools
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from paas.domain.routing.endpoints import Endpoint
from tests.contract.proxy.nginx_server import AppServer, application
from tests.ports import free_network

_CLONE_NEWNET = 0x40000000
_ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
_SETPRIV = ("/usr/bin/setpriv", "--pdeathsig", "KILL")
_links = itertools.count(1)


@dataclass(frozen=True, slots=True)
class FarMachine:
    """One of them."""

    address: str
    pid: int

    def application(self) -> AbstractContextManager[AppServer]:
        """An HTTP server there; what it has seen can be asked here.

        A socket stays in the network of the thread that made it.
        """
        with ThreadPoolExecutor(1) as inside:
            server = inside.submit(self._serve).result()
        return application(lambda: server)

    def at(self, *apps: AppServer) -> tuple[Endpoint, ...]:
        """As a site has them."""
        return tuple(Endpoint(self.address, app.server_port) for app in apps)

    def die(self) -> None:
        """As when the power fails: it neither answers nor refuses anything."""
        self._ask("nft", "add table ip dead")
        for hook in ("input", "output"):
            drop = f"{{ type filter hook {hook} priority 0; policy drop; }}"
            self._ask("nft", f"add chain ip dead {hook} {drop}")

    def revive(self) -> None:
        """Let it back; no error if it is alive."""
        self._ask("nft", "add table ip dead; delete table ip dead")

    def _serve(self) -> AppServer:
        with Path(f"/proc/{self.pid}/ns/net").open("rb") as network:
            assert ctypes.CDLL(None, use_errno=True).setns(network.fileno(), _CLONE_NEWNET) == 0
        return AppServer(self.address)

    def _ask(self, *words: str) -> None:
        _run("nsenter", "--target", str(self.pid), "--net", "--", *words)


@contextmanager
def far_machine() -> Iterator[FarMachine]:
    """A machine in a network with this one."""
    network = free_network().partition("/")[0].rpartition(".")[0]
    here, there = f"{network}.1/24", f"{network}.2"
    link = f"pf{os.getpid():d}-{next(_links)}"
    child = subprocess.Popen(
        [*_SETPRIV, "/usr/bin/unshare", "--net", "/bin/sh", "-c", "echo up; exec cat"],
        env=_ENV,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        machine = FarMachine(there, child.pid)
        _run(
            "ip",
            "link",
            "add",
            link,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            str(child.pid),
        )
        _run("ip", "address", "add", here, "dev", link)
        _run("ip", "link", "set", link, "up")
        machine._ask("ip", "address", "add", f"{there}/24", "dev", "eth0")
        machine._ask("ip", "link", "set", "eth0", "up")
        yield machine
    finally:
        child.kill()
        child.wait()
        # Sockets that are still open would keep the network.
        subprocess.run(["ip", "link", "delete", link], capture_output=True, check=False, timeout=60)


def _run(*words: str) -> None:
    subprocess.run(words, env=_ENV, check=True, timeout=60)
