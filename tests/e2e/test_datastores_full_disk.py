"""PostgreSQL on a disk that fills: read-only before it is full, and root gets in when it is."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from paas.adapters.datastores.postgresql import programs
from tests.e2e.server import Server
from tests.processes import first_of, with_words
from tests.waiting import wait_for

APP = "notes"
MIB = 1024**2
MIN_FREE_MIB = 64


def free_mib(server: Server) -> int:
    """On the disk of the server's data."""
    found = os.statvfs(server.state)
    return found.f_bavail * found.f_frsize // MIB


@contextmanager
def filled(server: Server, left_mib: int) -> Iterator[None]:
    """That much is left free; 0: not a byte."""
    path = server.state / "filler"
    with suppress(OSError), path.open("ab", buffering=0) as filler:
        while left_mib == 0 or free_mib(server) > left_mib:
            filler.write(bytes(4096 if left_mib == 0 else MIB))
    try:
        yield
    finally:
        path.unlink()


def as_root(server: Server, statements: str) -> str:
    """What psql prints in a session of root's, or its complaint."""
    (socket,) = (server.run / "datastores").glob("*/.s.PGSQL.*[0-9]")
    done = subprocess.run(
        [
            *(str(programs.binaries("15") / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1"),
            *("-h", str(socket.parent), "-p", socket.name.rpartition(".")[2]),
            *("-U", "postgres", "-d", "postgres"),
        ],
        input=statements,
        env={"PGCONNECT_TIMEOUT": "60"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or done.stderr.strip()


def is_read_only(server: Server) -> bool:
    """What is reported to users."""
    found = json.loads(server.paas("pg:info", "-a", APP, "--json").stdout)
    return "read_only" in found


@pytest.mark.skipif(not programs.versions(), reason="PostgreSQL is not installed")
def test_a_disk_that_fills(new_server: Callable[..., Server]) -> None:
    """What reads goes on; somebody who says so may delete; space makes it writable again."""
    server = new_server(disk_mib=1_000, min_free_mib=MIN_FREE_MIB, reserve_mib=32)
    server.disk_of_its_own(420)
    server.user("alice").ssh("apps:create", APP)
    server.paas("addons:create", "postgresql", "-a", APP, timeout_s=180)
    as_root(server, "CREATE TABLE big AS SELECT generate_series(1, 200000) AS n;")
    wait_for((server.state / "reserve/space").exists, what="the reserve")

    with filled(server, MIN_FREE_MIB - 20):
        wait_for(lambda: is_read_only(server))
        assert "read-only transaction" in as_root(server, "INSERT INTO big VALUES (0);")
        assert as_root(server, "SELECT count(*) FROM big;") == "200000"
        as_root(server, "SET default_transaction_read_only = off; DELETE FROM big WHERE n > 10;")
        assert as_root(server, "SELECT count(*) FROM big;") == "10"
        assert "is read-only" in server.paas("logs", "-a", APP).stdout
        assert "is read-only" in server.paas("doctor", check=False).stderr
    wait_for(lambda: not is_read_only(server))
    as_root(server, "INSERT INTO big VALUES (0);")

    data = str(server.state / "datastores")
    with filled(server, 0):
        first_of(with_words("/postgres", data)).kill()
        wait_for(lambda: "200000" not in as_root(server, "SELECT 200000;"))
        server.paas("doctor", "--fix", check=False, timeout_s=180)
        assert as_root(server, "SELECT count(*) FROM big;") == "11"
        assert "read-only transaction" in as_root(server, "INSERT INTO big VALUES (0);")
        as_root(server, "SET default_transaction_read_only = off; DROP TABLE big;")
        assert "does not exist" in as_root(server, "SELECT count(*) FROM big;")
    wait_for(lambda: not is_read_only(server), what="writes again")
