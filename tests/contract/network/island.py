"""Two hosts (network namespaces) joined by a cable: the first has the firewall."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paas.settings import Settings

NETWORK = "10.231.7"
HERE, HERE6 = f"{NETWORK}.17", "2001:db8:1::1"
# The addresses of the other host; of IPv6 the first two are of one network of 2**64.
ABROAD = [f"{NETWORK}.18", f"{NETWORK}.19"]
ABROAD6 = ["2001:db8:2::1", "2001:db8:2::2", "2001:db8:3::1"]


def run(line: str) -> subprocess.CompletedProcess[bytes]:
    """Run a program, which must not fail."""
    return subprocess.run(line.split(), check=True, capture_output=True)


class Island:
    """Two hosts of their own, as network namespaces: the rules are installed in the first."""

    def __init__(self, name: str, settings: Settings) -> None:
        self._name = name
        self._settings = settings
        # A file that the firewall finds in place of another.
        self.covers: tuple[Path, Path] | None = None

    def make(self) -> None:
        """Make and join them."""
        inside, outside = f"{self._name}-a", f"{self._name}-b"
        for name in (inside, outside):
            run(f"ip netns add {name}")
            run(f"ip -n {name} link set lo up")
        run(f"ip -n {inside} link add up0 type veth peer name up1 netns {outside}")
        for name, device, four, six in (
            (inside, "up0", [HERE], [HERE6]),
            (outside, "up1", ABROAD, ABROAD6),
        ):
            for address in (
                *(f"{host}/28" for host in four),
                *(f"{host}/32 nodad" for host in six),
            ):
                run(f"ip -n {name} addr add dev {device} {address}")
        run(f"ip -n {inside} link set up0 up")
        run(f"ip -n {outside} link set up1 up")

    def remove(self) -> None:
        """Remove them; no error where there are none."""
        for end in "ab":
            subprocess.run(["ip", "netns", "del", f"{self._name}-{end}"], capture_output=True)

    def add_address(self, address: str) -> None:
        """Give the first host one more address."""
        size = "128 nodad" if ":" in address else "32"
        run(f"ip -n {self._name}-a addr add dev lo {address}/{size}")

    def cookies(self, mode: int) -> None:
        """2: every connection begins with a SYN cookie, an answer that has no socket."""
        run(f"ip netns exec {self._name}-a sysctl -qw net.ipv4.tcp_syncookies={mode}")

    def rules(self, call: str, **changes: object) -> str:
        """Call a method of the firewall there, with these settings; what it returns, as text."""
        return self._evaluated(f"NftFirewall(settings).{call}", changes)

    def fault(self) -> str:
        """What is wrong with the rules there, in words; ``None`` if they work."""
        return self._evaluated("firewall_fault(settings)", {})

    def _evaluated(self, expression: str, changes: dict[str, object]) -> str:
        """The text of its value there."""
        settings = self._settings
        values = {"ports": settings.ports, "uids": settings.uids} | changes
        code = (
            "from paas.adapters.network.firewall import NftFirewall; "
            "from paas.adapters.network.firewall_trial import firewall_fault; "
            "from paas.settings import Settings; "
            f"settings = Settings(**{values!r}); print({expression})"
        )
        argv = ["ip", "netns", "exec", f"{self._name}-a", sys.executable, "-c", code]
        if self.covers is not None:
            # ip gives each program a namespace of mounts of its own.
            over = ["sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"']
            argv[4:4] = [*over, *map(str, self.covers)]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    @contextmanager
    def server(
        self, uid: int, port: int, *, protocol: int = 0, backlog: int = 128, host: str = "0.0.0.0"
    ) -> Iterator[None]:
        """Listen there with that uid; host: ``::`` for both families."""
        code = (
            f"import socket; s = socket.socket({_family(host)}, 1, {protocol});"
            f"s.setsockopt(1, 2, 1); s.bind(('{host}', {port})); s.listen({backlog});"
            "print('up', flush=True); a = [s.accept() for _ in range(9)]"
        )
        argv = [*self._as(uid, "a"), "/usr/bin/python3", "-c", code]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n"
            yield
        finally:
            process.kill()
            process.communicate()

    def reached(
        self,
        port: int,
        *,
        uid: int = 0,
        protocol: int = 0,
        abroad: bool = False,
        host: str = "127.0.0.1",
    ) -> bool:
        """Whether a client of that uid, there or on the other host, can connect."""
        address = HERE if abroad else host
        code = (
            f"import socket; s = socket.socket({_family(address)}, 1, {protocol}); s.settimeout(3);"
            f"s.connect(('{address}', {port}))"
        )
        argv = [*self._as(uid, "b" if abroad else "a"), "/usr/bin/python3", "-c", code]
        return subprocess.run(argv, capture_output=True).returncode == 0

    def starts(self, argv: list[str], end: str = "a", uid: int = 0) -> subprocess.Popen[str]:
        """Start a program there ("a"), or on the other host ("b"), with pipes to it."""
        pipe = subprocess.PIPE
        return subprocess.Popen([*self._as(uid, end), *argv], stdin=pipe, stdout=pipe, text=True)

    def _as(self, uid: int, end: str) -> list[str]:
        drop = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        return ["ip", "netns", "exec", f"{self._name}-{end}", *drop]


def _family(host: str) -> int:
    return 10 if ":" in host else 2
