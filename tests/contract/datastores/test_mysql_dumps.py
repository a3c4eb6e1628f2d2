"""Dumps of MariaDB: the same checks on the fake and on the real programs; what comes in is whole,
or nothing changes.
"""

import gzip
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import pytest

from paas.adapters.datastores.mysql import incoming, programs
from paas.adapters.datastores.mysql.dumps import MariadbDumps
from paas.adapters.datastores.mysql.external_dumps import ExternalMysqlDumps
from paas.adapters.datastores.mysql.server import MariadbServer
from paas.adapters.datastores.places import Places
from paas.domain.datastores.external import External, ExternalFacts
from paas.domain.datastores.names import DatastoreName
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces.dumps import DatastoreDumps, ExternalDumps
from tests.contract.datastores.keeping import (
    OBJECT,
    has_process,
    keeping,
    kill_in_the_middle,
    leaves_nothing_on_a_full_disk,
    refuses_what_was_spoiled,
    stalled,
)
from tests.contract.datastores.serving import serving
from tests.contract.datastores.test_mysql import ONE, PASSWORD, Running, query
from tests.contract.runtime.supervisor_server import running_supervisor
from tests.fakes.datastores import FakeDumps, FakeExternalDumps
from tests.fakes.output import FakeProgress
from tests.waiting import wait_for

END = b"\n-- Dump completed on 2026-11-29 15:52:17\n"
USUAL = {"databases", "tmp", "exchange"}
CLEAN = (
    f"DROP DATABASE IF EXISTS {ONE.database}; CREATE DATABASE {ONE.database};"
    f"USE {ONE.database}; CREATE TABLE notes (id int PRIMARY KEY, body text);"
    "INSERT INTO notes SELECT seq, REPEAT(MD5(seq), 20) FROM seq_1_to_5000;"
)


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

    def dumped(self, *, compressed: bool = False) -> bytes:
        """A dump of it."""
        return b"".join(self.dumps.dump(ONE, compressed=compressed))

    def sql(self, text: str) -> str:
        """What the app's client prints."""
        assert self.running is not None
        return query(self.running, text)

    def pid(self) -> int:
        """Of the server, as it tells it itself."""
        return int(self.socket.with_name("mariadb.pid").read_text())

    @property
    def socket(self) -> Path:
        """Of the server; no other one has it."""
        assert self.running is not None
        assert self.running.settings is not None
        return self.running.settings.paths.datastore_sockets / "3" / "mariadb.sock"

    def is_loading(self) -> bool:
        """Whether another server makes files of a dump."""
        assert self.running is not None
        return has_process(f"--datadir={self.running.root / 'data' / 'incoming'}")

    def is_dumping(self) -> bool:
        """Whether mariadb-dump runs."""
        return has_process("mariadb-dump", str(self.socket))

    def left(self) -> set[str]:
        """What is in the data's directory."""
        assert self.running is not None
        return {path.name for path in (self.running.root / "data").iterdir()}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """One MariaDB for all tests."""
    programs.ensure_installed(FakeProgress())
    with running_supervisor() as found:
        mariadb = MariadbServer(found.settings)
        with serving(mariadb, found.runtime, ONE):
            yield Running(mariadb, found.runtime, found.settings)


@pytest.fixture
def real(server: Running) -> Dumping:
    """MariaDB itself."""
    assert isinstance(server.server, MariadbServer)
    assert server.settings is not None
    server.server._query(ONE, CLEAN)
    return Dumping(MariadbDumps(server.settings), server)


@pytest.fixture(params=["fake", "real"])
def dumping(request: pytest.FixtureRequest) -> Dumping:
    """Each of them."""
    if request.param == "real":
        found: Dumping = request.getfixturevalue("real")
        return found
    fake = FakeDumps()
    fake.content[ONE.name] = b"PGDMP 5000 notes"
    return Dumping(fake, None)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_dump_is_whole_and_comes_back(dumping: Dumping, *, compressed: bool) -> None:
    """What was changed since is as before."""
    dump = dumping.dumped(compressed=compressed)
    with dumping.dumps.checking(ONE) as check:
        check(dump[:1])
        check(dump[1:])
    dumping.dumps.empty(ONE, lambda _text: None)
    assert dumping.dumps.is_empty(ONE)
    dumping.load(dump)
    assert not dumping.dumps.is_empty(ONE)
    assert not dumping.dumps.tidy(ONE)


def elsewhere(words: str = "") -> External:
    """The datastore, as one that is elsewhere, where TLS was found."""
    url = f"mysql+pymysql://{ONE.login}:{quote(PASSWORD, safe='')}@db.example.com:{ONE.port}"
    return External(
        id=1,
        name=DatastoreName("external-curly-1234"),
        kind=ONE.kind,
        app_id=1,
        url=Secret(f"{url}/{ONE.database}{words}"),
        facts=ExternalFacts("10.11.6-MariaDB", encrypted=True),
        created_at=ONE.created_at,
    )


@pytest.fixture(params=["fake", "real"])
def external_dumps(request: pytest.FixtureRequest) -> ExternalDumps:
    """What dumps one elsewhere, each of them."""
    if request.param == "fake":
        fake = FakeExternalDumps()
        fake.content[elsewhere().name] = b"5000 notes" + END
        return fake
    found: Dumping = request.getfixturevalue("real")
    assert found.running is not None
    assert found.running.settings is not None
    return ExternalMysqlDumps(found.running.settings)


@pytest.mark.parametrize("compressed", [False, True])
def test_one_elsewhere_is_dumped(external_dumps: ExternalDumps, *, compressed: bool) -> None:
    """In the form of one of this server."""
    external_dumps.require(elsewhere())
    dump = b"".join(external_dumps.dump(elsewhere(), "127.0.0.1", compressed=compressed))
    with external_dumps.checking(elsewhere()) as check:
        check(dump[:1])
        check(dump[1:])


def test_a_dump_from_elsewhere_comes_into_a_datastore(real: Dumping) -> None:
    """It is one like any other; half of it is noticed, and its password is nowhere."""
    assert real.running is not None
    assert real.running.settings is not None
    dumps = ExternalMysqlDumps(real.running.settings)
    dump = b"".join(dumps.dump(elsewhere(), "127.0.0.1", compressed=True))
    real.sql("DROP TABLE notes")
    real.load(dump)
    assert real.sql("SELECT COUNT(*) FROM notes") == "5000"
    with pytest.raises(PaasError), dumps.checking(elsewhere()) as check:
        check(dump[: len(dump) // 2])
    wrong = elsewhere().url.reveal().replace(quote(PASSWORD, safe=""), "wrong-7d1c0a")
    for encrypted in (True, False):
        facts = ExternalFacts("10.11.6-MariaDB", encrypted=encrypted)
        with pytest.raises(PaasError) as caught:
            one = replace(elsewhere(), url=Secret(wrong), facts=facts)
            b"".join(dumps.dump(one, "127.0.0.1"))
        said = "".join([str(caught.value), *caught.value.context])
        assert "Access denied" in said
        assert "wrong-7d1c0a" not in said


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


def test_half_a_dump(real: Dumping) -> None:
    """It is neither kept nor loaded, compressed or not; all is as before."""
    before = real.pid()
    plain, packed = real.dumped(), real.dumped(compressed=True)
    assert len(packed) < len(plain) / 3
    for part in (plain[: len(plain) // 2], plain[:-60], packed[: len(packed) // 2], packed[:-4]):
        with pytest.raises(PaasError, match="is incomplete"):
            real.load(part)
        with pytest.raises(PaasError, match="is incomplete"), real.dumps.checking(ONE) as check:
            check(part)
    with pytest.raises(PaasError, match="is incomplete"):
        real.load(packed[:1_000] + b"damaged" + packed[1_007:])
    assert real.sql("SELECT COUNT(*) FROM notes") == "5000"
    assert (real.pid(), real.left()) == (before, USUAL)


def test_a_dump_takes_the_place_of_all(real: Dumping) -> None:
    """With views, triggers, routines and events; nothing of before is left."""
    real.sql("CREATE TABLE old (text varchar(9), raw blob)")
    real.sql("INSERT INTO old VALUES ('ä', 0x00ff)")
    real.sql("CREATE VIEW seen AS SELECT * FROM old")
    real.sql("CREATE TRIGGER made BEFORE INSERT ON old FOR EACH ROW SET NEW.text = 'b'")
    real.sql("CREATE PROCEDURE two() SELECT 2; CREATE FUNCTION four() RETURNS int RETURN 4;")
    real.sql("CREATE EVENT five ON SCHEDULE EVERY 1 DAY DO DELETE FROM old")
    dump = real.dumped()
    real.sql("DROP VIEW seen; DROP TABLE old; CREATE TABLE more (n int);")
    real.load(dump)
    assert real.sql("SHOW TABLES").split() == ["notes", "old", "seen"]
    assert real.sql("SELECT text, HEX(raw) FROM seen").split() == ["ä", "00FF"]
    assert real.sql("INSERT INTO old (text) VALUES ('a'); SELECT text FROM old").split() == [
        *("ä", "b")
    ]
    assert real.sql("CALL two(); SELECT four();").split() == ["2", "4"]
    assert "five" in real.sql("SHOW EVENTS")
    assert real.left() == USUAL


def test_what_a_former_login_made_is_in_the_dump(real: Dumping) -> None:
    """MariaDB shows a routine to the login that made it, and there is another one now."""
    running = real.running
    assert running is not None
    real.sql("CREATE PROCEDURE two() SELECT 2; CREATE VIEW seen AS SELECT id FROM notes")
    new = ONE.with_next_login(Secret("next"))
    running.server.add_login(new)
    running.server.drop_former_logins(new)
    try:
        dump = b"".join(real.dumps.dump(new))
        assert b"PROCEDURE `two`() SELECT 2" in dump.replace(b"\n", b" ")
        with real.dumps.spool() as spool:
            spool.write(dump)
            real.dumps.load(new, spool, lambda _text: None)
        rotated = replace(running, one=new)
        called = query(rotated, "CALL two()", new.database, user=new.login, password="next")
        assert called == "2"
        owner = f"DEFINER=`{new.login}`@`%`".encode()
        assert b"".join(real.dumps.dump(new)).count(owner) == 2
    finally:
        running.server.add_login(ONE)
        running.server.drop_former_logins(ONE)


def test_what_belonged_to_an_account_elsewhere_belongs_to_the_login(real: Dumping) -> None:
    """In each of the ways in which a dump has it; not in data."""
    real.sql("DROP TABLE notes; CREATE TABLE more (text text)")
    real.sql("INSERT INTO more VALUES ('a\nCREATE DEFINER=`x`@`y` VIEW')")
    real.sql("CREATE VIEW seen AS SELECT * FROM more")
    real.sql("CREATE TRIGGER made BEFORE INSERT ON more FOR EACH ROW SET NEW.text = 'b'")
    real.sql("CREATE PROCEDURE three() SELECT 3; CREATE FUNCTION four() RETURNS int RETURN 4;")
    real.sql("CREATE EVENT five ON SCHEDULE EVERY 1 DAY DO DELETE FROM more")
    login = f"DEFINER=`{ONE.login}`@`%`".encode()
    dump = real.dumped()
    assert dump.count(login) == 5
    real.load(dump.replace(login, b"DEFINER=`root`@`10.0.0.%`"))
    assert real.dumped().count(login) == 5
    assert real.sql("CALL three(); SELECT four();").split() == ["3", "4"]
    assert real.sql("SELECT text FROM seen") == "a\\nCREATE DEFINER=`x`@`y` VIEW"


@pytest.mark.parametrize(
    "dump",
    [
        b"CREATE TABLE more (n int);\nCREATE SOMETHING wrong;\n",
        b"CREATE TABLE more (n int);\nUSE mysql;\nDROP TABLE global_priv;\n",
        b"\\! touch /tmp/evil\nSELECT nothing FROM nowhere;\n",
    ],
)
def test_a_dump_that_is_not_accepted_changes_nothing(real: Dumping, dump: bytes) -> None:
    """It has no more rights than the app, and starts no programs."""
    before = real.pid()
    with pytest.raises(PaasError, match="cannot be loaded") as caught:
        real.load(dump + END)
    assert "ERROR" in "".join(caught.value.context)
    assert (real.pid(), real.sql("SHOW TABLES")) == (before, "notes")
    assert real.left() == USUAL


def test_whoever_dumps_only_reads(real: Dumping) -> None:
    """The account that dumps is its uid's alone, and changes nothing."""
    real.dumped()
    running = real.running
    assert running is not None
    assert "denied" in query(running, "SELECT 1", "--connect-timeout=120", user="app")
    assert isinstance(running.server, MariadbServer)
    shown = running.server._query(ONE, "SHOW GRANTS FOR app@localhost;")
    assert "unix_socket" in shown
    assert not {"INSERT", "UPDATE", "DELETE", "ALL", "FILE", "SUPER"} & {
        *shown.replace(",", " ").split()
    }


def test_files_that_no_server_starts_on_go_away_again(
    real: Dumping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The former ones serve."""
    running = real.running
    assert running is not None
    assert running.settings is not None

    def damage(places: Places, exchange: Callable[[Places], None] = incoming.exchange) -> None:
        (places.data / "incoming" / "ibdata1").write_bytes(b"damaged")
        exchange(places)

    monkeypatch.setattr(incoming, "exchange", damage)
    slow = Dumping(MariadbDumps(running.settings, start_limit_s=3), running)
    with pytest.raises(PaasError) as caught:
        slow.load(b"CREATE TABLE more (n int);\n" + END)
    assert caught.value.reference == "datastore-not-started"
    wait_for(lambda: running.server.answers(ONE))
    assert real.sql("SHOW TABLES") == "notes"
    assert real.left() == USUAL


@pytest.mark.parametrize("there", ["incoming", "former", "former incoming", "databases former"])
def test_after_a_kill_there_is_one_set_of_files(tmp_path: Path, there: str) -> None:
    """The former ones, unless the new ones have taken their place."""
    places = Places(tmp_path, tmp_path)
    names = there.split()
    present = [] if "former" in names else ["databases"]
    for name in {*names, *present}:
        (places.data / name).mkdir(parents=True)
        (places.data / name / "is").write_text(name)
    assert incoming.is_left(places)
    incoming.mend(places)
    assert not incoming.is_left(places)
    assert [path.name for path in places.data.iterdir()] == ["databases"]
    kept = "former" if "databases" not in {*names, *present} else "databases"
    assert (places.data / "databases" / "is").read_text() == kept


def test_a_killed_dump_leaves_nothing(real: Dumping, tmp_path: Path) -> None:
    """Neither an object nor a process; the next one is whole."""
    kept = keeping(real.dumps, ONE, tmp_path)

    def work() -> None:
        kept.objects.write(OBJECT, stalled(real.dumps.dump(ONE)))

    kill_in_the_middle(work, begun=real.is_dumping)
    wait_for(lambda: not real.is_dumping())
    assert kept.names() == []
    kept.keep()
    assert kept.names() == [OBJECT]


def test_a_killed_load_leaves_what_was_there(real: Dumping) -> None:
    """Nothing of it goes on; what it left is removed, and the next one is whole."""
    before, dump = real.pid(), real.dumped()
    endless = dump.replace(END[1:10], b"DO SLEEP(600);\n" + END[1:10])
    assert endless != dump
    kill_in_the_middle(lambda: real.load(endless), begun=real.is_loading)
    wait_for(lambda: not real.is_loading())
    assert real.pid() == before
    assert real.sql("SELECT COUNT(*) FROM notes") == "5000"
    assert real.dumps.tidy(ONE)
    assert real.left() == USUAL
    real.sql("DELETE FROM notes")
    real.load(dump)
    assert real.sql("SELECT COUNT(*) FROM notes") == "5000"


def test_what_was_spoiled_at_the_target(real: Dumping, tmp_path: Path) -> None:
    """It is refused, and all is as before."""
    before = real.pid()
    kept = keeping(real.dumps, ONE, tmp_path)
    refuses_what_was_spoiled(kept)
    assert real.pid() != before
    assert real.sql("SELECT COUNT(*) FROM notes") == "5000"


def test_a_full_disk_at_the_target(real: Dumping, tmp_path: Path) -> None:
    """Nothing is kept, and nothing runs on."""
    real.sql("CREATE TABLE noise AS SELECT RANDOM_BYTES(1000) AS raw FROM seq_1_to_3000")
    leaves_nothing_on_a_full_disk(keeping(real.dumps, ONE, tmp_path))
    wait_for(lambda: not real.is_dumping())


def test_a_dump_that_fails_does_not_end(real: Dumping) -> None:
    """Whoever reads it gets the error instead of the end; and no password."""
    real.sql("CREATE VIEW broken AS SELECT * FROM notes; RENAME TABLE notes TO other")
    with pytest.raises(PaasError, match="mariadb-dump of") as caught:
        real.dumped()
    assert "broken" in caught.value.report
    assert PASSWORD not in caught.value.report


def test_each_form(real: Dumping) -> None:
    """By mysqldump's words of elsewhere, also compressed."""
    dump = real.dumped()
    packed = subprocess.run(["zstd", "-qc"], input=dump, capture_output=True, check=True).stdout
    for form in (gzip.compress(dump), packed):
        real.sql("DELETE FROM notes")
        real.load(form)
        assert real.sql("SELECT COUNT(*) FROM notes") == "5000"
