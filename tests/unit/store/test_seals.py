"""Secrets in the store are sealed, bound to their place and the server's key, and scrubbed."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.domain.logs.drains import Drain
from paas.domain.server.allocations import Ranges
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName
from paas.domain.values.secret import Secret
from paas.store import Store, seals
from paas.store.copies import Copies
from paas.store.creation import create, create_for_installation
from paas.store.recovery import DatabaseRecovery
from paas.store.schema import MIGRATIONS
from paas.store.server_keys import ServerKeys

INSTALL = Path(__file__).parents[3] / "docs/reference/install.md"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CANARY = "canary-7d1c0a"
VALUE = f"{CANARY} \n é \udcff %s 'x'"
URL = f"https://paas:{CANARY}@logs.example.com/"
# The schema before anything was sealed.
CLEAR = next(n for n, text in enumerate(MIGRATIONS) if "CREATE TABLE sealing" in text)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A new store's file, and the server's key."""
    create(tmp_path / "state.db")
    keys(tmp_path / "state.db").create()
    return tmp_path / "state.db"


def keys(path: Path) -> ServerKeys:
    """The keys as another process reads them."""
    return ServerKeys(path.with_name("server.key"))


def store(path: Path) -> Store:
    """A store as a process opens it."""
    return Store(path, Ranges(uids=(70000, 70999)), keys(path))


def fill(path: Path, *, apps: int = 2) -> Store:
    """Apps with two releases and a drain each."""
    made = store(path)
    for number in range(apps):
        app = made.apps.add(AppName(f"app-{number}"), None, NOW)
        for _ in range(2):
            config = {"TOKEN": Secret(VALUE), "N": Secret(str(number))}
            made.releases.add(
                app.id, slug_id=None, config=config, description="", user="ann", now=NOW
            )
        made.drains.add(Drain(f"d.{number}", app.id, Secret(URL)))
    return made


def read(path: Path) -> list[tuple[str, str, str]]:
    """What another process can open: for each app its number, its token and its drain."""
    made = store(path)
    found = []
    for app in made.apps.all():
        first, last = made.releases.of_app(app.id)
        assert first.config == last.config
        (drain,) = made.drains.of_app(app.id)
        found.append(
            (first.config["N"].reveal(), first.config["TOKEN"].reveal(), drain.url.reveal())
        )
    made.close()
    return found


def assert_no_canary(folder: Path) -> None:
    """In no byte of any file, not even in parts that nothing refers to."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            assert CANARY.encode() not in file.read_bytes(), file


def write_in_clear(path: Path, *, apps: int = 3) -> None:
    """A store as a former version left it, with clear text in free pages and the WAL."""
    made = sqlite3.connect(path, isolation_level=None)
    made.execute("PRAGMA journal_mode = WAL")
    made.execute("PRAGMA secure_delete = OFF")
    for statement in ";".join(MIGRATIONS[:CLEAR]).split(";"):
        made.execute(statement)
    made.execute(f"PRAGMA user_version = {CLEAR}")
    config = f'{{"N": "1", "TOKEN": "{CANARY}"}}'
    for id in range(1, apps + 1):
        made.execute(
            "INSERT INTO apps (id, name, uid, created_at) VALUES (?, ?, ?, '2026-01-01')",
            (id, f"app-{id}", 70000 + id),
        )
        for version in (1, 2):
            made.execute(
                "INSERT INTO releases VALUES (?, ?, NULL, ?, 'succeeded', '', 'ann', '2026-01-01')",
                (id, version, config),
            )
        made.execute("INSERT INTO drains VALUES (?, ?, ?)", (f"d.{id}", id, URL))
    made.execute("DELETE FROM releases WHERE app_id = ?", (apps,))
    made.execute("DELETE FROM apps WHERE id = ?", (apps,))
    made.close()


def test_nothing_is_in_the_clear(path: Path) -> None:
    """Not in the database, nor in the files beside it, nor in a copy."""
    made = fill(path)
    Copies(path, keys(path)).latest()
    assert_no_canary(path.parent)
    made.close()
    assert_no_canary(path.parent)
    assert read(path) == [("0", VALUE, URL), ("1", VALUE, URL)]


@pytest.mark.parametrize(
    "swap",
    [
        "UPDATE releases SET config = (SELECT config FROM releases WHERE app_id = 2) "
        "WHERE app_id = 1",
        "UPDATE releases SET config = (SELECT config FROM releases WHERE app_id = 1 "
        "AND version = 1) WHERE app_id = 1 AND version = 2",
        "UPDATE releases SET config = substr(config, 1, length(config) - 8) || 'AAAAAAA='",
        "UPDATE releases SET config = substr(config, 1, 30)",
    ],
)
def test_a_value_opens_in_its_place_only(path: Path, swap: str) -> None:
    """A value that was changed, or moved to another app or release, is refused with a reason."""
    fill(path).close()
    with closing(sqlite3.connect(path)) as edited:
        edited.execute(swap)
        edited.commit()
    release = store(path).releases.find(1, 2)
    assert release is not None
    with pytest.raises(PaasError) as caught:
        release.config.get("TOKEN")
    assert caught.value.reference == "seal-broken"
    assert "release v2 of the app with the id 1" in caught.value.message


def test_config_does_not_show_itself(path: Path) -> None:
    """In whatever way a release is printed."""
    release = fill(path).releases.find(1, 1)
    assert CANARY not in repr(release)
    assert CANARY not in str(release)


@pytest.mark.parametrize("how", ["missing", "another", "damaged"])
def test_a_store_without_its_key(path: Path, how: str) -> None:
    """Every command refuses it and says what to do; nothing is changed."""
    fill(path).close()
    Copies(path, keys(path)).latest()
    file = keys(path).path
    key = file.read_text()
    file.unlink()
    if how == "another":
        keys(path).create()
    elif how == "damaged":
        file.write_text(key.replace("=", ""))
    for fault in (DatabaseRecovery(path, keys(path)).fault(), refusal(path)):
        assert fault is not None
        assert fault.reference == "store-key"
        assert str(file) in fault.message
        assert ("is missing" in fault.message) == (how == "missing")
        assert "Running apps are still served" in fault.message
        assert fault.hint is not None
        assert "copy" in fault.hint
    (copy,) = DatabaseRecovery(path, keys(path)).copies()
    assert copy.fault is not None
    assert str(file) in copy.fault
    with pytest.raises(PaasError):
        DatabaseRecovery(path, keys(path)).adopt()
    if how == "missing":  # an installation does not make another
        create_for_installation(path, file)
        assert not file.exists()
    file.write_text(key)
    assert DatabaseRecovery(path, keys(path)).fault() is None
    assert read(path) == [("0", VALUE, URL), ("1", VALUE, URL)]


def test_a_key_that_is_lost_for_good(path: Path) -> None:
    """The steps in the reference bring the server back, without what the key sealed."""
    fill(path).close()
    file = keys(path).path
    file.unlink()
    told = re.findall(r'state\.db "(PRAGMA .*?COMMIT)"', INSTALL.read_text(), re.DOTALL)
    with closing(sqlite3.connect(path)) as edited:
        for column in seals.COLUMNS:
            if column.table not in {"releases", "drains"}:
                add_sealed(edited, column.table, column.name)
        edited.commit()
        edited.executescript(told[0])
    create_for_installation(path, file)
    made = store(path)
    made.sealing.settle()
    assert [app.name for app in made.apps.all()] == ["app-0", "app-1"]
    assert [dict(release.config) for release in made.releases.of_app(1)] == [{}, {}]
    assert made.drains.all() == []
    with closing(sqlite3.connect(path)) as reading:
        ((password,),) = reading.execute("SELECT password FROM datastores").fetchall()
    assert len(made.sealing.unseal(seals.datastore_place("x"), password)) == 48
    assert DatabaseRecovery(path, keys(path)).fault() is None


def add_sealed(connection: sqlite3.Connection, table: str, column: str) -> None:
    """A row of the app with the id 1, with that column sealed with a key that is lost."""
    given: dict[str, object] = {}
    for _, name, kind, required, default, primary in connection.execute(
        f"PRAGMA table_info({table})"
    ):
        if (required or primary) and default is None:
            given[name] = 1 if kind == "INTEGER" else "x"
    given[column] = "sealed:0123456789abcdef:AAAA"
    marks = ", ".join("?" * len(given))
    connection.execute(
        f"INSERT INTO {table} ({', '.join(given)}) VALUES ({marks})", (*given.values(),)
    )


def refusal(path: Path) -> PaasError:
    """What every command says."""
    with pytest.raises(PaasError) as caught:
        store(path).apps.all()
    return caught.value


def test_no_key_and_no_secret_yet(path: Path) -> None:
    """A store without secrets opens; the first secret is refused."""
    keys(path).path.unlink()
    made = store(path)
    app = made.apps.add(AppName("shop"), None, NOW)
    with pytest.raises(PaasError) as caught:
        made.drains.add(Drain("d.1", app.id, Secret(URL)))
    assert caught.value.reference == "store-key"
    assert made.drains.all() == []


def test_a_store_of_a_former_version(tmp_path: Path) -> None:
    """Its secrets are sealed, no byte of them is left: free pages, write-ahead log, copies."""
    path = tmp_path / "state.db"
    write_in_clear(path)
    Copies(path).hourly(NOW)
    Copies(path).latest()
    keys(path).create()
    had_it_open = store(path)
    had_it_open.apps.all()  # migrates it, which makes one more copy
    assert had_it_open.drains.of_app(1)[0].url.reveal() == URL
    assert not had_it_open.sealing.is_settled()
    store(path).sealing.settle()
    assert_no_canary(tmp_path)
    assert had_it_open.sealing.is_settled()
    assert read(path) == [("1", CANARY, URL)] * 2
    copies = DatabaseRecovery(path, keys(path)).copies()
    assert [(copy.apps, copy.fault) for copy in copies] == [(2, None)] * 3
    at = {copy.path.name: copy.path.stat().st_mode & 0o777 for copy in copies}
    assert set(at.values()) == {0o600}
    before = path.stat().st_mtime_ns
    store(path).sealing.settle()
    assert path.stat().st_mtime_ns == before


def test_a_command_of_a_former_version_ends_late(path: Path) -> None:
    """What it wrote in the clear can be read, and is sealed at the next check."""
    made = fill(path, apps=1)
    made.sealing.settle()
    config = f'{{"N": "0", "TOKEN": "{CANARY}"}}'
    with closing(sqlite3.connect(path)) as former:
        former.execute("UPDATE releases SET config = ?", (config,))
        former.commit()
    assert read(path) == [("0", CANARY, URL)]
    assert not made.sealing.is_settled()
    made.sealing.settle()
    assert_no_canary(path.parent)
    assert read(path) == [("0", CANARY, URL)]


def kill_while(path: Path, what: str, after_s: float) -> bool:
    """Start settling or changing the key, and kill it; whether it had already ended."""
    going, told = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            made = store(path)
            os.write(told, b"going")
            getattr(made.sealing, what)()
            os._exit(0)
        finally:
            os._exit(1)
    os.close(told)
    assert os.read(going, 5) == b"going"
    os.close(going)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_settling_that_is_killed(tmp_path: Path) -> None:
    """At any moment: everything can be read, and the next check completes it."""
    path = tmp_path / "state.db"
    write_in_clear(path, apps=200)
    Copies(path).hourly(NOW)
    keys(path).create()
    after_s = 0.0
    while not kill_while(path, "settle", after_s):
        assert read(path)[0] == ("1", CANARY, URL)
        after_s = 1.1 * after_s + 0.005  # not endless on a slow machine
    assert_no_canary(tmp_path)
    assert read(path) == [("1", CANARY, URL)] * 199


def test_another_key(path: Path) -> None:
    """It alone opens everything, including copies; the former key is gone."""
    made = fill(path)
    open_elsewhere = store(path)
    before = open_elsewhere.releases.find(1, 1)
    Copies(path, keys(path)).hourly(NOW)
    Copies(path, keys(path)).latest()
    former = keys(path).newest()
    made.sealing.rotate()
    new = keys(path).newest()
    assert new != former
    assert keys(path).find(former) is None
    for file in path.parent.rglob("*"):
        assert not file.is_file() or former.encode() not in file.read_bytes(), file
    assert read(path) == [("0", VALUE, URL), ("1", VALUE, URL)]
    copies = DatabaseRecovery(path, keys(path)).copies()
    assert [(copy.apps, copy.fault) for copy in copies] == [(2, None)] * 2
    # Processes that were already running: one reads what it found before, and writes.
    assert before is not None
    assert before.config["TOKEN"].reveal() == VALUE
    open_elsewhere.drains.add(Drain("d.9", 1, Secret(URL)))
    assert [drain.url.reveal() for drain in store(path).drains.all()] == [URL] * 3


def test_another_key_that_is_killed(path: Path) -> None:
    """At any moment: everything can be read and written, and the next call completes it."""
    fill(path, apps=200).close()
    Copies(path, keys(path)).hourly(NOW)
    first = keys(path).newest()
    after_s = 0.0
    while not kill_while(path, "rotate", after_s):
        assert read(path)[0] == ("0", VALUE, URL)
        made = store(path)
        made.drains.remove("d.9999")
        made.drains.add(Drain("d.9999", 200, Secret(URL)))
        made.drains.remove("d.9999")
        made.close()
        after_s = 1.1 * after_s + 0.005  # not endless on a slow machine
    assert len(keys(path).path.read_text().splitlines()) == 3
    assert keys(path).find(first) is None
    assert [found[1:] for found in read(path)] == [(VALUE, URL)] * 200
    assert {copy.fault for copy in DatabaseRecovery(path, keys(path)).copies()} == {None}


WRITER = """
import sys
from pathlib import Path
from paas.domain.logs.drains import Drain
from paas.domain.server.allocations import Ranges
from paas.domain.values.secret import Secret
from paas.store import Store, seals
from paas.store.server_keys import ServerKeys
path = Path(sys.argv[1])
store = Store(path, Ranges(uids=(70000, 70999)), ServerKeys(path.with_name("server.key")))
for number in range(100):
    store.drains.add(Drain(f"w.{sys.argv[2]}-{number}", 1, Secret(sys.argv[3])))
    assert {drain.url.reveal() for drain in store.drains.all()} == {sys.argv[3]}
    if number == 5:
        print("going", flush=True)
"""


def test_another_key_while_others_write(path: Path) -> None:
    """What they write is sealed with the key that the database uses at that moment."""
    made = fill(path, apps=1)
    argv = [sys.executable, "-c", WRITER, str(path)]
    writers = [
        subprocess.Popen([*argv, str(number), URL], stdout=subprocess.PIPE) for number in range(2)
    ]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.readline()
    while any(writer.poll() is None for writer in writers):
        made.sealing.rotate()
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    assert [drain.url.reveal() for drain in store(path).drains.all()] == [URL] * 201


def test_a_new_store_has_nothing_to_scrub(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So nothing rewrites it while the first commands write to it."""
    new = path.with_name("new") / "state.db"
    new.parent.mkdir()
    file = new.with_name("server.key")
    create_for_installation(new, file)
    made = Store(new, Ranges(uids=(70000, 70999)), ServerKeys(file))
    monkeypatch.setattr(made.database, "rewrite", lambda: pytest.fail("it is rewritten"))
    made.sealing.settle()
    with made.database.reading() as connection:
        assert connection.execute("SELECT changes FROM identity").fetchone()[0] == 0
