"""Machines for a cluster: namespaces on one bridge, each with an engine and sshd of its own.

A machine is one process tree in namespaces of its own (network, mounts, pids, hostname): its first
process is ended by pid, and everything of it with that, should the test be killed too. It sees this
machine's files, with a `/run` of its own and what it writes to `/etc` in memory. The server is this
machine itself, at the bridge's first address.
"""

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from paas.domain.cluster.nodes import Login
from tests.ports import free_network
from tests.waiting import wait_for

_SETPRIV = ("/usr/bin/setpriv", "--pdeathsig", "KILL")
_UNSHARE = ("/usr/bin/unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child=KILL")
_links = itertools.count(1)
_ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
# Reads a line when its network is there. Docker starts again when it is ended, as it is by its init
# script. $1: its name, $2: where its sshd finds its host key and whom it lets in.
_INIT = """\
set -eu
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd /run/etc/new /run/etc/work /run/lib
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc/new,workdir=/run/etc/work /etc
hostname "$1"
rm -rf /etc/docker /etc/paas-node
mkdir /etc/docker
cat >/etc/init.d/docker <<'END'
#!/bin/sh
own=$(cat /run/docker.pid) && kill "$own" && tail --pid="$own" -f /dev/null
END
chmod 755 /etc/init.d/docker
ip link set lo up
echo up
read -r _
/usr/sbin/sshd -f /dev/null -E "$2/sshd.log" -h "$2/host_key" \
    -o AuthorizedKeysFile="$2/authorized_keys" -o StrictModes=no \
    -o UsePAM=no -o PidFile=none -o PermitRootLogin=yes
while dockerd --data-root /run/lib/docker >>"$2/dockerd.log" 2>&1 </dev/null; do :; done
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """One of them. folder: its logs, its host key, and whom it lets in."""

    name: str
    address: IPv4Address
    folder: Path
    process: subprocess.Popen[bytes]
    pid: int

    @property
    def login(self) -> Login:
        return Login(str(self.address))

    def let_in(self, public_key: str) -> None:
        """By ssh, as root."""
        (self.folder / "authorized_keys").write_text(f"{public_key}\n")

    def ask(self, *words: str, check: bool = True) -> str:
        """What a command says that runs there."""
        inside = ("nsenter", "--target", str(self.pid), "--net", "--mount", "--uts", "--pid", "--")
        done = subprocess.run(
            [*inside, *words], env=_ENV, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout.strip()

    def kill(self) -> None:
        """As when the power fails."""
        self.process.kill()
        self.process.wait()

    def freeze(self, *, frozen: bool) -> None:
        """Cut it off the network, or let it back."""
        self.ask("ip", "link", "set", "eth0", "down" if frozen else "up")


@dataclass(frozen=True, slots=True)
class Machines:
    """All, and the address of this machine, the server, on their bridge."""

    server: IPv4Address
    nodes: Sequence[Machine]


@contextmanager
def machines(count: int) -> Iterator[Machines]:
    """So many machines with Docker, of which nothing is left afterwards.

    Those of one test at a time: each has this machine as its server, whose rules drop what comes
    from machines that are not its own.
    """
    with _alone():
        yield from _machines(count)


@contextmanager
def _alone() -> Iterator[None]:
    """Wait for those of other processes; the name is free again with the end of its process."""
    with socket.socket(socket.AF_UNIX) as lock:

        def has_it() -> bool:
            with suppress(OSError):
                lock.bind("\0paas-test-cluster")
                return True
            return False

        wait_for(has_it, limit_s=3_600, what="other clusters on this machine have ended")
        yield


def _machines(count: int) -> Iterator[Machines]:
    network = free_network().partition("/")[0].rpartition(".")[0]
    bridge = f"p{os.getpid():d}"
    server = IPv4Address(f"{network}.1")
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="paas-nodes-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        _ip("link", "add", bridge, "type", "bridge")
        stack.callback(_ip, "link", "delete", bridge)
        _ip("address", "add", f"{server}/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        made = []
        for number in range(2, 2 + count):
            machine = _start(folder / str(number), number, IPv4Address(f"{network}.{number}"))
            stack.callback(machine.kill)
            link = _connect(machine, bridge, server)
            stack.callback(_disconnect, link)
            made.append(machine)
        for machine in made:
            _wait_for_docker(machine)
        yield Machines(server, made)


def _start(folder: Path, number: int, address: IPv4Address) -> Machine:
    name = f"web-{number}"
    folder.mkdir()
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host_key")]
    subprocess.run(argv, check=True)
    child = subprocess.Popen(
        [*_SETPRIV, *_UNSHARE, "/bin/sh", "-c", _INIT, "init", name, str(folder)],
        env=_ENV,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(folder / "init.log").open("wb"),
        start_new_session=True,
    )
    assert child.stdout is not None
    said = child.stdout.readline()
    if said != b"up\n":
        child.send_signal(signal.SIGKILL)
        child.wait()
        raise AssertionError((folder / "init.log").read_text())
    (first,) = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    return Machine(name, address, folder, child, int(first))


def _connect(machine: Machine, bridge: str, server: IPv4Address) -> str:
    """Give it an interface on the bridge, and let it go on; returns the other end's name."""
    link = f"{bridge[:9]}-{next(_links)}"
    _ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(machine.pid))
    _ip("link", "set", link, "master", bridge, "up")
    machine.ask("ip", "address", "add", f"{machine.address}/24", "dev", "eth0")
    machine.ask("ip", "link", "set", "eth0", "up")
    machine.ask("ip", "route", "add", "default", "via", str(server))
    assert machine.process.stdin is not None
    machine.process.stdin.write(b"go\n")
    machine.process.stdin.flush()
    return link


def _disconnect(link: str) -> None:
    """Sockets that were open keep a machine's network for minutes after its end."""
    subprocess.run(["ip", "link", "delete", link], capture_output=True, check=False, timeout=60)


def _wait_for_docker(machine: Machine) -> None:
    def answers() -> bool:
        assert machine.process.poll() is None, (machine.folder / "dockerd.log").read_text()[-2_000:]
        return bool(machine.ask("docker", "version", "-f", "{{.Server.Version}}", check=False))

    wait_for(answers, what=f"Docker on {machine.name}")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=60)
