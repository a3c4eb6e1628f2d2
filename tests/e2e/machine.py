"""A bare Debian 12 with systemd as PID 1: a container of a base image made by debootstrap."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from paas.entrypoints.installer.machine import EXACT, PREFIXES, PROXIES
from paas.entrypoints.installer.versions import CODE, FILES
from tests.e2e.server import CHECKOUT, Finished, run
from tests.waiting import wait_for

CACHE = Path("/var/cache/paas-tests")
SUITE = "bookworm"
# What Debian's own installer leaves on a server without a task, as far as paas could notice.
INCLUDE = "systemd,systemd-sysv,dbus,ca-certificates,git,procps,iproute2,curl,kmod"
IMAGE = "paas-test-base"
START_LIMIT_S = 60.0


def base_archive() -> Path:
    """The root file system as a tar archive; made when missing (40 s) and kept."""
    archive = CACHE / f"{SUITE}-3.tar"
    if archive.exists():
        return archive
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        root = Path(name) / "root"
        argv = ["debootstrap", "--variant=minbase", f"--include={INCLUDE}", SUITE, str(root)]
        run(argv, timeout_s=600)
        shutil.rmtree(root / "var/cache/apt", ignore_errors=True)
        made = Path(name) / "made.tar"
        run(["tar", "-C", str(root), "-cf", str(made), "."], timeout_s=120)
        made.replace(archive)
    return archive


class Docker:
    """A Docker engine: the one that DOCKER_HOST names or the machine has, else one of our own."""

    def __init__(self, host: str | None) -> None:
        self.argv = ["docker", *(["-H", host] if host else [])]

    def run(self, *words: str, check: bool = True, timeout_s: float = 120) -> Finished:
        """The docker command."""
        return run([*self.argv, *words], check=check, timeout_s=timeout_s)


@contextlib.contextmanager
def docker_engine() -> Iterator[Docker]:
    """An engine that answers; what was started here is stopped at the end."""
    given = Docker(os.environ.get("DOCKER_HOST"))
    if given.run("info", check=False).returncode == 0:
        yield given
        return
    home = Path(tempfile.mkdtemp(prefix="paas-docker-", dir="/var/tmp"))
    host = f"unix://{home}/docker.sock"
    argv = ["dockerd", "--data-root", f"{home}/data", "--exec-root", f"{home}/exec"]
    argv += ["--pidfile", f"{home}/pid", "-H", host, f"--mtu={_mtu()}"]
    with (home / "log").open("w") as log:
        engine = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        own = Docker(host)
        wait_for(lambda: own.run("info", check=False).returncode == 0, what="dockerd")
        yield own
    finally:
        engine.terminate()
        engine.wait(60)
        for mount in sorted(_mounts_below(home), reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=False)
        shutil.rmtree(home, ignore_errors=True)


def _mtu() -> int:
    """What fits through the interface of the default route; docker would take 1500."""
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        interface, destination = line.split()[:2]
        if destination == "00000000":
            return int(Path(f"/sys/class/net/{interface}/mtu").read_text())
    return 1500


def _mounts_below(path: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [line.split()[4] for line in lines]
    return [point for point in points if point.startswith(f"{path}/")]


class Machine:
    """A running container that behaves like a fresh server."""

    def __init__(self, docker: Docker, name: str) -> None:
        self._docker = docker
        self.name = name

    def run(self, *words: str, check: bool = True, timeout_s: float = 300) -> Finished:
        """Run a command as root; stdout and stderr apart."""
        environment = [f"--env={name}={value}" for name, value in machine_environment().items()]
        return self._docker.run(
            "exec", *environment, self.name, *words, check=check, timeout_s=timeout_s
        )

    def popen(self, *words: str) -> subprocess.Popen[str]:
        """Run a command in the background; its output in ``stdout``."""
        argv = [*self._docker.argv, "exec", self.name, *words]
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def machine_environment() -> dict[str, str]:
    """Proxy, certificate and index settings of this machine, as an administrator would set them.

    Paths are left out but for the certificates: the container has no others.
    """
    found = {}
    for name, value in os.environ.items():
        upper = name.upper()
        wanted = name in EXACT or upper in PROXIES or upper.startswith(PREFIXES)
        if wanted and ("/etc/ssl/certs" in value or not _names_a_path(value)):
            found[name] = value
    return found


def _names_a_path(value: str) -> bool:
    return any(word.startswith(("/", "file:")) for word in value.split())


@contextlib.contextmanager
def bare_machine(docker: Docker, *, systemd: bool = True) -> Iterator[Machine]:
    """A fresh Debian; without systemd, a shell that only waits for its children is PID 1."""
    name = f"paas-test-{os.getpid()}-{'systemd' if systemd else 'plain'}"
    init = ["/sbin/init"] if systemd else ["/bin/bash", "-c", "while :; do sleep 1; done"]
    with contextlib.ExitStack() as stack:
        if docker.run("image", "inspect", IMAGE, check=False).returncode:
            docker.run("import", str(base_archive()), IMAGE, timeout_s=300)
        capabilities = ["SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH"]
        docker.run(
            *("run", "--detach", "--name", name, "--hostname", "fresh"),
            *(f"--cap-add={capability}" for capability in capabilities),
            *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
            # /proc/sys can be written, as on a machine of its own.
            *(("--security-opt", "systempaths=unconfined") if systemd else ()),
            *("--cgroupns=host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw"),
            *("--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec"),
            *(IMAGE, *init),
        )
        stack.callback(lambda: docker.run("rm", "--force", "--volumes", name, check=False))
        machine = Machine(docker, name)
        if systemd:
            _wait_until_booted(machine)
        bundle = "/etc/ssl/certs/ca-certificates.crt"
        docker.run("cp", bundle, f"{name}:{bundle}")
        _copy_checkout(docker, name)
        yield machine


def _wait_until_booted(machine: Machine) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while True:
        state = machine.run("systemctl", "is-system-running", check=False).stdout.strip()
        if state in {"running", "degraded"}:
            return
        assert time.monotonic() < deadline, f"systemd is {state or 'not there'}"
        time.sleep(0.2)


def _copy_checkout(docker: Docker, name: str) -> None:
    """What an installation needs of the checkout, into /root/paas."""
    docker.run("exec", name, "mkdir", "/root/paas")
    pack = ["tar", "-C", str(CHECKOUT), "--exclude=__pycache__", "-cf-", "install.sh"]
    unpack = [*docker.argv, "exec", "-i", name, "tar", "-C", "/root/paas", "-xf-"]
    there = [part for part in (*CODE, *FILES) if (CHECKOUT / part).exists()]
    with subprocess.Popen([*pack, *there], stdout=subprocess.PIPE) as packing:
        subprocess.run(unpack, stdin=packing.stdout, check=True)
