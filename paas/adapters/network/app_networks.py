"""The networks of apps: lists them, makes those that are missing, and closes them.

An app's processes join theirs when they start; `app_namespace` says what each is. Traffic that
leaves an app is masqueraded by the rules of `app_network_rules`.
"""

import fcntl
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from paas.adapters.network import iptables_policy
from paas.adapters.network.app_namespace import AppNamespace
from paas.adapters.network.app_namespace_rules import inside_script
from paas.adapters.network.loopback_refusals import refused_ports
from paas.adapters.system import files
from paas.domain.routing.app_networks import AppAddresses, AppNetwork, network_named
from paas.domain.values.errors import PaasError
from paas.settings import Settings

_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
# Whether a port whose last connection was just closed (TIME_WAIT) may be reused: "2" for
# loopback only, "1" for all. The proxy's connections to apps need it: an app that closes each
# would use up the 28,000 ports within a minute, at 500 requests a second.
_REUSE = Path("/proc/sys/net/ipv4/tcp_tw_reuse")
# The interfaces of any server's networks, see `link`.
_INTERFACES = Path("/sys/class/net")
_LINK = re.compile(r"p[0-9]+-[0-9]+o?")
# Files in the directory of the namespaces: why there are none; that the platform switched on
# routing; the former content of _REUSE.
_LACK, _ROUTES, _REUSED, _LOCK = "lack", "routes", "reused", "lock"
# The ports of `host_ports` that these networks follow.
_OPENED = "opened"


class AppNetworks:
    """The namespaces of one server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._directory = settings.paths.app_networks
        self._addresses = AppAddresses(settings.app_addresses)

    def prepare(self) -> None:
        """Before apps start: find out whether this machine can have them, see `lack`.

        Also makes the machine route packets (ip_forward), which it does only for apps, and reuse
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
            iptables_policy.let_pass(self._all_links())
            self._renew()
        except (PaasError, OSError) as error:
            why = error.message if isinstance(error, PaasError) else str(error)
            files.write_atomic(self._directory / _LACK, why, durable=False)
        else:
            files.remove(self._directory / _LACK)

    def close(self) -> None:
        """When the server is stopped: undo that, unless another server of this machine needs it."""
        for network in self.present():
            self.remove(network)
        iptables_policy.take_back(self._all_links())
        is_needed = any(_LINK.fullmatch(one.name) for one in _INTERFACES.iterdir())
        if (self._directory / _ROUTES).exists():
            if not is_needed:
                _FORWARD.write_text("0")
            files.remove(self._directory / _ROUTES)
        if (former := self._directory / _REUSED).exists():
            if not is_needed:
                _REUSE.write_text(former.read_text())
            files.remove(former)

    def lack(self) -> str | None:
        """Why apps have no networks of their own, in words; None if they have."""
        if not self._settings.app_networks:
            why = self.lack_at_installation()
            return f"app_networks is off in server.yml{f', since: {why}' if why else '.'}"
        return _text(self._directory / _LACK)

    def lack_at_installation(self) -> str | None:
        """Why the installation switched them off, in a sentence; None if it did not."""
        return _text(self._settings.paths.app_networks_lack)

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
        """Two networks that belong to no app, for the block; no others are made meanwhile.

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

    def refused_ports(self, uid: int) -> set[int]:
        """The ports of the machine's loopback at which an app was refused within the last hour."""
        ranges = self._settings.public_ports
        public = {port for first, last in ranges for port in range(first, last + 1)}
        paths = [self.path(AppNetwork(uid, once)) for once in (False, True)]
        return refused_ports([path for path in paths if path.exists()]) - public

    def present(self) -> set[AppNetwork]:
        """Those that have a file, whole or not."""
        if not self._directory.is_dir():
            return set()
        found = {network_named(path.name) for path in self._directory.iterdir()}
        return {network for network in found if network is not None}

    def remove(self, network: AppNetwork) -> None:
        """Close one; no error if there is none. What still runs in it is cut off."""
        self._namespace(network).remove()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let no other process make networks meanwhile."""
        files.make_directory(self._directory)
        with (self._directory / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # released with the descriptor
            yield

    def _all_links(self) -> str:
        return f"p{self._settings.ports[0]:d}-+"

    def _namespace(self, network: AppNetwork) -> AppNamespace:
        return AppNamespace(self.path(network), self.link(network))

    def _is_whole(self, network: AppNetwork) -> bool:
        return self._namespace(network).is_whole()

    def _make(self, network: AppNetwork) -> None:
        namespace = self._namespace(network)
        namespace.make(self._addresses, network, self._script(network))
        namespace.lead_to_loopback()

    def opened(self) -> tuple[int, ...]:
        """The ports of the machine's loopback that apps reach."""
        try:
            return tuple(map(int, (self._directory / _OPENED).read_text().split()))
        except FileNotFoundError:
            return ()

    def _renew(self) -> None:
        """Have those that are there follow the settings, or the rules of this version."""
        ports = " ".join(str(port) for port in self._settings.host_ports)
        files.write_atomic(self._directory / _OPENED, ports, durable=False)
        for network in self.present():
            namespace = self._namespace(network)
            try:
                if namespace.is_whole():
                    namespace.run(self._script(network))
                    namespace.lead_to_loopback()
            except (PaasError, OSError):
                if namespace.is_whole():  # else its app was destroyed meanwhile
                    raise

    def _script(self, network: AppNetwork) -> str:
        settings = self._settings
        return inside_script(
            self._addresses, network, app_ports=settings.ports, open_ports=settings.host_ports
        )


def _text(path: Path) -> str | None:
    """What a file contains; None if there is none."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return None
