"""MariaDB as a datastore: the same checks on the fake and on the real server under supervisord.

What only the real one has: passwords, rights, TLS, and a server that is killed.
"""

import os
import re
import signal
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from paas.adapters.datastores.mysql import programs
from paas.adapters.datastores.mysql.dumps import MariadbDumps
from paas.adapters.datastores.mysql.external import ExternalMysql
from paas.adapters.datastores.mysql.read_only import MariadbReadOnly
from paas.adapters.datastores.mysql.server import MariadbServer
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.external import parse_external_url
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import (
    DatastoreServer,
    ExternalServer,
    ReadOnlySwitch,
    Runtime,
)
from paas.settings import Settings
from tests.contract.datastores.serving import (
    LIMIT_S,
    contents_below,
    datastore,
    fake_serving,
    never_made,
    owners_below,
    refuse_leftovers,
    serving,
    wait_until_quiet,
)
from tests.contract.runtime.supervisor_server import SupervisorServer, running_supervisor
from tests.fakes.datastores import FakeDatastoreServer, FakeExternalServer
from tests.fakes.output import FakeProgress
from tests.ports import free_port
from tests.processes import first_of, with_words
from tests.uids import free_uids
from tests.waiting import wait_for

UID = free_uids()
PASSWORD = "canary'\\-7d1c0a"
ONE = datastore(DatastoreKind.MYSQL, "10.11", UID, PASSWORD)


@dataclass
class Running:
    """A datastore that serves. settings: of the server; None with the fake."""

    server: DatastoreServer
    runtime: Runtime
    settings: Settings | None
    one: Datastore = ONE

    @property
    def root(self) -> Path:
        """Where its files are."""
        assert self.settings is not None
        return self.settings.paths.datastores / str(self.one.id)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One MariaDB for all tests."""
    programs.ensure_installed(FakeProgress())
    programs.require(ONE.version)
    with running_supervisor() as supervised:
        found: SupervisorServer = supervised
        server = MariadbServer(found.settings)
        with serving(server, found.runtime, ONE):
            yield Running(server, found.runtime, found.settings)
        refuse_leftovers(found.settings.paths.datastores)


@pytest.fixture(params=["fake", "real"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    """Each of them."""
    if request.param == "real":
        yield request.getfixturevalue("real")
        return
    with fake_serving(ONE) as (server, runtime):
        yield Running(server, runtime, None)


def query(running: Running, text: str, *words: str, user: str = "", password: str = "") -> str:
    """What mariadb prints, as an app would run it; its error, where it fails."""
    done = subprocess.run(
        [
            *(str(programs.CLIENT), "--no-defaults", "--batch", "--skip-column-names"),
            *("--host=127.0.0.1", f"--port={running.one.port}", "--default-character-set=utf8mb4"),
            *(f"--user={user or running.one.login}", *(words or (running.one.login,))),
        ],
        input=text,
        env={**programs.ENV, "MYSQL_PWD": password or PASSWORD},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or done.stderr.strip()


def mariadbd(real: Running) -> psutil.Process:
    """The server; those of other tests have the same uid."""
    return first_of(with_words(str(real.root), uid=UID))


def restart(real: Running) -> None:
    """End the server in order, and start it again."""
    workload = real.server.workload(real.one)
    assert real.runtime.stop([workload], LIMIT_S) == set()
    real.server.refresh(real.one)
    real.runtime.start([workload])
    real.server.set_up(real.one, LIMIT_S)


def test_it_answers_and_tells_its_figures(running: Running) -> None:
    """Once it was set up; and setting it up again changes nothing."""
    assert running.server.answers(running.one)
    running.server.set_up(running.one, LIMIT_S)
    wait_until_quiet(running.server, running.one)
    figures = running.server.figures(running.one)
    assert figures.size_bytes >= 0
    assert figures.version.startswith("10.11.")


def test_one_that_was_never_made(running: Running) -> None:
    """It does not answer, and removing it is no error."""
    other = never_made(running.one)
    assert not running.server.answers(other)
    with pytest.raises(PaasError) as caught:
        running.server.figures(other)
    assert caught.value.reference == "datastore-down"
    running.server.remove(99)


def test_a_login_has_its_own_database_alone(real: Running) -> None:
    """Neither another, nor one of a similar name, nor rights over accounts, server and files."""
    server = real.server
    assert isinstance(server, MariadbServer)
    similar = real.one.login.replace("_", "x")
    server._query(real.one, f"CREATE DATABASE {similar};")
    try:
        assert query(real, "SHOW DATABASES").split() == ["information_schema", real.one.login]
        for database in ("mysql", "sys", "performance_schema", similar):
            assert "denied" in query(real, "SHOW TABLES", database)
        for statement in (
            "CREATE DATABASE more",
            "CREATE USER evil",
            f"GRANT SELECT ON {real.one.login}.* TO {real.one.login}",
            "SET GLOBAL max_connections = 1000",
            "SELECT 1 INTO OUTFILE '/tmp/evil'",
            "INSTALL SONAME 'auth_pam'",
            "SHUTDOWN",
        ):
            assert "denied" in query(real, statement), statement
        assert query(real, "SELECT LOAD_FILE('/etc/passwd')") == "NULL"
        # Its own: the former ones end a moment after their clients.
        wait_for(lambda: len(query(real, "SHOW PROCESSLIST").splitlines()) == 1)
    finally:
        server._query(real.one, f"DROP DATABASE {similar};")


def test_a_login_can_use_its_database(real: Running) -> None:
    """With all that an app makes there; its text is any Unicode text."""
    query(real, "CREATE TABLE notes (text varchar(9)); INSERT INTO notes VALUES ('häß😀');")
    query(real, "CREATE VIEW seen AS SELECT * FROM notes")
    query(real, "CREATE TRIGGER made BEFORE INSERT ON notes FOR EACH ROW SET NEW.text = 'b'")
    query(real, "INSERT INTO notes VALUES ('a')")
    assert query(real, "SELECT text FROM seen").split() == ["häß😀", "b"]
    shown = query(real, "SELECT @@collation_database, @@local_infile, @@have_symlink, @@log_bin")
    assert shown.split() == ["utf8mb4_unicode_ci", "0", "DISABLED", "0"]
    query(real, "DROP VIEW seen; DROP TABLE notes;")


def test_nobody_else_logs_in(real: Running) -> None:
    """Root over the socket alone, by its account; no account is without a password."""
    assert "Access denied" in query(real, "SELECT 1", password="wrong")
    for user in ("root", "mariadb.sys", "mysql", "nobody"):
        assert "denied" in query(real, "SELECT 1", "--connect-timeout=120", user=user), user
    server = real.server
    assert isinstance(server, MariadbServer)
    shown = "SELECT user, host, JSON_VALUE(priv, '$.plugin') FROM mysql.global_priv ORDER BY 1;"
    assert server._query(real.one, shown).splitlines() == [
        "mariadb.sys\tlocalhost\tmysql_native_password",
        f"{real.one.login}\t%\tmysql_native_password",
        "root\tlocalhost\tunix_socket",
    ]


def _socket(real: Running) -> Path:
    assert real.settings is not None
    return real.settings.paths.datastore_sockets / "3" / "mariadb.sock"


def test_tls_is_there_for_those_who_ask(real: Running) -> None:
    """And those who do not ask come in too."""
    status = "SHOW STATUS LIKE 'Ssl_cipher'"
    assert "TLS_" in query(real, status, "--ssl", real.one.login)
    assert "TLS_" not in query(real, status, "--skip-ssl", real.one.login)


def external_url(words: str = "", password: str = PASSWORD) -> str:
    """The URL of the one that runs, as one elsewhere."""
    login = f"{ONE.login}:{quote(password, safe='')}"
    return f"mysql+pymysql://{login}@db.example.com:{ONE.port}/{ONE.database}{words}"


@pytest.fixture(params=["fake", "real"])
def elsewhere(request: pytest.FixtureRequest) -> ExternalServer:
    """What asks one elsewhere, each of them."""
    if request.param == "real":
        request.getfixturevalue("real")
        return ExternalMysql()
    fake = FakeExternalServer()
    fake.password = PASSWORD
    return fake


def test_one_elsewhere_is_checked(elsewhere: ExternalServer) -> None:
    """Its version, with TLS if it has that; a wrong password is reported without it."""
    found = elsewhere.check(parse_external_url(external_url()), "127.0.0.1")
    assert found.version.startswith("1")
    assert found.encrypted
    with pytest.raises(PaasError) as caught:
        wrong = external_url(password="wrong-7d1c0a")
        elsewhere.check(parse_external_url(wrong), "127.0.0.1")
    assert caught.value.reference == "external-refused"
    assert "wrong-7d1c0a" not in "".join([*caught.value.context, str(caught.value)])


@pytest.mark.usefixtures("real")
def test_one_elsewhere_in_its_own_words() -> None:
    """Product and version; without TLS as its URL wants it; and why it refuses."""
    url = parse_external_url(external_url("?ssl-mode=DISABLED"))
    found = ExternalMysql().check(url, "127.0.0.1")
    assert not found.encrypted
    assert re.fullmatch(r"MariaDB 1\d\.\d+\.\d+", found.words(DatastoreKind.MYSQL))
    with pytest.raises(PaasError) as caught:
        ExternalMysql().check(parse_external_url(external_url(password="no")), "127.0.0.1")
    (said,) = caught.value.context
    assert "Access denied" in said
    with pytest.raises(PaasError) as caught:
        other = external_url().replace(f"/{ONE.database}", "/mysql")
        ExternalMysql().check(parse_external_url(other), "127.0.0.1")
    assert "Access denied" in caught.value.context[0]


@pytest.mark.usefixtures("real")
def test_a_session_with_one_elsewhere() -> None:
    """With TLS where the URL asks for it; the password is on no command line."""
    shown = "SHOW STATUS LIKE 'Ssl_cipher'"
    for words, expected in (("?ssl-mode=REQUIRED", True), ("?ssl-mode=DISABLED", False)):
        client = ExternalMysql().client(parse_external_url(external_url(words)), shown)
        assert PASSWORD not in " ".join(client.argv)
        argv = [word.replace("db.example.com", "127.0.0.1") for word in client.argv]
        env = {**programs.ENV, **{str(name): text for name, text in client.env.items()}}
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True)
        assert ("TLS_" in done.stdout) is expected, done.stdout


def test_files_are_closed_to_others(real: Running) -> None:
    """The data are its uid's alone; what is generated is root's, and the password is nowhere."""
    root = real.root
    assert stat.S_IMODE((root / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE(_socket(real).parent.stat().st_mode) == 0o700
    assert owners_below(root / "data") == {UID}
    assert root.stat().st_uid == 0
    for path, content in contents_below(root):
        assert PASSWORD.encode() not in content, path
    assert (root / "conf" / "mariadb.cnf").stat().st_uid == 0


def test_its_log_has_no_errors(real: Running) -> None:
    """Nothing that it misses in its sandbox, or that an option is misspelled."""
    log = (real.root / "log" / "mariadb.log").read_text()
    assert "ready for connections" in log
    assert "[ERROR]" not in log


def test_an_empty_one_is_small(real: Running) -> None:
    """At most 70 MiB that are its own."""
    server = mariadbd(real)
    assert server.memory_full_info().pss < 70 * 1024 * 1024


def test_a_killed_server_serves_again(real: Running) -> None:
    """Within ten seconds, with all that was committed."""
    query(real, "CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept VALUES (7);")
    before = mariadbd(real)
    before.kill()
    wait_for(lambda: not before.is_running())
    wait_for(lambda: real.server.answers(real.one))
    assert query(real, "SELECT MAX(n) FROM kept") == "7"
    query(real, "DROP TABLE kept")


def switch_of(running: Running) -> ReadOnlySwitch:
    """What makes it read-only; the fake does so itself."""
    if running.settings is None:
        assert isinstance(running.server, FakeDatastoreServer)
        return running.server
    return MariadbReadOnly(running.settings.paths)


def test_read_only_and_writable_again(running: Running) -> None:
    """It is reported in the figures, too, and the platform itself may write."""
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
    """Once it has taken the role, which changes nothing else; and a restart changes nothing."""
    switch = switch_of(real)
    query(real, "CREATE OR REPLACE TABLE big (n int); INSERT INTO big VALUES (1);")
    switch.set_read_only(real.one, read_only=True)
    try:
        for statement in ("INSERT INTO big VALUES (2)", "DELETE FROM big", "DROP TABLE big"):
            assert "--read-only" in query(real, statement), statement
        assert query(real, "SELECT count(*) FROM big") == "1"
        restart(real)
        assert switch.is_read_only(real.one)
        assert "denied" in query(real, "SET ROLE paas_writer; SET GLOBAL max_connections = 9;")
        assert query(real, "SET ROLE paas_writer; DROP TABLE big;") == ""
    finally:
        switch.set_read_only(real.one, read_only=False)
    assert "doesn't exist" in query(real, "SELECT count(*) FROM big")


def test_a_session_that_locks_tables_keeps_nobody_waiting_for_long(real: Running) -> None:
    """It cannot be made read-only meanwhile, which is an error, and can afterwards."""
    switch = switch_of(real)
    query(real, "CREATE OR REPLACE TABLE locked (n int)")
    locking = "LOCK TABLES locked WRITE; SELECT SLEEP(600);"
    argv = ["--host=127.0.0.1", f"--port={real.one.port}", f"--user={real.one.login}"]
    session = subprocess.Popen(
        [str(programs.CLIENT), "--no-defaults", *argv, "-e", locking, real.one.login],
        env={**programs.ENV, "MYSQL_PWD": PASSWORD},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    sleeping = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'"
    try:
        wait_for(lambda: query(real, sleeping) == "1")
        with pytest.raises(PaasError):
            switch.set_read_only(real.one, read_only=True)
        assert not switch.is_read_only(real.one)
    finally:
        assert isinstance(real.server, MariadbServer)
        real.server._query(real.one, f"KILL USER {real.one.login};")
        session.wait(timeout=150)
    switch.set_read_only(real.one, read_only=True)
    switch.set_read_only(real.one, read_only=False)
    query(real, "DROP TABLE locked")


def test_no_second_server_while_the_first_is_left(real: Running) -> None:
    """The lock is held by it, and by nobody once it has ended."""
    before = mariadbd(real)
    lock = real.root / "lock"
    before.suspend()
    try:
        held = subprocess.run(["flock", "--nonblock", lock, "true"], check=False)
        assert held.returncode == 1
    finally:
        os.kill(before.pid, signal.SIGCONT)
    assert real.server.answers(real.one)


def test_new_files_replace_those_of_an_interrupted_attempt(real: Running) -> None:
    """Whatever it left."""
    other = replace(real.one, id=4, uid=UID + 1, port=free_port())
    half = real.root.parent / "4" / "data"
    half.mkdir(parents=True)
    (half / "databases").write_text("half\n")
    try:
        real.server.create(other)
        assert (half / "databases" / "mysql" / "global_priv.MAD").exists()
    finally:
        real.server.remove(4)


def test_what_a_former_login_made_can_be_dumped_and_changed(real: Running) -> None:
    """Routines, events and views belong to the present login, and say the same as before."""
    query(real, "CREATE TABLE made (n int, s varchar(9)); INSERT INTO made VALUES (7, 'ä;')")
    query(
        real,
        "CREATE ALGORITHM = MERGE SQL SECURITY INVOKER VIEW seen AS SELECT n, s FROM made "
        "WHERE s = 'ä;' WITH LOCAL CHECK OPTION; CREATE VIEW above AS SELECT n FROM seen;"
        "CREATE TRIGGER rising BEFORE INSERT ON made FOR EACH ROW SET NEW.n = NEW.n + 1;"
        "CREATE EVENT daily ON SCHEDULE EVERY 1 DAY DO DELETE FROM made;"
        "CREATE PROCEDURE shown() SELECT n FROM made; CREATE FUNCTION two() RETURNS int RETURN 2;"
        "CREATE TABLE gone (n int); CREATE VIEW broken AS SELECT n FROM gone; DROP TABLE gone;",
    )
    before = query(real, "SHOW CREATE VIEW seen")
    new = replace(real, one=real.one.with_next_login(Secret("next")))
    real.server.add_login(new.one)
    try:
        real.server.drop_former_logins(new.one)

        def ask(text: str) -> str:
            return query(new, text, real.one.database, user=new.one.login, password="next")

        login = f"`{real.one.login}`@"
        assert "invalid" in ask("SELECT n FROM broken")
        assert ask("DROP VIEW broken") == ""
        assert new.settings is not None
        dumped = b"".join(MariadbDumps(new.settings).dump(new.one)).decode()
        (left,) = [line for line in dumped.splitlines() if login in line]
        assert "TRIGGER" in left
        assert ask("SHOW CREATE VIEW seen") == before.replace(login, f"`{new.one.login}`@")
        assert ask("CALL shown(); SELECT two(); SELECT n FROM above").split() == ["7", "2", "7"]
        assert ask("INSERT INTO made VALUES (1, 'ä;'); SELECT max(n), min(n) FROM seen") == "7\t2"
        assert ask("ALTER VIEW above AS SELECT n + 1 AS n FROM seen WHERE n = 7") == ""
        assert ask("SELECT n FROM above") == "8"
    finally:
        real.server.add_login(real.one)
        real.server.drop_former_logins(real.one)
    assert query(real, "SELECT two()") == "2"
    query(real, "DROP VIEW seen, above; DROP TABLE made; DROP EVENT daily;")
    query(real, "DROP PROCEDURE shown; DROP FUNCTION two;")


def test_another_login_takes_the_place_of_the_first(real: Running) -> None:
    """Both work until the former one is ended; what that made works on."""
    query(real, "CREATE TABLE counted AS SELECT 7 AS n; CREATE VIEW seen AS SELECT n FROM counted")
    new = real.one.with_next_login(Secret("next"))
    real.server.add_login(new)
    real.server.add_login(new)
    assert query(real, "SELECT 1") == "1"
    assert query(real, "SELECT 2", user=new.login, password="next") == "2"
    wait_until_quiet(real.server, new)
    assert real.server.drop_former_logins(new) == 0
    assert "Access denied" in query(real, "SELECT 1") or "locked" in query(real, "SELECT 1")
    assert query(real, "SELECT n FROM seen", user=new.login, password="next") == "7"
    real.server.add_login(real.one)
    real.server.drop_former_logins(real.one)
    assert query(real, "SELECT n FROM seen; DROP VIEW seen; DROP TABLE counted") == "7"
