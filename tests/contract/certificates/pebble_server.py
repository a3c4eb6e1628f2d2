"""A real ACME issuer: Pebble, with a name server that leads every name to this machine."""

import json
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.authority import Authority, ec_key, key_pem, pem
from tests.ports import free_port

DAY_S = 86_400


class Pebble:
    """A running issuer. directory: its address for clients; bundle: what they must trust."""

    def __init__(
        self, folder: Path, http_port: int, lifetime_s: int, binding: Mapping[str, str]
    ) -> None:
        self.folder = folder
        self._binding = binding
        self.port, self._management, self._names, self._names_management = (
            free_port() for _ in range(4)
        )
        self.directory = f"https://localhost:{self.port}/dir"
        self.bundle = folder / "bundle.pem"
        self._http_port = http_port
        self.lifetime_s = lifetime_s
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Run it and its name server; returns when both answer."""
        self._write()
        log = (self.folder / "pebble.log").open("ab")
        off = ("-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "")
        names = [
            *("pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", *off[:6]),
            *("-dns01", f"127.0.0.1:{self._names}"),
            *("-management", f"127.0.0.1:{self._names_management}"),
        ]
        pebble = [
            *("pebble", "-config", str(self.folder / "pebble.json"), "-strict"),
            *("-dnsserver", f"127.0.0.1:{self._names}"),
        ]
        env = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PATH": "/usr/bin:/bin"}
        for argv in (names, pebble):
            child = subprocess.Popen(argv, env=env, stdout=log, stderr=log, cwd=self.folder)
            self._children.append(child)
        log.close()
        self._wait()

    def stop(self) -> None:
        """End both; no error where they do not run."""
        for child in self._children:
            child.kill()
            child.wait(150)
        self._children.clear()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It accepts connections, and answers none of them while the block runs."""
        for child in self._children:
            child.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for child in self._children:
                child.send_signal(signal.SIGCONT)

    def fail_names(self, host: str) -> None:
        """Have the name server answer SERVFAIL for a host from now on."""
        self._tell("set-servfail", {"host": host})

    def heal_names(self, host: str) -> None:
        """Have it answer again."""
        self._tell("clear-servfail", {"host": host})

    def hook(self, folder: Path, auth: str = "", cleanup: str = "") -> tuple[Path, Path]:
        """Programs that make and remove records at its name server, for an account without rights.

        folder: where they are put, and run. auth, cleanup: lines of sh that they run first.
        """
        made = []
        for name, lines, what, value in (
            ("auth", auth, "set-txt", ', "value": "\'"$CERTBOT_VALIDATION"\'"'),
            ("cleanup", cleanup, "clear-txt", ""),
        ):
            path = folder / name
            path.write_text(
                f"#!/bin/sh\ncd {folder}\n{lines}\n"
                'host="_acme-challenge.$CERTBOT_DOMAIN."\n'
                f'[ {name} = auth ] || echo "$host" >> removed\n'
                f'exec curl -sS -d \'{{"host": "\'"$host"\'"{value}}}\' '
                f"http://127.0.0.1:{self._names_management}/{what}\n"
            )
            path.chmod(0o755)
            made.append(path)
        return made[0], made[1]

    def root(self) -> Path:
        """The certificate of the authority that signs, in a file."""
        context = ssl.create_default_context(cafile=str(self.bundle))
        url = f"https://localhost:{self._management}/roots/0"
        with urllib.request.urlopen(url, context=context, timeout=60) as answer:
            path = self.folder / "root.pem"
            path.write_bytes(answer.read())
        return path

    def log(self) -> str:
        """What both printed."""
        return (self.folder / "pebble.log").read_text()

    def orders(self) -> int:
        """How many certificates were asked for."""
        return self.log().count("Added order")

    def _write(self) -> None:
        authority, key = Authority(), ec_key()
        leaf = authority.leaf("localhost", key=key)
        (self.folder / "server.pem").write_bytes(pem(leaf) + pem(authority.intermediate))
        (self.folder / "server.key").write_bytes(key_pem(key, traditional=True))
        self.bundle.write_bytes(pem(authority.root))
        settings = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self._management}",
            "certificate": str(self.folder / "server.pem"),
            "privateKey": str(self.folder / "server.key"),
            "httpPort": self._http_port,
            "tlsPort": free_port(),
            "ocspResponderURL": "",
            "externalAccountBindingRequired": bool(self._binding),
            "externalAccountMACKeys": dict(self._binding),
            "certificateValidityPeriod": self.lifetime_s,
        }
        (self.folder / "pebble.json").write_text(json.dumps({"pebble": settings}))

    def _wait(self) -> None:
        context = ssl.create_default_context(cafile=str(self.bundle))
        deadline = time.monotonic() + 150
        while True:
            try:
                urllib.request.urlopen(self.directory, context=context, timeout=60).close()
                self._tell("clear-servfail", {"host": "nothing.test"})
            except OSError:
                assert time.monotonic() < deadline, self.log()
                time.sleep(0.05)
            else:
                return

    def _tell(self, command: str, value: dict[str, str]) -> None:
        url = f"http://127.0.0.1:{self._names_management}/{command}"
        request = urllib.request.Request(url, json.dumps(value).encode(), method="POST")
        urllib.request.urlopen(request, timeout=60).close()


@contextmanager
def pebble_server(
    http_port: int, *, lifetime_s: int = 90 * DAY_S, binding: Mapping[str, str] = {}
) -> Iterator[Pebble]:
    """A running issuer whose challenges go to a port of this machine.

    binding: keys by id, where it makes accounts for those alone who know one.
    """
    with tempfile.TemporaryDirectory(prefix="paas-pebble-") as folder:
        pebble = Pebble(Path(folder), http_port, lifetime_s, binding)
        try:
            pebble.start()
            yield pebble
        finally:
            pebble.stop()
