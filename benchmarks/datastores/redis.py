"""Redis: redis-benchmark, and a redis-server that is started by hand."""

import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.commands import ENVIRONMENT, Daemon, run, wait_until
from benchmarks.datastores.kind import Load, Place
from benchmarks.server import Server
from tests.ports import free_ports

REQUESTS = 40_000
CLIENTS = 20
# What is about the platform's own places and users.
_NOT_OURS = ("aclfile", "bind", "dir", "logfile", "port", "unixsocket")


class Redis:
    """See `Kind`."""

    name = "redis"
    create_s = 1.0
    memory_mib = 5.0
    credentials = "redis:credentials"
    fork_s = None

    @property
    def loads(self) -> tuple[Load, ...]:
        """See `Kind`."""
        return (Load("set-get", f"SET and GET, {CLIENTS} connections", _rate),)

    def answers(self, place: Place) -> bool:
        """See `Kind`."""
        words = ["redis-cli", "-p", str(place.port), "--user", place.user, "PING"]
        env = {**ENVIRONMENT, "REDISCLI_AUTH": place.password}
        return subprocess.run(words, env=env, capture_output=True, check=False).stdout == b"PONG\n"

    def settle(self, server: Server, app: str) -> None:
        """See `Kind`: nothing."""

    def prepare(self, place: Place) -> None:
        """See `Kind`: nothing."""

    @contextmanager
    def by_hand(self, ours: Path, folder: Path, beside: tuple[str, ...]) -> Iterator[Place]:
        """See `Kind`: with the same redis.conf, as far as it is not about places and users."""
        (port,) = free_ports(1)
        place = Place(port, "app", secrets.token_hex(32), "0")
        data = folder / "data"
        data.mkdir(mode=0o777)
        data.chmod(0o777)
        lines = (ours / "conf" / "redis.conf").read_text().splitlines()
        kept = [line for line in lines if not line.startswith(_NOT_OURS)]
        conf = folder / "redis.conf"
        users = f"user {place.user} on >{place.password} ~* &* +@all"
        conf.write_text(
            "\n".join([*kept, "bind 127.0.0.1", f"port {port}", f"dir {data}", users, ""])
        )
        # The server's own program, as the package of the tools has it: it goes by its name.
        program = folder / "redis-server"
        program.symlink_to("/usr/bin/redis-check-rdb")
        with Daemon([*beside, program, conf], folder / "redis.log"):
            wait_until(lambda: self.answers(place), 20, "a Redis made by hand")
            yield place


def _rate(place: Place) -> float:
    """See `Load`."""
    shown = run(
        [
            *(*place.client, "redis-benchmark", "-p", str(place.port), "--user", place.user),
            *("-a", place.password, "-t", "set,get", "-c", str(CLIENTS)),
            *("-n", str(REQUESTS), "--csv"),
        ]
    )
    rates = [float(found) for found in re.findall(r'^"(?:SET|GET)","([0-9.]+)"', shown, re.M)]
    return len(rates) / sum(1 / rate for rate in rates)
