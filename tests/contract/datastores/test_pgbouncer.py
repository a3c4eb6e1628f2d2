"""Connection poolers: the same check on the fake and on PgBouncer before a real PostgreSQL.

What only the real one has: clients that share connections, passwords, and what is killed.
"""

import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from paas.adapters.datastores.log_trimming import MAX_BYTES, DatastoreLogTrimming
from paas.adapters.datastores.pgbouncer.pooler import PgBouncers
from paas.adapters.datastores.pgbouncer.programs import mask
from paas.adapters.datastores.postgresql import programs
from paas.adapters.datastores.postgresql.dumps import PostgresqlDumps
from paas.adapters.datastores.postgresql.server import PostgresqlServer
from paas.domain.datastores.datastores import Datastore, DatastoreState
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.names import DatastoreName
from paas.domain.datastores.plans import SMALL
from paas.domain.datastores.pooling import Pooler
from paas.domain.values.secret import Secret
from paas.interfaces import ConnectionPoolers
from tests.contract.datastores.serving import NoArchives
from tests.contract.runtime.supervisor_server import SupervisorServer, running_supervisor
from tests.fakes.output import FakeProgress
from tests.fakes.poolers import FakePoolers
from tests.ports import free_port
from tests.processes import first_of, with_words
from tests.uids import free_uids
from tests.waiting import wait_for

UID = free_uids()
LIMIT_S = 150.0
PASSWORD = "canary'-4e1d77"
ONE = Datastore(
    id=5,
    name=DatastoreName("postgresql-pooled-1234"),
    kind=DatastoreKind.POSTGRESQL,
    version="15",
    plan=SMALL,
    app_id=1,
    uid=UID,
    port=free_port(),
    state=DatastoreState.READY,
    password=Secret(PASSWORD),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
POOLER = Pooler(ONE, free_port())


@dataclass
class Real:
    """Both, which run. root: of the server's directories."""

    server: PostgresqlServer
    poolers: PgBouncers
    supervised: SupervisorServer
    root: Path

    def pooler_process(self) -> psutil.Process:
        """PgBouncer."""
        return first_of(with_words("/pgbouncer", str(self.root), uid=UID))


@pytest.fixture(scope="module")
def real() -> Iterator[Real]:
    """One PostgreSQL and its pooler for all tests: making the files takes seconds."""
    assert programs.ensure_installed(FakeProgress()) >= ONE.version
    with running_supervisor() as supervised, ExitStack() as ended:
        server = PostgresqlServer(
            supervised.settings,
            NoArchives(supervised.settings),
        )
        poolers = PgBouncers(supervised.settings, server)
        poolers.ensure_installed(FakeProgress())
        server.create(ONE)
        ended.callback(server.remove, ONE.id)
        supervised.runtime.start([server.workload(ONE)])
        ended.callback(supervised.runtime.stop, [server.workload(ONE)], LIMIT_S)
        server.set_up(ONE, LIMIT_S)
        poolers.refresh(POOLER)
        poolers.learn_logins(POOLER, None)
        supervised.runtime.start([poolers.workload(POOLER)])
        ended.callback(supervised.runtime.stop, [poolers.workload(POOLER)], LIMIT_S)
        poolers.set_up(POOLER, LIMIT_S)
        yield Real(server, poolers, supervised, supervised.settings.state)


@pytest.fixture(params=["fake", "real"])
def poolers(request: pytest.FixtureRequest) -> ConnectionPoolers:
    """Each of them; the pooler runs."""
    if request.param == "real":
        real: Real = request.getfixturevalue("real")
        return real.poolers
    fake = FakePoolers()
    fake.logins[ONE.id] = {ONE.login: PASSWORD}
    fake.refresh(POOLER)
    fake.learn_logins(POOLER, None)
    return fake


def test_it_leads_clients_to_the_server(poolers: ConnectionPoolers) -> None:
    """With the logins that it was told; one that was never made does not, and can be removed."""
    assert poolers.is_installed()
    poolers.set_up(POOLER, LIMIT_S)
    assert poolers.answers(POOLER)
    assert poolers.workload(POOLER).ports == (POOLER.port,)
    other = replace(ONE, id=99, port=free_port())
    assert not poolers.answers(Pooler(other, free_port()))
    poolers.remove(other)


def psql(text: str, *, one: Datastore = ONE, **env: str) -> subprocess.Popen[str]:
    """psql, as an app would run it through the pooler; it reads statements until it is told."""
    argv = [
        *(str(programs.binaries(one.version) / "psql"), "-X", "-A", "-t", "-q"),
        *("-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(POOLER.port)),
        *("-U", env.pop("user", one.login), "-d", env.pop("database", one.database)),
    ]
    child = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={
            "PGPASSWORD": one.password.reveal(),
            "PGCONNECT_TIMEOUT": "120",
            "LC_ALL": "C.UTF-8",
            **env,
        },
        text=True,
    )
    assert child.stdin is not None
    child.stdin.write(text + "\n")
    child.stdin.flush()
    return child


def query(text: str, *, one: Datastore = ONE, **env: str) -> str:
    """What it prints, or its error."""
    return psql(text, one=one, **env).communicate(timeout=200)[0].strip()


def test_more_clients_than_connections(real: Real) -> None:
    """Each that begins a transaction has a connection, and gives it back."""
    query("CREATE TABLE visits (client int)")
    children = [psql(f"INSERT INTO visits VALUES ({n});") for n in range(40)]
    try:
        wait_for(lambda: query("SELECT count(*) FROM visits") == "40")
        assert all(child.poll() is None for child in children)
        figures = real.server.figures(ONE)
        assert 0 < figures.connections <= POOLER.connections
    finally:
        for child in children:
            child.communicate(timeout=200)
    owner = query("SELECT tableowner FROM pg_tables WHERE tablename = 'visits'")
    assert owner == f"{ONE.database}_owner"


def test_only_the_apps_login_and_database(real: Real) -> None:
    """With its password; neither the superuser, nor the pooler's own console."""
    assert "authentication failed" in query("SELECT 1", PGPASSWORD="wrong")
    for user in ("postgres", "pgbouncer"):
        assert "authentication failed" in query("SELECT 1", user=user)
    for database in ("postgres", "template1"):
        assert "no such database" in query("SELECT 1", database=database)
    assert query("SHOW POOLS", database="pgbouncer").endswith("not allowed")


def test_tls_is_there_for_those_who_ask(real: Real) -> None:
    """As at the server itself."""
    assert "SSL connection" in query("\\conninfo", PGSSLMODE="require")
    assert "SSL connection" not in query("\\conninfo", PGSSLMODE="disable")


def test_its_files_contain_no_password(real: Real) -> None:
    """And its process cannot change what it reads, nor see the server's data."""
    root = real.root / "datastores" / str(ONE.id) / "pooler"
    files = [path for path in root.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"pgbouncer.ini", "userlist.txt", "pgbouncer.log"}
    for path in files:
        assert PASSWORD.encode() not in path.read_bytes(), path
        assert stat.S_IMODE(path.parent.stat().st_mode) & 0o007 == 0
        assert (path.stat().st_uid == 0) == (path.suffix != ".log")
    process = real.pooler_process()
    for name in ("data", "conf"):
        assert not Path(f"/proc/{process.pid}/root{root.parent}/{name}").exists()


def test_its_log_is_written_on_after_it_was_emptied(real: Real) -> None:
    """From the beginning of the file: PgBouncer appends."""
    log = real.root / "datastores" / str(ONE.id) / "pooler" / "log" / "pgbouncer.log"
    os.truncate(log, MAX_BYTES + 1)
    assert DatastoreLogTrimming(real.supervised.settings.paths).trim(ONE) == 1
    assert "authentication failed" in query("SELECT 1", PGPASSWORD="wrong")
    wait_for(lambda: log.stat().st_size > 0)
    assert b"\0" not in log.read_bytes()


def test_a_killed_pooler_leads_clients_again(real: Real) -> None:
    """With the logins that it knew."""
    process = real.pooler_process()
    process.kill()
    wait_for(lambda: not process.is_running())
    wait_for(lambda: real.poolers.answers(POOLER))


def test_a_killed_server_is_found_again(real: Real) -> None:
    """As soon as it serves."""
    first = first_of(with_words(f"{real.root}/datastores/{ONE.id}/data", uid=UID))
    os.kill(first.pid, signal.SIGKILL)
    wait_for(lambda: not first.is_running())
    wait_for(lambda: real.poolers.answers(POOLER))


def test_a_dump_is_loaded_while_it_holds_connections(real: Real) -> None:
    """Clients stay connected to it, but for those within a transaction, and find the new data."""
    dumps = PostgresqlDumps(real.supervised.settings)
    query("CREATE TABLE kept AS SELECT 1 AS n; CREATE TABLE told (n int)")
    dump = b"".join(dumps.dump(ONE))
    query("UPDATE kept SET n = 2")
    idle = [psql("SELECT n FROM kept; INSERT INTO told VALUES (1);") for _ in range(3)]
    within = psql("BEGIN; SELECT n FROM kept;")
    begun = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction';"
    try:
        wait_for(lambda: query("SELECT count(*) FROM told") == "3")
        wait_for(lambda: real.server.queries.run(ONE, begun).strip() == "1")
        with dumps.spool() as spool:
            spool.write(dump)
            dumps.load(ONE, spool, lambda _step: None)
        wait_for(lambda: query("SELECT n FROM kept") == "1")
        said = [one.communicate("SELECT n FROM kept;\n", timeout=200)[0] for one in idle]
        assert [text.split() for text in said] == [["2", "1"]] * 3
        assert "terminating connection" in within.communicate("COMMIT;\n", timeout=200)[0]
    finally:
        for child in (*idle, within):
            child.kill()
            child.communicate()
    query("DROP TABLE kept, told")


def test_another_login_takes_the_place_of_the_present_one(real: Real) -> None:
    """Both work meanwhile; then the former one is gone, and the pooler was not restarted."""
    process = real.pooler_process()
    new = ONE.with_next_login(Secret("another'-5b2c"))
    later = Pooler(new, POOLER.port)
    real.server.add_login(new)
    real.poolers.learn_logins(later, process.pid)
    wait_for(lambda: real.poolers.answers(later))
    assert real.poolers.answers(POOLER)
    real.server.drop_former_logins(new)
    real.poolers.learn_logins(later, process.pid)
    assert query("SELECT current_user", one=new) == f"{ONE.database}_owner"
    wait_for(lambda: not real.poolers.answers(POOLER))
    assert process.is_running()


def test_the_package_s_own_service_is_masked(tmp_path: Path) -> None:
    """Unless somebody has decided otherwise."""
    unit = tmp_path / "system" / "pgbouncer.service"
    mask(unit)
    assert unit.readlink() == Path("/dev/null")
    mask(unit)
    unit.unlink()
    unit.write_text("[Service]\n")
    mask(unit)
    assert unit.read_text() == "[Service]\n"
