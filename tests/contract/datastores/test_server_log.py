"""The logs of datastores' servers, whose uid writes them and may do mischief."""

import os
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from paas.adapters.datastores.server_log import DatastoreLogFiles
from paas.settings import Settings
from tests.contract.datastores.test_postgresql import ONE

OWN = replace(ONE, uid=os.getuid())


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the server writes."""
    made = tmp_path / "datastores" / str(ONE.id) / "log"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def logs(tmp_path: Path) -> DatastoreLogFiles:
    """As users read them."""
    return DatastoreLogFiles(Settings(state=tmp_path, run=tmp_path / "run").paths)


def written(path: Path, text: str, at: int) -> None:
    """A file that was last written to at that time."""
    path.write_text(text)
    os.utime(path, (at, at))


def test_the_last_lines_of_several_files(logs: DatastoreLogFiles, directory: Path) -> None:
    """PostgreSQL has one for each day of the week."""
    assert logs.tail(OWN, 5) == []
    written(directory / "postgresql-Sun.log", "one\ntwo\n", 1)
    written(directory / "postgresql-Mon.log", "three\nf\xfcnf\n", 2)
    assert logs.tail(OWN, 3) == ["two", "three", "f\xfcnf"]
    assert logs.tail(OWN, 0) == []


def test_new_lines(logs: DatastoreLogFiles, directory: Path) -> None:
    """Also of a file that is emptied, and of the next day's."""
    written(directory / "a.log", "one\ntwo\n", 1)
    turns = count()
    found = logs.follow(OWN, 1, lambda: next(turns) > 50)
    assert next(found) == ["two"]
    with (directory / "a.log").open("a") as file:
        file.write("three\nhal")
    assert next(found) == ["three"]
    with (directory / "a.log").open("a") as file:
        file.write("f\n")
    assert next(found) == ["half"]
    (directory / "a.log").write_text("x\n")
    assert next(found) == ["x"]
    (directory / "b.log").write_text("next day\n")
    assert next(found) == ["next day"]
    turns = count(99)
    assert list(found) == []


def test_what_the_servers_uid_put_there(logs: DatastoreLogFiles, directory: Path) -> None:
    """Links lead nowhere, pipes do not hang, and other uids' files are none of its log."""
    secret = directory.parent / "secret"
    secret.write_text("secret\n")
    (directory / "link.log").symlink_to(secret)
    os.mkfifo(directory / "pipe.log")
    (directory / "folder.log").mkdir()
    written(directory / "own.log", "own\n", 1)
    assert logs.tail(OWN, 10) == ["own"]
    assert logs.tail(replace(OWN, uid=OWN.uid + 1), 10) == []
