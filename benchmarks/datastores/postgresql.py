"""PostgreSQL: pgbench, a fork, and a server that is started by hand."""

import json
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.commands import ENVIRONMENT, Daemon, run, wait_until
from benchmarks.datastores.kind import Load, Place
from benchmarks.plain.app import USER
from benchmarks.server import Server
from tests.ports import free_ports

CLIENTS = 8
SECONDS = 2
# Of pgbench: a hundred megabytes.
SCALE = 7
# The monitor makes the first backup, and writes each minute.
BACKUP_LIMIT_S = 180.0
# What is about the platform's own places.
_NOT_OURS = (
    *("data_directory", "hba_file", "ident_file", "port", "unix_socket_directories"),
    *("ssl_cert_file", "ssl_key_file", "log_directory", "archive_command"),
)
_RATE = re.compile(r"^tps = ([0-9.]+) ", re.MULTILINE)


class Postgresql:
    """See `Kind`."""

    name = "postgresql"
    create_s = 5.0
    memory_mib = 25.0
    fork_s = 15.0
    credentials = "pg:credentials:url"

    @property
    def loads(self) -> tuple[Load, ...]:
        """See `Kind`."""
        return (
            Load("tpcb", f"TPC-B of pgbench, {CLIENTS} connections", _rate),
            Load(
                "select",
                f"SELECT by key, {CLIENTS} connections",
                lambda place: _rate(place, "--select-only"),
            ),
        )

    def answers(self, place: Place) -> bool:
        """See `Kind`."""
        words = [_program("psql"), *_access(place), "-X", "-A", "-t", "-c", "SELECT 1"]
        done = subprocess.run(words, env=_env(place), capture_output=True, check=False)
        return done.stdout == b"1\n"

    def settle(self, server: Server, app: str) -> None:
        """See `Kind`: after its first backup, which nothing that is measured should meet."""

        def is_made() -> bool:
            found = json.loads(server.paas("pg:info", "-a", app, "--json"))
            return found.get("restorable_to") is not None

        wait_until(is_made, BACKUP_LIMIT_S, "the first backup", poll_s=1)

    def prepare(self, place: Place) -> None:
        """See `Kind`: a hundred megabytes."""
        words = (_program("pgbench"), *_access(place), "--initialize", "--quiet")
        run([*words, f"--scale={SCALE}"], env=_env(place))

    @contextmanager
    def by_hand(self, ours: Path, folder: Path, beside: tuple[str, ...]) -> Iterator[Place]:
        """See `Kind`: with the same configuration, as far as it is not about places.

        It archives as ours does, into a directory of its own.
        """
        (port,) = free_ports(1)
        place = Place(port, "app", secrets.token_hex(32), "app")
        folder.chmod(0o755)
        home = folder / "home"
        home.mkdir(mode=0o700)
        for name in ("data", "socket", "log", "archive", "archive/lock", "repository"):
            (home / name).mkdir(mode=0o700)
        for name in ("server.crt", "server.key"):
            shutil.copy(ours / "tls" / name, home)
            (home / name).chmod(0o600)
        (home / "hba.conf").write_text(
            "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        _write_archive_conf(ours, home, port)
        _write_conf(ours, home, port)
        run(["chown", "-R", USER, str(home)])
        run(_as_user(_program("initdb"), "-U", "postgres", "-D", f"{home}/data"))
        words = [*beside, _program("postgres"), "-D", f"{home}/data"]
        server = [*words, "-c", f"config_file={home}/postgresql.conf"]
        with Daemon(server, folder / "postgres.log"):
            ask = [*_as_user(_program("psql")), "-U", "postgres", "-h", f"{home}/socket"]
            ask += ["-p", str(port), "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c"]
            wait_until(lambda: _succeeds([*ask, "SELECT 1"]), 30, "a PostgreSQL made by hand")
            run([*ask, f"CREATE ROLE app LOGIN PASSWORD '{place.password}'"])
            run([*ask, "CREATE DATABASE app OWNER app"])
            archiver = ("pgbackrest", f"--config={home}/pgbackrest.conf", "--stanza=main")
            run(_as_user(*archiver, "stanza-create"))
            wait_until(lambda: self.answers(place), 30, "a PostgreSQL made by hand")
            yield place


def _rate(place: Place, *arguments: str) -> float:
    """See `Load`."""
    shown = run(
        [
            *(*place.client, _program("pgbench"), *_access(place), "--no-vacuum"),
            *(f"--client={CLIENTS}", "--jobs=2", f"--time={SECONDS}", *arguments),
        ],
        env=_env(place),
    )
    found = _RATE.search(shown)
    assert found is not None, shown
    return float(found[1])


def _write_conf(ours: Path, home: Path, port: int) -> None:
    lines = (ours / "conf" / "postgresql.conf").read_text().splitlines()
    command = f"pgbackrest --config={home}/pgbackrest.conf --stanza=main archive-push %p"
    (home / "postgresql.conf").write_text(
        "\n".join(
            [
                *(line for line in lines if not line.startswith(_NOT_OURS)),
                *(f"data_directory = '{home}/data'", f"hba_file = '{home}/hba.conf'"),
                *(f"unix_socket_directories = '{home}/socket'", f"port = {port}"),
                *(f"ssl_cert_file = '{home}/server.crt'", f"ssl_key_file = '{home}/server.key'"),
                *(f"log_directory = '{home}/log'", f"archive_command = '{command}'"),
                "",
            ]
        )
    )


def _write_archive_conf(ours: Path, home: Path, port: int) -> None:
    places = {
        "repo1-path": home / "repository",
        "lock-path": home / "archive" / "lock",
        "log-path": home / "log",
        "spool-path": home / "archive",
        "pg1-path": home / "data",
        "pg1-socket-path": home / "socket",
        "pg1-port": port,
    }
    lines = (ours / "conf" / "pgbackrest.conf").read_text().splitlines()
    changed = (
        f"{name}={places[name]}" if (name := line.partition("=")[0]) in places else line
        for line in lines
    )
    (home / "pgbackrest.conf").write_text("\n".join([*changed, ""]))


def _program(name: str) -> str:
    """PostgreSQL's, of the newest version that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1])


def _as_user(*words: str) -> list[str]:
    return ["setpriv", f"--reuid={USER}", "--regid=nogroup", "--clear-groups", *words]


def _succeeds(words: Sequence[str]) -> bool:
    return subprocess.run(words, env=ENVIRONMENT, capture_output=True, check=False).returncode == 0


def _access(place: Place) -> tuple[str, ...]:
    return (
        *("--host=127.0.0.1", f"--port={place.port}"),
        *(f"--username={place.user}", place.database),
    )


def _env(place: Place) -> dict[str, str]:
    """With TLS, which libpq uses by default if the server offers it, for both servers."""
    return {**ENVIRONMENT, "PGPASSWORD": place.password, "PGSSLMODE": "prefer"}
