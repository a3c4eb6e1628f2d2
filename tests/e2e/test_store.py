"""The database is emptied, removed, replaced or damaged on a running server: nothing is lost."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.server import Repository, Server, User, installed
from tests.e2e.tiny import app_id, program, tiny, upgraded
from tests.waiting import wait_for

MakeRepository = Callable[..., Repository]


@pytest.fixture(scope="module")
def fragile() -> Iterator[Server]:
    """A server whose database these tests spoil, with an app that has storage."""
    settings = {"min_free_mib": 64, "watch_window_s": 0}
    with installed(Server.in_new_directory(settings)) as made:
        yield made


@pytest.fixture
def shop(fragile: Server, repository: MakeRepository) -> Iterator[User]:
    """The owner of the app ``shop``, which is live and whose latest change was copied."""
    owner = fragile.user("olga")
    if "shop" not in fragile.paas("apps").stdout:
        owner.push(repository(tiny("v1")), "shop")
        fragile.paas("storage:add", "/app/data", "-a", "shop")
        photo(fragile).write_text("precious")
    # One that starts anew copies at once; after a copy that failed, it waits a minute.
    end_monitor(fragile)
    copied(fragile)
    yield owner
    assert fragile.get("shop").text == "v1"
    assert photo(fragile).read_text() == "precious"
    assert fragile.paas("config:set", "A=1", "-a", "shop").returncode == 0


def end_monitor(server: Server) -> None:
    """The supervisor starts another."""
    for pid, line in server.processes().items():
        if "daemons.monitor" in line:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(pid, signal.SIGTERM)


def photo(server: Server) -> Path:
    """A file in the app's storage."""
    with contextlib.suppress(sqlite3.DatabaseError, TypeError):
        (server.scratch / "id").write_text(str(app_id(server, "shop")))
    (found,) = (server.state / "storage" / (server.scratch / "id").read_text()).iterdir()
    return found / "photo.jpg"


def database(server: Server) -> Path:
    """The file."""
    return server.state / "state.db"


def copied(server: Server) -> None:
    """Wait until the latest copy has seen what the store has."""

    def changes(path: Path) -> int:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT changes FROM identity").fetchone()[0])

    latest = server.state / "copies" / "latest.db"
    wait_for(
        lambda: latest.exists() and changes(latest) == changes(database(server)),
        what="a copy of the database",
    )


def put(server: Server, content: bytes) -> None:
    """Replace the database, as somebody who knows nothing of SQLite would."""
    for path in server.state.glob("state.db-*"):
        path.unlink()
    database(server).unlink(missing_ok=True)
    database(server).write_bytes(content)


READING = (["apps"], ["ps", "-a", "shop"])
CHANGING = (["config:set", "B=2", "-a", "shop"], ["apps:create", "another"])


def refused(
    server: Server, owner: User, reason: str, commands: tuple[list[str], ...] = READING + CHANGING
) -> None:
    """These commands say what is wrong and what to do; none ends in a traceback."""
    for words in commands:
        for ran in (server.paas(*words, check=False), owner.ssh(*words, check=False)):
            assert ran.returncode == 1, ran
            assert reason in ran.stderr
            assert "sudo paas doctor" in ran.stderr
            assert "Traceback" not in ran.stderr
    told = server.paas("doctor", check=False)
    assert reason in told.stderr
    assert "paas doctor --restore-store" in told.stderr
    fixed = server.paas("doctor", "--fix", check=False)
    assert (fixed.returncode, reason in fixed.stderr) == (1, True)
    assert reason in json.loads(server.paas("server:status", "--json", check=False).stdout)["store"]
    assert reason in server.paas("server:status", check=False).stderr


def restart(server: Server, meanwhile: Callable[[], None] = lambda: None) -> str:
    """Stop and start it; what a reboot empties is emptied. Returns what the start says."""
    server.paas("server:stop")
    meanwhile()
    for folder in ("specs", "fifos", "crash"):
        shutil.rmtree(server.run / folder, ignore_errors=True)
    return server.paas("server:start", timeout_s=180).stderr


def serves(server: Server, app: str = "shop", text: str = "v1") -> None:
    """It answers, also right after a start."""
    server.await_answer(app, text)


def test_an_emptied_store(fragile: Server, shop: User) -> None:
    """truncate -s0 and a start: the app runs, from the copy, and nothing is deleted."""
    told = restart(fragile, lambda: os.truncate(database(fragile), 0))
    assert "is missing or empty" in told
    serves(fragile)
    refused(fragile, shop, "is missing or empty")
    assert photo(fragile).read_text() == "precious"
    assert database(fragile).stat().st_size == 0
    fragile.paas("doctor", "--restore-store")
    assert "shop" in fragile.paas("apps").stdout
    assert "the database" in fragile.paas("doctor", check=False).stderr
    fragile.paas("doctor", "--empty-trash")


def test_a_store_that_is_removed_while_it_runs(fragile: Server, shop: User) -> None:
    """The next command makes no new one."""
    database(fragile).unlink()
    refused(fragile, shop, "is missing or empty")
    assert not database(fragile).exists()
    serves(fragile)
    fragile.paas("doctor", "--restore-store")


def test_an_older_backup(fragile: Server, shop: User, repository: MakeRepository) -> None:
    """It is refused; adopted it takes nothing from what is newer: that runs on, or is moved."""
    ada = User(fragile, "ada")
    fragile.paas("keys:add", "ada", "--admin", stdin=ada.public_key)
    fragile.paas("apps:create", "unowned")
    with contextlib.closing(sqlite3.connect(database(fragile))) as live:
        live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    backup = database(fragile).read_bytes()
    newer = repository(tiny("newer"))
    shop.push(newer, "newer")
    late = fragile.user("late")
    fragile.paas("keys:add", "ada", "--member", stdin=User(fragile, "ada-at-home").public_key)
    fragile.paas("apps:create", "idle")
    pushed = repository(tiny("v1", **{"more.txt": "2"}))
    visit = contextlib.ExitStack()
    visit.enter_context(upgraded(fragile, "shop"))
    shop.push(pushed, "shop", "--force")
    there = {path.name for path in (fragile.state / "git").iterdir()}
    idle = app_id(fragile, "idle")
    copied(fragile)
    put(fragile, backup)
    # The former version ends only now, and what ends it finds the other database.
    visit.close()
    refused(fragile, shop, "is an older copy", CHANGING)
    reader = fragile.paas
    shows = reader("apps")
    assert ("shop" in shows.stdout, "newer" in shows.stdout) == (True, False)
    assert "is an older copy" in shows.stderr
    assert "sudo paas doctor" in shows.stderr
    assert "web.1" in reader("logs", "-a", "shop").stdout
    assert "v1" in reader("releases", "-a", "shop").stdout
    assert json.loads(reader("config", "--json", "-a", "shop").stdout) is not None
    assert "web.1" in reader("ps", "-a", "shop").stdout
    assert "shop" in reader("domains", "-a", "shop").stdout
    # What users might see may have been taken from them since.
    for user in (shop, ada, late):
        refusal = user.ssh("logs", "-a", "shop", check=False)
        assert (refusal.returncode, refusal.stdout) == (1, "")
        assert "is an older copy" in refusal.stderr
    assert "unowned" in fragile.paas("apps").stdout
    refused(fragile, shop, "is an older copy", CHANGING)

    adopted = fragile.paas("doctor", "--adopt-store")
    assert "is running and served" in adopted.stderr
    serves(fragile)
    serves(fragile, "newer", "newer")
    left = {path.name for path in (fragile.state / "git").iterdir()}
    assert there - left == {f"{idle}.git"}
    assert list((fragile.state / "lost").glob(f"*/files/git/{idle}.git/HEAD"))
    # What the database knew of them is there yet, too.
    known = set()
    for kept in (fragile.state / "lost").glob("*/files/copies/latest.db"):
        with contextlib.closing(sqlite3.connect(kept)) as former:
            known |= {row[0] for row in former.execute("SELECT name FROM apps")}
    assert {"shop", "newer", "idle"} <= known
    status = json.loads(fragile.paas("server:status", "--json").stdout)
    assert f"app {idle}" in [lost["what"] for lost in status["lost"]]
    # The next roll-out of the app is one as any other.
    pushed.commit({"serve.py": program("v1"), "again.txt": "3"})
    shop.push(pushed, "shop", "--force")
    restart(fragile)
    serves(fragile)
    wait_for(
        lambda: list((fragile.state / "lost").glob("*/files/git/*/HEAD"))[1:], what="the trash"
    )
    fragile.paas("doctor", "--empty-trash")


def test_a_damaged_store(fragile: Server, shop: User) -> None:
    """It is named as such, the server starts from the copy, and doctor puts it right."""
    put(fragile, b"SQLite format 3\0" + os.urandom(50_000))
    refused(fragile, shop, "is damaged")
    restart(fragile)
    serves(fragile)
    refused(fragile, shop, "is damaged")
    fragile.paas("doctor", "--restore-store")


def test_a_restore_that_is_killed(fragile: Server, shop: User) -> None:
    """At whatever moment: called again it comes to its end, and nothing is lost."""
    command = [str(fragile.root / "opt/current/venv/bin/python"), "-I", "-m"]
    command += ["paas.entrypoints.cli", "--etc", str(fragile.root / "etc")]
    for tenths in range(1, 9):
        if fragile.paas("apps", check=False).returncode == 0:
            copied(fragile)
            os.truncate(database(fragile), 0)
        restoring = subprocess.Popen([*command, "doctor", "--restore-store"], stderr=-3)
        with contextlib.suppress(subprocess.TimeoutExpired):
            restoring.wait(tenths / 10)
        restoring.send_signal(signal.SIGKILL)
        restoring.wait()
        serves(fragile)
    if fragile.paas("apps", check=False).returncode:
        fragile.paas("doctor", "--restore-store")
    fragile.paas("doctor", "--fix", check=False)  # an app may be starting yet
    assert "shop" in fragile.paas("apps").stdout


def test_an_upgrade_makes_no_store(fragile: Server, shop: User) -> None:
    """install.sh run again restores nothing unasked, and makes no empty store."""
    database(fragile).unlink()
    upgraded = fragile.install("--quiet", check=False)
    assert "is missing or empty" in upgraded.stderr
    assert not database(fragile).exists()
    serves(fragile)
    fragile.paas("doctor", "--restore-store")
