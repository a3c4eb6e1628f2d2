"""A store that is an older copy can be read by the commands that only read, and by nothing else."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from paas.domain.people.access import Holder
from paas.domain.people.origins import UNKNOWN_ORIGIN
from paas.domain.people.permissions import Permission
from paas.domain.people.users import Role
from paas.domain.server.allocations import Ranges
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, UserName
from paas.entrypoints.cli import reading
from paas.entrypoints.cli.command_table import root
from paas.services.people.admission import Admission
from paas.store import Store
from paas.store.creation import create
from paas.store.mark import MarkFile
from tests.fakes.guarding import FakeLastUses
from tests.fakes.output import FakeClock, FakeProgress

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RANGES = Ranges(uids=(70000, 70999))
ANNA, BORIS, CLARA = (UserName(name) for name in ("anna", "boris", "clara"))


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A store put back from a backup: anna was an admin then, and clara was not there yet."""
    path = tmp_path / "state.db"
    create(path)
    store = Store(path, RANGES)
    store.users.add(ANNA, Role.ADMIN, NOW)
    store.users.add(BORIS, Role.MEMBER, NOW)
    store.apps.add(AppName("hers"), Holder(ANNA), NOW)
    store.apps.add(AppName("his"), Holder(BORIS), NOW)
    store.close()
    shutil.copy(path, tmp_path / "backup.db")
    store.users.add(CLARA, Role.MEMBER, NOW)
    store.users.add(ANNA, Role.MEMBER, NOW)
    store.close()
    shutil.copy(tmp_path / "backup.db", path)
    return path


def put(path: Path, content: bytes) -> None:
    """Replace the store, and what SQLite keeps beside it."""
    for beside in path.parent.glob("state.db-*"):
        beside.unlink()
    path.write_bytes(content)


def admitted(store: Store, name: str | None) -> tuple[list[str], str]:
    """The apps that are seen by a reading command, and what it says."""
    said = FakeProgress()
    admission = Admission(store=store, uses=FakeLastUses(), clock=FakeClock(), authorities=set())
    actor = reading.admit(store, admission, name, UNKNOWN_ORIGIN, said)
    return [app.name for app in store.apps.all() if actor.may(Permission.VIEW, app)], "\n".join(
        said.lines
    )


def test_it_is_read_where_that_is_asked_for(older: Path) -> None:
    """Nobody else can read it: what acts on what it reads would undo what is newer."""
    with pytest.raises(PaasError) as caught:
        Store(older, RANGES).apps.all()
    assert caught.value.reference == "store-older"
    store = Store(older, RANGES)
    fault = store.read_older()
    assert fault is not None
    assert fault.reference == "store-older"
    assert [app.name for app in store.apps.all()] == ["hers", "his"]


def test_nothing_can_be_written_to_it(older: Path) -> None:
    """Every change is refused with the words that refused it before; file and mark stay so."""
    before, mark = older.read_bytes(), MarkFile(older).read()
    store = Store(older, RANGES)
    store.read_older()
    with pytest.raises(PaasError) as caught:
        store.apps.add(AppName("new"), None, NOW)
    assert caught.value.reference == "store-older"
    assert "nothing can be changed" in caught.value.message
    store.close()
    assert older.read_bytes() == before
    assert MarkFile(older).read() == mark


def test_one_of_an_older_version_stays_closed(older: Path) -> None:
    """To read it would take a migration, which changes it."""
    with closing(sqlite3.connect(older)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.execute(f"PRAGMA user_version = {version - 1}")
    with pytest.raises(PaasError) as caught:
        Store(older, RANGES).read_older()
    assert caught.value.reference == "store-older"


@pytest.mark.parametrize("how", ["foreign", "missing", "damaged"])
def test_what_else_is_wrong_is_refused_as_before(older: Path, tmp_path: Path, how: str) -> None:
    """Only an older copy of this server's own store has answers that were true once."""
    (tmp_path / "other").mkdir()
    create(tmp_path / "other" / "state.db")
    foreign = (tmp_path / "other" / "state.db").read_bytes()
    put(older, {"foreign": foreign, "missing": b"", "damaged": b"nonsense" * 1000}[how])
    with pytest.raises(PaasError) as caught:
        Store(older, RANGES).read_older()
    assert caught.value.reference == f"store-{how}"


def test_a_whole_store_is_as_ever(tmp_path: Path) -> None:
    """A reading command that finds nothing wrong says nothing, and admins are admins."""
    create(tmp_path / "state.db")
    store = Store(tmp_path / "state.db", RANGES)
    store.users.add(ANNA, Role.ADMIN, NOW)
    store.apps.add(AppName("his"), None, NOW)
    assert admitted(store, "anna") == (["his"], "")
    store.apps.add(AppName("new"), None, NOW)


@pytest.mark.parametrize("name", [ANNA, BORIS, CLARA])
def test_no_user_reads_it(older: Path, name: str) -> None:
    """What they might see may have been taken from them since; they hear why, even newer users."""
    with pytest.raises(PaasError) as caught:
        admitted(Store(older, RANGES), name)
    assert caught.value.reference == "store-older"


def test_the_operator_sees_everything(older: Path) -> None:
    """Root reads the file anyway."""
    seen, told = admitted(Store(older, RANGES), None)
    assert seen == ["hers", "his"]
    assert "is an older copy" in told


@pytest.mark.parametrize(
    ("words", "reads"),
    [
        (["logs", "-a", "shop"], True),
        (["--app", "shop", "--terminal", "80", "true", "logs", "-t"], True),
        (["--app=shop", "--stdin-terminal", "config:get", "A"], True),
        (["tail", "-a", "shop"], True),
        (["config:set", "A=1"], False),
        (["--app", "logs", "config:set", "A=1"], False),
        (["--nonsense", "logs"], False),
        (["git:hook"], False),
        ([], False),
    ],
)
def test_a_reading_command_is_known_by_its_words(words: list[str], reads: bool) -> None:
    """Also behind the options that the client on a laptop puts before it."""
    assert isinstance(root, click.Group)
    assert reading.only_reads(reading.command_of(root, words)) is reads
