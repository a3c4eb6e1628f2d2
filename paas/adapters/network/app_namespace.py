"""One app's network namespace (network_namespaces(7)), pinned by a file.

Inside it has a loopback of its own and one interface, whose other end is on the host. What the host
sends to the app's address arrives at 127.0.0.1 (`app_namespace_rules`), so an app that listens on
``127.0.0.1:$PORT`` is reached, and sees the gateway as its visitor.

A namespace is pinned when it is complete: if the process that makes it is killed, the namespace
vanishes with it, and so do its interfaces and routes.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.system import files
from paas.adapters.system.subprocesses import run
from paas.domain.routing.app_networks import AppAddresses, AppNetwork
from paas.domain.values.errors import PaasError

_LIMIT_S = 10.0
_IP = "/usr/sbin/ip"
_ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}

# In the namespace.
_INSIDE = """\
ip -batch - <<'EOF'
link set lo up
addr add {address}/32 dev eth0
link set eth0 up
route add {gateway}/32 dev eth0
route add default via {gateway} dev eth0
EOF
"""

_WITHOUT_IPV6 = """\
if [ -e /proc/sys/net/ipv6 ]; then echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6; fi
"""

# On the host.
_OUTSIDE = """\
link add {link} mtu {mtu} type veth peer name eth0 mtu {mtu} netns {pid}
addr add {gateway}/32 dev {link}
link set {link} up
route add {address}/32 dev {link} src {gateway}
"""


@dataclass(frozen=True, slots=True)
class AppNamespace:
    """path: the file that pins it. link: the host's end of its network, an interface."""

    path: Path
    link: str

    def is_whole(self) -> bool:
        """Whether it is pinned and connected to the host."""
        return _is_pinned(self.path) and self._has_link()

    def make(self, addresses: AppAddresses, network: AppNetwork, script: str) -> None:
        """Make it, replacing what is left of a former one. Raises PaasError if that fails.

        script: what runs in it at last, see `app_namespace_rules`.
        """
        self.remove()
        words = {"address": addresses.of(network), "gateway": addresses.gateway}
        with _Inside() as inside:
            outside = _OUTSIDE.format(link=self.link, pid=inside.pid, mtu=_mtu(), **words)
            _run(_IP, "-batch", "-", stdin=outside)
            conf = self._conf()
            (conf / "rp_filter").write_text("1")  # no forged source addresses
            (conf / "forwarding").write_text("1")
            _disable_ipv6(Path("/proc/sys/net/ipv6/conf", self.link))
            inside.run(_INSIDE.format(**words) + script)
            self.path.touch(mode=0o600)
            _run("/usr/bin/mount", "--bind", f"/proc/{inside.pid}/ns/net", str(self.path))

    def run(self, script: str) -> None:
        """Run a script in it. Raises PaasError with what it printed if it fails."""
        _run("/usr/bin/nsenter", f"--net={self.path}", "/bin/sh", "-e", stdin=script)

    def lead_to_loopback(self) -> None:
        """Let the host's rules lead what comes from it to the host's loopback."""
        (self._conf() / "route_localnet").write_text("1")

    def remove(self) -> None:
        """Close it; no error if there is none. Processes still running in it are cut off."""
        if self._has_link():
            try:
                _run(_IP, "link", "delete", self.link)
            except PaasError:
                # It also vanishes with a namespace that nothing runs in, but at some later time.
                if self._has_link():
                    raise
        if _is_pinned(self.path):
            _run("/usr/bin/umount", str(self.path))
        files.remove(self.path)

    def _conf(self) -> Path:
        return Path("/proc/sys/net/ipv4/conf", self.link)

    def _has_link(self) -> bool:
        return Path("/sys/class/net", self.link).exists()


class _Inside:
    """A shell in a new network namespace, which lasts until the shell ends, unless pinned."""

    def __enter__(self) -> "_Inside":
        self._shell = subprocess.Popen(
            ["/usr/bin/unshare", "--net", "/bin/sh", "-e"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_ENV,
            text=True,
        )
        self.pid = self._shell.pid
        self.run(_WITHOUT_IPV6)
        return self

    def __exit__(self, *_: object) -> None:
        self._shell.communicate()

    def run(self, script: str) -> None:
        """Run it to its end. Raises PaasError with what it printed if it fails."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        try:
            self._shell.stdin.write(f"{script}\necho done\n")
            self._shell.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended already: its output follows
        said = []
        for line in self._shell.stdout:
            if line == "done\n":
                return
            said.append(line.strip())
        raise _failure(" ".join(said) or "unshare ended without a word")


def _is_pinned(path: Path) -> bool:
    """Whether a namespace is mounted there: a file of the kernel's own file system, nsfs."""
    try:
        return path.stat().st_dev != path.parent.stat().st_dev
    except FileNotFoundError:
        return False


def _disable_ipv6(conf: Path) -> None:
    """Its link-local address would reach the host around all addresses that the rules know."""
    if conf.exists():
        (conf / "disable_ipv6").write_text("1")


def _mtu() -> int:
    """The MTU of the interface that leads to the internet: what apps send must fit there."""
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        name, destination, *_ = line.split()
        if int(destination, 16) == 0:
            return int(Path("/sys/class/net", name, "mtu").read_text())
    return 1500


def _run(*argv: str, stdin: str = "") -> None:
    done = run(
        argv,
        description=f"Running {Path(argv[0]).name}",
        timeout_s=_LIMIT_S,
        env=_ENV,
        stdin=stdin.encode(),
        check=False,
    )
    if not done.ok:
        raise _failure(done.output.decode(errors="replace").strip().replace("\n", " "))


def _failure(reason: str) -> PaasError:
    return PaasError("app-network", f"The app has no network of its own: {reason}.")
