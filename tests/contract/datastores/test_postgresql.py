"""PostgreSQL as a datastore: the same checks on the fake and on the real server under supervisord.

What only the real one has: passwords, roles, TLS, and a server that is killed.
"""

import os
import signal
import socket
import ssl
import stat
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from paas.adapters.datastores.postgresql import programs, sql
from paas.adapters.datastores.postgresql.archive import PgBackRestArchives
from paas.adapters.datastores.postgresql.external import ExternalPostgresql
from paas.adapters.datastores.postgresql.read_only import PostgresqlReadOnly
from paas.adapters.datastores.postgresql.server import PostgresqlServer
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.external import parse_external_url
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from paas.domain.values.secret import Secret
from paas.interfaces import DatastoreServer, ExternalServer, ReadOnlySwitch, Runtime
from paas.settings import Settings
from tests.contract.datastores.serving import (
    LIMIT_S,
    contents_below,
    datastore,
    fake_serving,
    never_made,
    refuse_leftovers,
    serving,
    wait_until_quiet,
)
from tests.contract.runtime.supervisor_server import SupervisorServer, running_supervisor
from tests.fakes.backups import FakeBackupSettings
from tests.fakes.datastores import FakeDatastoreServer, FakeExternalServer
from tests.fakes.output import FakeProgress
from tests.ports import free_port
from tests.processes import first_of, with_words
from tests.uids import free_uids
from tests.waiting import wait_for

UID = free_uids()
PASSWORD = "canary'-7d1c0a"
ONE = datastore(DatastoreKind.POSTGRESQL, "15", UID, PASSWORD)


@dataclass
class Running:
    """A datastore that serves. root: of the server's directories; None with the fake."""

    server: DatastoreServer
    runtime: Runtime
    root: Path | None
    one: Datastore = ONE


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One PostgreSQL for all tests: making its files takes seconds."""
    version = programs.ensure_installed(FakeProgress())
    assert version >= ONE.version
    with running_supervisor() as supervised:
        found: SupervisorServer = supervised
        server = PostgresqlServer(
            found.settings, PgBackRestArchives(found.settings, FakeBackupSettings())
        )
        with serving(server, found.runtime, ONE):
            yield Running(server, found.runtime, found.settings.state)
        refuse_leftovers(found.settings.paths.datastores)


@pytest.fixture(params=["fake", "real"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    """Each of them."""
    if request.param == "real":
        yield request.getfixturevalue("real")
        return
    with fake_serving(ONE) as (server, runtime):
        yield Running(server, runtime, None)


def query(running: Running, text: str, *, user: str = "", **env: str) -> str:
    """What psql prints, as an app would run it; its error, where it fails."""
    done = subprocess.run(
        [
            *(str(programs.binaries(running.one.version) / "psql"), "-X", "-A", "-t"),
            *("-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(running.one.port)),
            *("-U", user or running.one.login, "-d", env.pop("database", running.one.login)),
        ],
        input=text,
        env={"PGPASSWORD": PASSWORD, "PGCONNECT_TIMEOUT": "120", "LC_ALL": "C.UTF-8", **env},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or done.stderr.strip()


def switch_of(running: Running) -> ReadOnlySwitch:
    """What makes it read-only; the fake does so itself."""
    if running.root is None:
        assert isinstance(running.server, FakeDatastoreServer)
        return running.server
    return PostgresqlReadOnly(Settings(state=running.root, run=running.root.parent / "run").paths)


@contextmanager
def sessions_of(running: Running, login: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A session that waits for its next statement; with the fake, none but the count of it."""
    if running.root is None:
        yield [subprocess.Popen(["false"])]
        return
    argv = ["-h", "127.0.0.1", "-p", str(running.one.port), "-U", login, running.one.database]
    env = {"PGPASSWORD": PASSWORD, "LC_ALL": "C.UTF-8"}
    psql = programs.binaries(running.one.version) / "psql"
    words = [str(psql), "-X", "-c", "SELECT pg_sleep(600)", *argv]
    with subprocess.Popen(words, env=env, stderr=subprocess.DEVNULL) as session:
        try:
            wait_for(lambda: running.server.figures(running.one).connections == 1)
            yield [session]
        finally:
            session.kill()


def postmaster(running: Running) -> psutil.Process:
    """The first process of the server."""
    return first_of(with_words(f"{running.root}/datastores/{running.one.id}/data", uid=UID))


def test_it_answers_and_tells_its_figures(running: Running) -> None:
    """Once it was set up; and setting it up again changes nothing."""
    assert running.server.answers(running.one)
    running.server.set_up(running.one, LIMIT_S)
    wait_until_quiet(running.server, running.one)
    figures = running.server.figures(running.one)
    assert figures.size_bytes > 1_000_000
    assert figures.version.startswith("15.")


@pytest.mark.parametrize(("version", "says"), [("14", False), ("15", True), ("17", True)])
def test_making_one_leaves_the_shared_buffers_alone(version: str, says: bool) -> None:
    """The copy of an empty database would stay there; before version 15 there was no choice."""
    text = sql.set_up(replace(ONE, version=version))
    assert ("TEMPLATE template0 STRATEGY FILE_COPY" in text) == says


def test_one_that_was_never_made(running: Running) -> None:
    """It does not answer, and removing it is no error."""
    other = never_made(running.one)
    assert not running.server.answers(other)
    with pytest.raises(PaasError) as caught:
        running.server.figures(other)
    assert caught.value.reference == "datastore-down"
    running.server.remove(99)


def test_tables_belong_to_a_role_that_nobody_logs_in_as(real: Running) -> None:
    """So another login can take the place of this one."""
    query(real, "CREATE TABLE notes (id int); DROP TABLE IF EXISTS other;")
    owner = query(real, "SELECT tableowner FROM pg_tables WHERE tablename = 'notes'")
    assert owner == f"{real.one.login}_owner"
    assert "authentication failed" in query(real, "SELECT 1", user=owner)


def test_a_login_reaches_its_own_database_alone(real: Running) -> None:
    """Neither another database, nor the superuser's rights, nor files of the server."""
    assert query(real, "SELECT current_database()") == real.one.login
    for database in ("postgres", "template1"):
        assert "permission denied for database" in query(real, "SELECT 1", database=database)
    assert "must be superuser" in query(real, "COPY (SELECT 1) TO PROGRAM 'id'")
    assert "must be superuser" in query(real, "CREATE ROLE evil SUPERUSER")
    assert "permission denied" in query(real, "ALTER SYSTEM SET port = 1")
    assert "permission denied" in query(real, "CREATE DATABASE more")


def test_the_password_is_needed_and_encrypted(real: Running) -> None:
    """Also by the superuser, who does not come in over the network at all."""
    assert "password authentication failed" in query(real, "SELECT 1", PGPASSWORD="wrong")
    assert "pg_hba.conf rejects" in query(real, "SELECT 1", user="postgres")
    shown = query(real, "SHOW password_encryption")
    assert shown == "scram-sha-256"


def test_tls_is_there_for_those_who_ask(real: Running) -> None:
    """As on Heroku, whose clients say sslmode=require."""
    assert "SSL connection" in query(real, "\\conninfo", PGSSLMODE="require")
    assert "SSL connection" not in query(real, "\\conninfo", PGSSLMODE="disable")


def test_nodes_must_use_tls(real: Running) -> None:
    """Their connections come from 127.0.0.2. The messages: PostgreSQL's documentation, 55.7."""
    words = f"user\0{ONE.login}\0database\0{ONE.database}\0\0".encode()
    startup = struct.pack("!II", 8 + len(words), 196_608) + words
    with _from_a_node() as plain:
        plain.sendall(startup)
        answer = plain.recv(4096)
        assert answer[:1] == b"E"
        assert b"no encryption" in answer
    with _from_a_node() as plain:
        plain.sendall(struct.pack("!II", 8, 80_877_103))
        assert plain.recv(1) == b"S"
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        with trusting.wrap_socket(plain) as secure:
            secure.sendall(startup)
            answer = secure.recv(4096)
            assert answer[:1] == b"R"
            assert b"SCRAM-SHA-256" in answer


def _from_a_node() -> socket.socket:
    return socket.create_connection(("127.0.0.1", ONE.port), 60, source_address=("127.0.0.2", 0))


def test_another_login_takes_the_place_of_the_first(running: Running) -> None:
    """Both work until the former one is dropped; then it has no session, and no name."""
    new = running.one.with_next_login(Secret("next"))
    running.server.add_login(new)
    running.server.add_login(new)
    with sessions_of(running, running.one.login) as former:
        assert running.server.drop_former_logins(new) == len(former)
        for session in former:
            assert session.wait(150) != 0
    assert running.server.drop_former_logins(new) == 0
    assert running.server.answers(new)
    running.server.set_up(running.one, LIMIT_S)
    running.server.drop_former_logins(running.one)


def test_what_a_former_login_made_stays(real: Running) -> None:
    """Also outside of the owner's role, and where the database's settings mislead."""
    query(real, "CREATE TABLE ours AS SELECT 1; CREATE SCHEMA trap;")
    query(real, "CREATE FUNCTION trap.format(text, name) RETURNS text LANGUAGE sql AS 'SELECT 1'")
    query(real, f"ALTER DATABASE {real.one.database} SET search_path = trap, pg_catalog, public")
    query(real, f"ALTER DATABASE {real.one.database} SET default_transaction_read_only = on")
    mine = "SET transaction_read_only = off; RESET ROLE; CREATE SCHEMA mine; CREATE TABLE mine.own"
    assert "ERROR" not in query(real, f"BEGIN; {mine} AS SELECT 2; COMMIT;")
    new = real.one.with_next_login(Secret("next"))
    real.server.add_login(new)
    wait_until_quiet(real.server, real.one)
    assert real.server.drop_former_logins(new) == 0
    there = "SELECT (SELECT * FROM public.ours), (SELECT * FROM mine.own)"
    assert query(real, there, user=new.login, PGPASSWORD="next") == "1|2"
    assert "authentication failed" in query(real, "SELECT 1")
    owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'own'"
    assert query(real, owner, user=new.login, PGPASSWORD="next") == f"{real.one.database}_owner"
    resetting = f"SET transaction_read_only = off; ALTER DATABASE {real.one.database} RESET ALL"
    query(real, f"BEGIN; {resetting}; COMMIT;", user=new.login, PGPASSWORD="next")
    real.server.add_login(real.one)
    real.server.drop_former_logins(real.one)


@pytest.fixture(params=["fake", "real"])
def elsewhere(request: pytest.FixtureRequest) -> tuple[ExternalServer, str]:
    """What asks one elsewhere, each of them, and a URL."""
    password = quote(PASSWORD, safe="")
    url = f"postgres://{ONE.login}:{password}@db.example.com:{ONE.port}/{ONE.database}"
    if request.param == "real":
        request.getfixturevalue("real")
        return ExternalPostgresql(), url
    fake = FakeExternalServer()
    fake.password = PASSWORD
    return fake, url


def test_one_elsewhere_is_checked(elsewhere: tuple[ExternalServer, str]) -> None:
    """Its version, with TLS if it has that; a wrong password is reported without it."""
    server, url = elsewhere
    found = server.check(parse_external_url(url), "127.0.0.1")
    assert found.version.startswith("1")
    assert found.encrypted
    wrong = url.replace(quote(PASSWORD, safe=""), "wrong-7d1c0a")
    with pytest.raises(PaasError) as caught:
        server.check(parse_external_url(wrong), "127.0.0.1")
    assert caught.value.reference == "external-refused"
    assert "wrong-7d1c0a" not in "".join([*caught.value.context, str(caught.value)])
    client = server.client(parse_external_url(url), "SELECT 1")
    assert client.env[VarName("PGHOST")] == "db.example.com"
    assert PASSWORD not in " ".join(client.argv)


def test_one_elsewhere_without_tls(real: Running) -> None:
    """As its URL wants it; the answer of a refusal is reported."""
    assert real.root is not None
    url = f"postgres://{ONE.login}:no@db.example.com:{ONE.port}/{ONE.database}?sslmode=disable"
    with pytest.raises(PaasError) as caught:
        ExternalPostgresql().check(parse_external_url(url), "127.0.0.1")
    assert "password authentication failed" in "".join(caught.value.context)
    url = url.replace(":no@", f":{quote(PASSWORD, safe='')}@")
    assert not ExternalPostgresql().check(parse_external_url(url), "127.0.0.1").encrypted


def test_files_are_closed_to_others(real: Running) -> None:
    """The data are its uid's alone; what is generated is root's, and the password is nowhere."""
    assert real.root is not None
    root = real.root / "datastores" / "3"
    assert stat.S_IMODE((root / "data").stat().st_mode) == 0o700
    assert (root / "data").stat().st_uid == UID
    assert root.stat().st_uid == 0
    mark = PASSWORD.rpartition("'")[2].encode()
    for path, content in contents_below(root):
        assert mark not in content, path
    assert (root / "conf" / "postgresql.conf").stat().st_uid == 0


def test_data_have_checksums_and_an_order_that_stays(real: Running) -> None:
    """No index depends on the version of the C library."""
    assert query(real, "SHOW data_checksums") == "on"
    shown = query(real, "SELECT datcollate FROM pg_database WHERE datname = current_database()")
    assert shown == "C.UTF-8"


def test_a_killed_server_serves_again(real: Running) -> None:
    """Within ten seconds, with all that was committed."""
    query(real, "CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept VALUES (7);")
    before = postmaster(real)
    before.kill()
    wait_for(lambda: not before.is_running())
    wait_for(lambda: real.server.answers(real.one))
    assert query(real, "SELECT max(n) FROM kept") == "7"


def test_no_second_server_while_a_process_of_the_first_is_left(real: Running) -> None:
    """It does not write to the same files, but waits until that one has ended."""
    before = postmaster(real)
    left = next(one for one in with_words("checkpointer", uid=UID) if one.ppid() == before.pid)
    left.suspend()
    lock = f"{real.root}/datastores/3/lock"
    before.send_signal(signal.SIGKILL)
    try:
        held = subprocess.run(["flock", "--nonblock", lock, "true"], check=False)
        assert held.returncode != 0 or not left.is_running()
    finally:
        if left.is_running():
            os.kill(left.pid, signal.SIGCONT)
    wait_for(lambda: real.server.answers(real.one))


def test_a_warning_is_no_part_of_an_answer(real: Running) -> None:
    """And what the server says of a statement that fails is the context of the error."""
    assert isinstance(real.server, PostgresqlServer)
    warn = "DO $$ BEGIN RAISE WARNING 'careful'; END $$;\n"
    assert real.server.queries.run(real.one, f"{warn}SELECT 1;") == "1\n"
    with pytest.raises(PaasError) as caught:
        real.server.queries.run(real.one, "SELECT missing;")
    assert 'column "missing" does not exist' in "\n".join(caught.value.context)


def test_read_only_and_writable_again(running: Running) -> None:
    """By default; it is reported in the figures, too."""
    switch = switch_of(running)
    assert not switch.is_read_only(running.one)
    switch.set_read_only(running.one, read_only=True)
    switch.set_read_only(running.one, read_only=True)
    assert switch.is_read_only(running.one)
    assert "Read only" in running.server.figures(running.one).more
    running.server.set_up(running.one, LIMIT_S)
    switch.set_read_only(running.one, read_only=False)
    assert not switch.is_read_only(running.one)
    assert running.server.figures(running.one).more == {}


def test_a_session_may_write_while_it_is_read_only(real: Running) -> None:
    """To clean up, once it says so; and a restart changes nothing."""
    switch = switch_of(real)
    query(real, "CREATE TABLE IF NOT EXISTS big (n int); INSERT INTO big VALUES (1);")
    switch.set_read_only(real.one, read_only=True)
    try:
        assert "read-only transaction" in query(real, "INSERT INTO big VALUES (2)")
        assert query(real, "SELECT count(*) FROM big") == "1"
        before = postmaster(real)
        before.kill()
        wait_for(lambda: not before.is_running())
        wait_for(lambda: real.server.answers(real.one))
        assert switch.is_read_only(real.one)
        query(real, "SET default_transaction_read_only = off; DROP TABLE big;")
    finally:
        switch.set_read_only(real.one, read_only=False)
    assert "does not exist" in query(real, "SELECT count(*) FROM big")


def test_new_files_replace_those_of_an_interrupted_attempt(real: Running) -> None:
    """Whatever it left."""
    assert real.root is not None
    other = replace(real.one, id=4, uid=UID + 1, port=free_port())
    half = real.root / "datastores" / "4" / "data"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("15\n")
    try:
        real.server.create(other)
        assert (half / "global" / "pg_control").exists()
    finally:
        real.server.remove(4)
