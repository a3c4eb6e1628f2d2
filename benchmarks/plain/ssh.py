"""sshd with the server's own settings, but without the platform behind the keys."""

import os
import re
from pathlib import Path

from benchmarks.client import Key
from benchmarks.commands import Daemon, run, wait_until
from benchmarks.server import Server
from benchmarks.web import port_is_open
from tests.ports import free_ports


class PlainSshd:
    """Two keys: one may push to bare repositories, the other runs /bin/true."""

    def __init__(self, server: Server, room: Path, key: Key) -> None:
        self._server = server
        self._room = room
        self._key = key
        self._true_key = Key(room / "true-key")
        (self.port,) = free_ports(1)

    def start(self) -> Daemon:
        """Start it; the caller ends it."""
        conf = self._write_conf()
        keys = self._room / "authorized_keys"
        receive = f"git receive-pack {self._room}/pushed.git"
        keys.write_text(
            f'restrict,command="{receive}" {self._key.public}'
            f'restrict,command="/bin/true" {self._true_key.public}'
        )
        os.chown(keys, 0, self._server.account_gid)
        keys.chmod(0o640)
        daemon = Daemon(["/usr/sbin/sshd", "-D", "-e", "-f", conf], self._room / "sshd.log")
        wait_until(lambda: port_is_open(self.port), 10, "a plain sshd")
        host_key = self._server.etc / "ssh_host_ed25519_key.pub"
        self._key.trust(self.port, host_key)
        self._true_key.trust(self.port, host_key)
        return daemon

    def _write_conf(self) -> Path:
        """The server's own sshd_config with another port, pid file and keys file."""
        text = (self._server.etc / "sshd_config").read_text()
        for name, value in (
            ("Port", str(self.port)),
            ("PidFile", str(self._room / "sshd.pid")),
            ("AuthorizedKeysFile", str(self._room / "authorized_keys")),
        ):
            text, count = re.subn(rf"(?m)^{name} .*$", f"{name} {value}", text)
            assert count == 1, name
        conf = self._room / "sshd_config"
        conf.write_text(text)
        return conf

    @property
    def url(self) -> str:
        """The URL of the bare repository."""
        return f"ssh://paas@127.0.0.1:{self.port}/pushed.git"

    def true(self) -> list[str]:
        """The ssh command that runs /bin/true."""
        return self._true_key.ssh(self.port)

    def new_repository(self) -> None:
        """Create an empty bare repository."""
        path = self._room / "pushed.git"
        run(["rm", "-rf", path])
        run(["git", "init", "--quiet", "--bare", "--initial-branch=main", path])
        run(["chown", "-R", "paas:paas", path])
