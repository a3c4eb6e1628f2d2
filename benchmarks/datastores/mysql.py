"""MariaDB: mariadb-slap, and a mariadbd that is started by hand."""

import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.commands import ENVIRONMENT, Daemon, run, wait_until
from benchmarks.datastores.kind import Load, Place
from benchmarks.plain.app import USER
from benchmarks.server import Server
from tests.ports import free_ports

QUERIES = 40_000
CLIENTS = 16
ROWS = 10_000
# What is about the platform's own places.
_NOT_OURS = (
    *("datadir", "tmpdir", "secure-file-priv", "socket", "pid-file", "port"),
    *("ssl-cert", "ssl-key", "log-error"),
)


class Mysql:
    """See `Kind`."""

    name = "mysql"
    create_s = 8.0
    memory_mib = 70.0
    credentials = "mysql:credentials:url"
    fork_s = None

    @property
    def loads(self) -> tuple[Load, ...]:
        """See `Kind`."""
        return (Load("select", f"SELECT by key, {CLIENTS} connections", _rate),)

    def answers(self, place: Place) -> bool:
        """See `Kind`."""
        words = ["mariadb", *_access(place), "--skip-column-names", "--execute=SELECT 1"]
        done = subprocess.run(words, env=_env(place), capture_output=True, check=False)
        return done.stdout == b"1\n"

    def settle(self, server: Server, app: str) -> None:
        """See `Kind`: nothing."""

    def prepare(self, place: Place) -> None:
        """See `Kind`: a table of ten thousand rows."""
        text = (
            "CREATE TABLE counted (id int PRIMARY KEY, n int NOT NULL); "
            f"INSERT INTO counted SELECT seq, 0 FROM seq_1_to_{ROWS};"
        )
        words = ["mariadb", *_access(place), f"--execute={text}", place.database]
        subprocess.run(words, env=_env(place), check=True)

    @contextmanager
    def by_hand(self, ours: Path, folder: Path, beside: tuple[str, ...]) -> Iterator[Place]:
        """See `Kind`: with the same configuration, as far as it is not about places."""
        (port,) = free_ports(1)
        place = Place(port, "app", secrets.token_hex(32), "app")
        for name in ("tmp", "log"):
            (folder / name).mkdir()
            shutil.chown(folder / name, USER)
        folder.chmod(0o755)
        lines = (ours / "conf" / "mariadb.cnf").read_text().splitlines()
        conf = folder / "mariadb.cnf"
        conf.write_text(
            "\n".join(
                [
                    *(line for line in lines if not line.startswith(_NOT_OURS)),
                    *(f"datadir = {folder}/data", f"tmpdir = {folder}/tmp", f"port = {port}"),
                    *(f"socket = {folder}/log/socket", f"pid-file = {folder}/log/pid"),
                    *(f"log-error = {folder}/log/mariadb.log", f"init-file = {folder}/users.sql"),
                    "",
                ]
            )
        )
        (folder / "users.sql").write_text(
            f"CREATE DATABASE IF NOT EXISTS app;\n"
            f"CREATE USER IF NOT EXISTS app@'%' IDENTIFIED BY '{place.password}';\n"
            "GRANT ALL ON app.* TO app@'%';\n"
        )
        run(
            [
                *("mariadb-install-db", "--no-defaults", f"--datadir={folder}/data"),
                *(f"--user={USER}", f"--tmpdir={folder}/tmp", "--skip-test-db"),
                "--innodb-use-native-aio=OFF",
            ]
        )
        server = [*beside, "/usr/sbin/mariadbd", f"--defaults-file={conf}"]
        with Daemon(server, folder / "mariadbd.log"):
            wait_until(lambda: self.answers(place), 30, "a MariaDB made by hand")
            yield place


def _rate(place: Place) -> float:
    """See `Load`."""
    shown = subprocess.run(
        [
            *(*place.client, "mariadb-slap", *_access(place)),
            *(f"--create-schema={place.database}", "--no-drop"),
            *(f"--concurrency={CLIENTS}", f"--number-of-queries={QUERIES}"),
            *(f"--query=SELECT n FROM counted WHERE id = {ROWS // 2}", "--csv"),
        ],
        env=_env(place),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return QUERIES / float(shown.strip().split(",")[2])


def _access(place: Place) -> tuple[str, ...]:
    """Without TLS, which these clients would use with the one that offers it."""
    return (
        *("--no-defaults", "--protocol=tcp", "--host=127.0.0.1", f"--port={place.port}"),
        *(f"--user={place.user}", "--skip-ssl"),
    )


def _env(place: Place) -> dict[str, str]:
    return {**ENVIRONMENT, "MYSQL_PWD": place.password}
