"""The network namespaces of apps (network_namespaces(7)), each pinned by a file.

An app's processes join theirs when they start. Inside it has a loopback of its own and one
interface, whose other end is on the host. What the host sends to the app's address arrives at
127.0.0.1, so an app that listens on ``127.0.0.1:$PORT`` is reached, and sees the gateway as its
visitor. What leaves the app is masqueraded by the rules of `app_network_rules`.

A namespace is pinned when it is complete: one whose maker was killed is gone with the maker, and so
are its interfaces and routes.
"""

import fcntl
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

from paas.adapters.network import forward_policy
from paas.adapters.system import files
from paas.adapters.system.subprocesses import run
from paas.domain.routing.app_networks import AppAddresses, AppNetwork, network_named
from paas.domain.values.errors import PaasError
from paas.settings import Settings

_LIMIT_S = 10.0
_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
# Whether a port whose last connection has just ended (TIME_WAIT) may be used for another: "2" for
# loopback alone, "1" for all. The proxy's connections to apps need it: an app that closes each
# would use up the 28,000 ports within a minute, at 500 requests a second.
_REUSE = Path("/proc/sys/net/ipv4/tcp_tw_reuse")
# In the directory of the namespaces: why there are none; that the machine routes because of us;
# the former content of _REUSE.
_LACK, _ROUTES, _REUSED, _LOCK = "lack", "routes", "reused", "lock"
# The machine's DNS servers, and where systemd-resolved, which listens on loopback, has its own.
_RESOLV_CONFS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
_IP = "/usr/sbin/ip"

# In the namespace. Stateless: the kernel keeps no table of the app's connections. Answers to what
# the app itself opens arrive at other ports than those of the range, and stay as they are.
_INSIDE = """\
ip -batch - <<'EOF'
link set lo up
addr add {address}/32 dev eth0
link set eth0 up
route add {gateway}/32 dev eth0
route add default via {gateway} dev eth0
EOF
echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet
nft -f - <<'EOF'
table ip paas {{
    chain arriving {{
        type filter hook prerouting priority raw; policy accept;
        iif eth0 ip saddr {gateway} ip daddr {address} tcp dport {first}-{last} \
ip daddr set 127.0.0.1
    }}
    chain leaving {{
        type filter hook postrouting priority srcnat; policy accept;
        oif eth0 ip saddr 127.0.0.1 ip saddr set {address}
    }}
}}
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


class AppNetworks:
    """The namespaces of one server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._directory = settings.paths.app_networks
        self._addresses = AppAddresses(settings.app_addresses)

    def prepare(self) -> None:
        """Before apps start: find out whether this machine can have them, see `lack`.

        Also has the machine route packets (ip_forward), which it does for apps alone, and reuse
        ports (tcp_tw_reuse).
        """
        if not self._settings.app_networks:
            return
        try:
            with self.trial():
                pass
            if not _FORWARD.read_text().startswith("1"):
                files.write_atomic(self._directory / _ROUTES, "", durable=False)
                _FORWARD.write_text("1")
            if not (reuse := _REUSE.read_text()).startswith("1"):
                files.write_atomic(self._directory / _REUSED, reuse, durable=False)
                _REUSE.write_text("1")
            forward_policy.let_pass(self._all_links())
        except (PaasError, OSError) as error:
            why = error.message if isinstance(error, PaasError) else str(error)
            files.write_atomic(self._directory / _LACK, why, durable=False)
        else:
            files.remove(self._directory / _LACK)

    def close(self) -> None:
        """When the server is stopped: undo that."""
        for network in self.present():
            self.remove(network)
        forward_policy.take_back(self._all_links())
        if (self._directory / _ROUTES).exists():
            _FORWARD.write_text("0")
            files.remove(self._directory / _ROUTES)
        if (former := self._directory / _REUSED).exists():
            _REUSE.write_text(former.read_text())
            files.remove(former)

    def lack(self) -> str | None:
        """Why apps have no networks of their own, in words; None if they have."""
        if not self._settings.app_networks:
            return "app_networks is off in server.yml."
        try:
            return (self._directory / _LACK).read_text()
        except FileNotFoundError:
            return None

    def routes(self) -> bool | None:
        """Whether the machine routes for others as well; None if apps have no networks."""
        return None if self.lack() else not (self._directory / _ROUTES).exists()

    def of(self, uid: int, *, once: bool = False) -> AppNetwork | None:
        """The network of an app, made if it is missing; None if apps have none.

        Raises PaasError if it cannot be made though others can.
        """
        if self.lack() is not None:
            return None
        network = AppNetwork(uid, once)
        self.ensure([network])
        return network

    @contextmanager
    def trial(self) -> Iterator[tuple[AppNetwork, AppNetwork]]:
        """Two networks that no app has, for so long; no others are made meanwhile.

        Raises PaasError if they cannot be made.
        """
        uid = self._settings.sender_uid
        pair = AppNetwork(uid), AppNetwork(uid, once=True)
        with self._alone():
            try:
                for network in pair:
                    self._make(network)
                yield pair
            finally:
                for network in pair:
                    self.remove(network)

    def address(self, network: AppNetwork) -> str:
        """Where the host reaches what is in it."""
        return str(self._addresses.of(network))

    def path(self, network: AppNetwork) -> Path:
        """The file that pins a namespace, and with which a process joins it (setns(2))."""
        return self._directory / network.name

    def link(self, network: AppNetwork) -> str:
        """The host's end of a network: unique on the machine, at most 15 characters."""
        return f"p{self._settings.ports[0]:d}-{network.uid:d}{'o' if network.once else ''}"

    def ensure(self, networks: Iterable[AppNetwork]) -> None:
        """Make those that are missing. Raises PaasError if the machine cannot."""
        missing = [network for network in networks if not self._is_whole(network)]
        if not missing:
            return
        with self._alone():
            for network in missing:
                if not self._is_whole(network):
                    self._make(network)

    def present(self) -> set[AppNetwork]:
        """Those that have a file, whole or not."""
        if not self._directory.is_dir():
            return set()
        found = {network_named(path.name) for path in self._directory.iterdir()}
        return {network for network in found if network is not None}

    def remove(self, network: AppNetwork) -> None:
        """Close one; no error if there is none. What still runs in it is cut off."""
        path, link = self.path(network), self.link(network)
        if Path("/sys/class/net", link).exists():
            try:
                _run(_IP, "link", "delete", link)
            except PaasError:
                # It also goes with a namespace that nothing runs in, in the kernel's own time.
                if Path("/sys/class/net", link).exists():
                    raise
        if _is_pinned(path):
            _run("/usr/bin/umount", str(path))
        files.remove(path)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let no other process make networks meanwhile."""
        files.make_directory(self._directory)
        with (self._directory / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # released with the descriptor
            yield

    def _all_links(self) -> str:
        return f"p{self._settings.ports[0]:d}-+"

    def _is_whole(self, network: AppNetwork) -> bool:
        link = Path("/sys/class/net", self.link(network))
        return _is_pinned(self.path(network)) and link.exists()

    def _make(self, network: AppNetwork) -> None:
        self.remove(network)
        path = self.path(network)
        words = {
            "address": self._addresses.of(network),
            "gateway": self._addresses.gateway,
            "first": self._settings.ports[0],
            "last": self._settings.ports[1],
        }
        with _Inside() as inside:
            link = self.link(network)
            outside = _OUTSIDE.format(link=link, pid=inside.pid, mtu=_mtu(), **words)
            _run(_IP, "-batch", "-", stdin=outside)
            conf = Path("/proc/sys/net/ipv4/conf", link)
            (conf / "rp_filter").write_text("1")  # no forged source addresses
            (conf / "forwarding").write_text("1")
            (conf / "route_localnet").write_text("1" if self._settings.host_ports else "0")
            _disable_ipv6(Path("/proc/sys/net/ipv6/conf", link))
            inside.run(_INSIDE.format(**words))
            path.touch(mode=0o600)
            _run("/usr/bin/mount", "--bind", f"/proc/{inside.pid}/ns/net", str(path))


class _Inside:
    """A shell in a new network namespace, which lasts until the shell has ended, if not pinned."""

    def __enter__(self) -> "_Inside":
        self._shell = subprocess.Popen(
            ["/usr/bin/unshare", "--net", "/bin/sh", "-e"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
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
            pass  # it has ended already: what it said follows
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


def resolv_conf() -> str | None:
    """A resolv.conf(5) whose DNS servers can be reached from a network of an app.

    None if the machine's own will do, or if there is none.
    """
    own, *others = (path.read_text() for path in _RESOLV_CONFS if path.exists())
    if _is_reachable(own):
        return None
    return next((text for text in others if _is_reachable(text)), None)


def dns_servers() -> list[str]:
    """The IPv4 addresses of the DNS servers that apps in networks of their own can use."""
    machines = _RESOLV_CONFS[0]
    text = resolv_conf() or (machines.read_text() if machines.exists() else "")
    return [server for server in _nameservers(text) if _is_ipv4_outside(server)]


def _is_reachable(text: str) -> bool:
    return any(not server.startswith(("127.", "::1")) for server in _nameservers(text))


def _nameservers(text: str) -> list[str]:
    lines = [line.split() for line in text.splitlines()]
    return [words[1] for words in lines if words[:1] == ["nameserver"] and len(words) > 1]


def _is_ipv4_outside(server: str) -> bool:
    try:
        return not IPv4Address(server).is_loopback
    except ValueError:
        return False


def _disable_ipv6(conf: Path) -> None:
    """Its link-local address would reach the host past all addresses that the rules know."""
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
        env={"LC_ALL": "C.UTF-8"},
        stdin=stdin.encode(),
        check=False,
    )
    if not done.ok:
        raise _failure(done.output.decode(errors="replace").strip().replace("\n", " "))


def _failure(reason: str) -> PaasError:
    return PaasError("app-network", f"The app has no network of its own: {reason}.")
