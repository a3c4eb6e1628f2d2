"""Dumps of PostgreSQL: the same checks on the fake and on the real programs; what comes in is
whole, or nothing changes.
"""

import gzip
import io
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from paas.adapters.backups.encrypted import open_target
from paas.adapters.backups.settings_file import FileBackupSettings
from paas.adapters.datastores.postgresql import programs
from paas.adapters.datastores.postgresql.dumps import PostgresqlDumps
from paas.adapters.datastores.postgresql.external_dumps import ExternalPostgresqlDumps
from paas.adapters.datastores.postgresql.server import PostgresqlServer
from paas.domain.backups.targets import LocalTarget
from paas.domain.datastores.external import External, ExternalFacts
from paas.domain.datastores.names import DatastoreName
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces.dumps import DatastoreDumps, ExternalDumps
from paas.paths import Paths
from tests.contract.datastores.keeping import kill_in_the_middle, stalled
from tests.contract.datastores.serving import NoArchives, serving
from tests.contract.datastores.test_postgresql import (
    ONE,
    PASSWORD,
    UID,
    Running,
    postmaster,
    query,
)
from tests.contract.runtime.supervisor_server import running_supervisor
from tests.fakes.datastores import FakeDumps, FakeExternalDumps
from tests.fakes.output import FakeProgress
from tests.waiting import wait_for

TABLES = """
DROP SCHEMA public CASCADE; CREATE SCHEMA public;
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE TABLE notes (id serial PRIMARY KEY, body text);
COMMENT ON TABLE notes IS 'canary';
INSERT INTO notes (body) SELECT repeat(md5(n::text), 20) FROM generate_series(1, 5000) n;
"""

# More than the pipe of a dump holds, however well it is compressed.
MANY = """
INSERT INTO notes (body) SELECT (
    SELECT string_agg(md5((50 * n + k)::text), '') FROM generate_series(1, 50) k
) FROM generate_series(1, 10000) n;
"""
# A table that takes ten minutes to load while there is such a role.
SLOW_TO_LOAD = """
CREATE FUNCTION wait_for_ever(n int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_catalog.pg_sleep(600) FROM pg_catalog.pg_roles WHERE rolname = 'stalling';
    RETURN true;
END $$;
CREATE TABLE slow (n int CHECK (wait_for_ever(n)));
INSERT INTO slow VALUES (1);
"""


@dataclass
class Dumping:
    """A datastore with 5000 notes. running: None with the fake."""

    dumps: DatastoreDumps
    running: Running | None

    def load(self, content: bytes) -> None:
        """Load a dump that comes in."""
        with self.dumps.spool() as spool:
            for start in range(0, len(content), 100_000):
                spool.write(content[start : start + 100_000])
            self.dumps.load(ONE, spool, lambda _text: None)

    def dumped(self) -> bytes:
        """A dump of it."""
        return b"".join(self.dumps.dump(ONE))


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """One PostgreSQL for all tests."""
    programs.ensure_installed(FakeProgress())
    with running_supervisor() as found:
        postgresql = PostgresqlServer(found.settings, NoArchives(found.settings))
        with serving(postgresql, found.runtime, ONE):
            running = Running(postgresql, found.runtime, found.settings.state)
            running.dumps = PostgresqlDumps(found.settings)  # type: ignore[attr-defined]
            running.settings = found.settings  # type: ignore[attr-defined]
            yield running


@pytest.fixture
def real(server: Running) -> Dumping:
    """PostgreSQL itself."""
    assert query(server, TABLES).startswith(("DROP", "NOTICE")), query(server, TABLES)
    return Dumping(server.dumps, server)  # type: ignore[attr-defined]


@pytest.fixture(params=["fake", "real"])
def dumping(request: pytest.FixtureRequest) -> Dumping:
    """Each of them."""
    if request.param == "real":
        found: Dumping = request.getfixturevalue("real")
        return found
    fake = FakeDumps()
    fake.content[ONE.name] = b"PGDMP 5000 notes"
    return Dumping(fake, None)


def test_a_dump_is_whole_and_comes_back(dumping: Dumping) -> None:
    """What was changed since is as before."""
    dump = dumping.dumped()
    assert dump.startswith(b"PGDMP")
    with dumping.dumps.checking(ONE) as check:
        check(dump)
    dumping.dumps.empty(ONE, lambda _text: None)
    assert dumping.dumps.is_empty(ONE)
    dumping.load(dump)
    assert not dumping.dumps.is_empty(ONE)
    assert not dumping.dumps.tidy(ONE)


def elsewhere(words: str = "") -> External:
    """The datastore, as one that is elsewhere."""
    url = f"postgres://{ONE.login}:{quote(PASSWORD, safe='')}@db.example.com:{ONE.port}"
    return External(
        id=1,
        name=DatastoreName("external-curly-1234"),
        kind=ONE.kind,
        app_id=1,
        url=Secret(f"{url}/{ONE.database}{words}"),
        facts=ExternalFacts("15.1", encrypted=True),
        created_at=ONE.created_at,
    )


@pytest.fixture(params=["fake", "real"])
def external_dumps(request: pytest.FixtureRequest) -> ExternalDumps:
    """What dumps one elsewhere, each of them."""
    if request.param == "fake":
        fake = FakeExternalDumps()
        fake.content[elsewhere().name] = b"PGDMP 5000 notes"
        return fake
    found: Dumping = request.getfixturevalue("real")
    assert found.running is not None
    return ExternalPostgresqlDumps(found.running.settings)  # type: ignore[attr-defined]


def test_one_elsewhere_is_dumped(external_dumps: ExternalDumps) -> None:
    """And read to its end; not one that is newer than what is installed."""
    dump = b"".join(external_dumps.dump(elsewhere(), "127.0.0.1"))
    assert dump.startswith(b"PGDMP")
    with external_dumps.checking(elsewhere()) as check:
        for start in range(0, len(dump), 10_000):
            check(dump[start : start + 10_000])
    new = replace(elsewhere(), facts=ExternalFacts("99.1", encrypted=True))
    with pytest.raises(PaasError) as caught:
        external_dumps.require(new)
    assert caught.value.reference == "external-too-new"


def test_a_dump_from_elsewhere_comes_into_a_datastore(real: Dumping) -> None:
    """It is one like any other; half of it is noticed, and its password is nowhere."""
    assert real.running is not None
    dumps = ExternalPostgresqlDumps(real.running.settings)  # type: ignore[attr-defined]
    dump = b"".join(dumps.dump(elsewhere(), "127.0.0.1"))
    query(real.running, "DROP TABLE notes")
    real.load(dump)
    assert query(real.running, "SELECT count(*) FROM notes") == "5000"
    with pytest.raises(PaasError), dumps.checking(elsewhere()) as check:
        check(dump[: len(dump) // 2])
    with pytest.raises(PaasError) as caught:
        b"".join(dumps.dump(replace(elsewhere(), url=Secret(wrong_url())), "127.0.0.1"))
    said = "".join([str(caught.value), *caught.value.context])
    assert "password authentication failed" in said
    assert "wrong-7d1c0a" not in said


def wrong_url() -> str:
    """With another password."""
    return elsewhere().url.reveal().replace(quote(PASSWORD, safe=""), "wrong-7d1c0a")


def test_what_is_no_dump_changes_nothing(dumping: Dumping) -> None:
    """Nor does half of one."""
    dump = dumping.dumped()
    for bad in (b"", b"\x00\x01\x02", b"PGDMP"):
        with pytest.raises(PaasError) as caught:
            dumping.load(bad)
        assert caught.value.reference == "dump-not-loaded"
    assert not dumping.dumps.is_empty(ONE)
    assert not dumping.dumps.tidy(ONE)
    assert dumping.dumped()[:5] == dump[:5]


def notes(real: Dumping) -> str:
    """How many there are."""
    assert real.running is not None
    return query(real.running, "SELECT count(*) FROM notes")


def made(real: Dumping, *words: str) -> bytes:
    """What pg_dump prints with these words, by hand."""
    return subprocess.run(
        [
            *(str(programs.binaries("15") / "pg_dump"), "-h", "127.0.0.1"),
            *("-p", str(ONE.port), "-U", ONE.login, "-d", ONE.login, *words),
        ],
        env={"PGPASSWORD": PASSWORD},
        capture_output=True,
        check=True,
    ).stdout


def compressed_by_zstd(content: bytes) -> bytes:
    """By the program, which is installed if it is missing."""
    done = subprocess.run(["zstd", "-qc"], input=content, capture_output=True, check=True)
    return done.stdout


@pytest.mark.parametrize("form", ["custom", "tar", "plain", "gzip", "gzip-custom", "zstd"])
def test_each_form(real: Dumping, form: str) -> None:
    """Known by its content; tables belong to the role that nobody logs in as, comments are kept."""
    assert real.running is not None
    if form == "tar":
        dump = made(real, "-Ft")
    elif form in {"custom", "gzip-custom"}:
        dump = made(real, "-Fc")
    else:
        dump = made(real, "--no-owner", "--no-acl")
    if form.startswith("gzip"):
        dump = gzip.compress(dump)
    if form == "zstd":
        dump = compressed_by_zstd(dump)
    query(real.running, "DROP TABLE notes; CREATE TABLE other (n int)")
    real.load(dump)
    assert notes(real) == "5000"
    assert "does not exist" in query(real.running, "SELECT * FROM other")
    owner = query(real.running, "SELECT tableowner FROM pg_tables WHERE tablename = 'notes'")
    assert owner == f"{ONE.login}_owner"
    assert query(real.running, "SELECT obj_description('notes'::regclass)") == "canary"


@pytest.mark.parametrize("form", ["custom", "tar", "plain", "gzip"])
def test_half_a_dump(real: Dumping, form: str) -> None:
    """It is refused, and all is as before."""
    assert real.running is not None
    words = {"custom": ["-Fc"], "tar": ["-Ft"]}.get(form, ["--no-owner"])
    dump = made(real, *words)
    if form == "gzip":
        dump = gzip.compress(dump)
    query(real.running, "DELETE FROM notes WHERE id > 10")
    for part in (dump[: len(dump) // 2], dump[: len(dump) - 2_000]):
        with pytest.raises(PaasError, match="is incomplete"):
            real.load(part)
        assert notes(real) == "10"
    assert not real.dumps.tidy(ONE)


def other_tar() -> bytes:
    """A tar file of something else."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("readme"), io.BytesIO())
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "The dump is empty"),
        (other_tar(), "This is not a PostgreSQL dump"),
        (b"-- MySQL dump 10.19\n", "a dump of MySQL or MariaDB"),
        (b"SELECT 1;\n-- PostgreSQL database cluster dump complete\n", "by pg_dumpall"),
        (b"SELECT 1;\n", "plain SQL of pg_dump ends with"),
        (b"SELECT nothing;\n-- PostgreSQL database dump complete\n", "cannot be loaded"),
        (b"PGDMP\x01\x0e\x00", "cannot be read"),
    ],
)
def test_what_else_comes_in(real: Dumping, content: bytes, why: str) -> None:
    """Each is refused by name, and all is as before."""
    with pytest.raises(PaasError, match=why) as caught:
        real.load(content)
    assert caught.value.hint
    assert notes(real) == "5000"
    assert not real.dumps.tidy(ONE)


def test_a_dump_can_do_no_more_than_the_app(real: Dumping) -> None:
    """Neither as the superuser, nor with the files or processes of the server."""
    assert real.running is not None
    assert real.running.root is not None
    data = real.running.root / "datastores" / "3" / "data"
    end = "\n-- PostgreSQL database dump complete\n"
    for line in (
        "COPY notes FROM PROGRAM 'id';",
        "CREATE ROLE evil SUPERUSER;",
        f"\\! ls {data} || echo canary-hidden >&2\nSELECT nothing;",
        f"\\! kill -9 {postmaster(real.running).pid} || echo canary-away >&2\nSELECT nothing;",
    ):
        with pytest.raises(PaasError, match="cannot be loaded") as caught:
            real.load((line + end).encode())
        if "canary" in line:
            assert "canary-" in caught.value.report
    assert notes(real) == "5000"


def test_a_dump_from_elsewhere(real: Dumping) -> None:
    """Owners, grants and an extension that only the superuser makes; Heroku's dumps have them."""
    assert real.running is not None
    server = real.running.server
    assert isinstance(server, PostgresqlServer)
    server.queries.run(ONE, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements;", ONE.login)
    server.queries.run(ONE, "DROP ROLE IF EXISTS elsewhere; CREATE ROLE elsewhere;")
    query(real.running, "GRANT SELECT ON notes TO elsewhere")
    dump = made(real, "-Fc")
    assert b"elsewhere" in made(real, "--schema-only")
    query(real.running, "REVOKE ALL ON notes FROM elsewhere")
    server.queries.run(ONE, "DROP ROLE elsewhere;")
    real.load(dump)
    assert notes(real) == "5000"
    assert query(real.running, "SELECT count(*) FROM pg_stat_statements") != "0"


def test_connections_end_and_come_back(real: Dumping) -> None:
    """An app that connects again and again does not keep the exchange from being made."""
    running = real.running
    assert running is not None
    dump, stop = real.dumped(), threading.Event()

    def connect() -> None:
        while not stop.is_set():
            query(running, "SELECT pg_sleep(0.2)")

    apps = [threading.Thread(target=connect) for _ in range(3)]
    for app in apps:
        app.start()
    try:
        real.load(dump)
    finally:
        stop.set()
        for app in apps:
            app.join()
    assert notes(real) == "5000"


def test_what_an_interrupted_load_left(real: Dumping) -> None:
    """It is removed, and the present data stay."""
    assert real.running is not None
    server = real.running.server
    assert isinstance(server, PostgresqlServer)
    for name in (f"{ONE.login}_new", f"{ONE.login}_old"):
        server.queries.run(ONE, f'CREATE DATABASE "{name}"')
    assert real.dumps.tidy(ONE)
    assert not real.dumps.tidy(ONE)
    assert notes(real) == "5000"


def test_a_dump_that_fails_does_not_end(real: Dumping) -> None:
    """Whoever reads it gets the error instead of the end."""
    assert real.running is not None
    query(real.running, MANY)
    parts = real.dumps.dump(ONE)
    next(parts)
    server = real.running.server
    assert isinstance(server, PostgresqlServer)
    server.queries.run(
        ONE,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pg_dump'",
    )
    with pytest.raises(PaasError, match="pg_dump of") as caught:
        list(parts)
    assert "terminat" in caught.value.report
    assert PASSWORD not in caught.value.report


def test_a_table_that_is_locked(real: Dumping) -> None:
    """It keeps a dump waiting for a limited time."""
    assert real.running is not None
    running, server = real.running, real.running.server
    assert isinstance(server, PostgresqlServer)
    locking = threading.Thread(
        target=lambda: query(
            running, "BEGIN; LOCK TABLE notes IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600)"
        )
    )
    locking.start()
    held = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted;"
    try:
        wait_for(lambda: server.queries.run(ONE, held, ONE.login).strip() != "0")
        dumps = PostgresqlDumps(running.settings, lock_limit_s=1)  # type: ignore[attr-defined]
        with pytest.raises(PaasError, match="pg_dump of") as caught:
            list(dumps.dump(ONE))
        assert "LOCK TABLE" in caught.value.report
    finally:
        server.queries.run(
            ONE,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE query ~ 'pg_sleep' AND pid <> pg_backend_pid();",
        )
        locking.join()


def test_nothing_is_left_of_a_dump_that_nobody_reads(real: Dumping) -> None:
    """Its program ends with it."""
    parts = real.dumps.dump(ONE)
    next(parts)
    parts.close()  # type: ignore[attr-defined]
    wait_for(lambda: not has_process("pg_dump"))


@pytest.mark.parametrize("program", ["pg_dump", "pg_restore", "psql"])
def test_a_killed_command_leaves_whole_or_nothing(
    real: Dumping, program: str, tmp_path: Path
) -> None:
    """In the middle of a dump, of a load, of a load of plain SQL: kill -9, and all is as before."""
    assert real.running is not None
    paths = Paths(tmp_path, tmp_path, tmp_path, tmp_path)
    backups = open_target(LocalTarget(), FileBackupSettings(paths), paths.backups)
    server = real.running.server
    assert isinstance(server, PostgresqlServer)
    assert "ERROR" not in query(real.running, MANY + SLOW_TO_LOAD)
    dump = made(real, "-Fc") if program == "pg_restore" else made(real, "--no-owner")
    query(real.running, "DELETE FROM notes WHERE id <= 10")
    before = notes(real)

    def work(parts: Callable[[Iterator[bytes]], Iterator[bytes]] = iter) -> None:
        if program == "pg_dump":
            backups.write("x/b001.age", parts(real.dumps.dump(ONE)))
        else:
            real.load(dump)

    server.queries.run(ONE, "CREATE ROLE stalling;")
    try:
        kill_in_the_middle(lambda: work(stalled), begun=lambda: copies(real))
        wait_for(lambda: not has_process(program))
        assert notes(real) == before
        assert backups.listing("x") == []
        assert real.dumps.tidy(ONE) is (program != "pg_dump")
    finally:
        server.queries.run(ONE, "DROP ROLE stalling;")
    work()
    assert notes(real) == (before if program == "pg_dump" else "15000")


def has_process(program: str) -> bool:
    """Whether the datastore's uid runs a program."""
    return any(
        one.info["name"] == program and one.info["uids"] and one.info["uids"].real == UID
        for one in psutil.process_iter(["name", "uids"])
    )


def copies(real: Dumping) -> bool:
    """Whether a program reads or fills a table."""
    assert real.running is not None
    server = real.running.server
    assert isinstance(server, PostgresqlServer)
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid() "
        "AND application_name IN ('pg_dump', 'pg_restore', 'psql') AND query LIKE '%COPY%'"
    )
    return server.queries.run(ONE, query).strip() != "0"
