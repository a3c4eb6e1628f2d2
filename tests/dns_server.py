"""A real DNS server: Unbound, with the names that a test sets, and no others."""

import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.exception
import dns.message
import dns.query

from tests.ports import free_port

UNBOUND = "/usr/sbin/unbound"
CONF = """
server:
  interface: 127.0.0.1
  port: {port}
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  do-daemonize: no
  do-ip6: no
  num-threads: 1
  module-config: "iterator"
  local-zone: "silent.net." deny
  local-zone: "refused.net." refuse
remote-control:
  control-enable: no
auth-zone:
  name: "."
  zonefile: "{folder}/zone"
  fallback-enabled: no
"""


class DnsServer:
    """It answers nothing about silent.net, and refuses questions about refused.net."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._serial = 0
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """In the form of the setting `dns_servers`."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Run it; returns when it answers."""
        (self._folder / "unbound.conf").write_text(CONF.format(port=self.port, folder=self._folder))
        self._write(())
        argv = [UNBOUND, "-d", "-c", str(self._folder / "unbound.conf")]
        with (self._folder / "log").open("wb") as log:
            self._child = subprocess.Popen(argv, stdout=log, stderr=log)
        self._wait()

    def stop(self) -> None:
        """End it."""
        if self._child is not None:
            self._child.kill()
            self._child.wait(150)

    def set(self, *lines: str) -> None:
        """Have these records and no others, as in ``shop.acme.com A 192.0.2.1``."""
        assert self._child is not None
        self._write(lines)
        self._child.send_signal(signal.SIGHUP)
        self._wait()

    def _write(self, lines: tuple[str, ...]) -> None:
        self._serial += 1
        rows = [line.split(" ", 1) for line in lines]
        zone = [
            f". 1 IN SOA ns. root. {self._serial} 3600 600 86400 1",
            ". 1 IN NS ns.",
            "ns. 1 IN A 127.0.0.1",
            *(f"{name}. 1 IN {rest}" for name, rest in rows),
        ]
        (self._folder / "zone").write_text("\n".join(zone) + "\n")

    def _wait(self) -> None:
        """Until it answers from the zone as it was written last."""
        question = dns.message.make_query(".", "SOA")
        deadline = time.monotonic() + 150
        while time.monotonic() < deadline:
            try:
                answer = dns.query.udp(question, "127.0.0.1", timeout=1, port=self.port)
                if f" {self._serial} " in str(answer):
                    return
            except (OSError, dns.exception.DNSException):
                pass
            time.sleep(0.02)
        raise AssertionError((self._folder / "log").read_text())


@contextmanager
def dns_server() -> Iterator[DnsServer]:
    """One that runs."""
    with tempfile.TemporaryDirectory(prefix="paas-dns-") as folder:
        server = DnsServer(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()
