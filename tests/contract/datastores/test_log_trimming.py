"""The logs of datastores' servers stay small, whatever the servers and their uids do."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from paas.adapters.datastores.log_trimming import FORMER, MAX_BYTES, DatastoreLogTrimming
from paas.adapters.datastores.pgbouncer.places import PoolerPlaces
from paas.adapters.datastores.places import Places, places_of
from paas.settings import Settings
from tests.contract.datastores.test_postgresql import ONE
from tests.uids import free_uids

UID = free_uids()
OWN = replace(ONE, uid=UID)
LINE = b"a line of a log\n"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """With a log directory of the server's uid, and one of its pooler's."""
    found = places_of(_settings(tmp_path).paths, OWN)
    for directory in (found.log, PoolerPlaces(found).log):
        directory.mkdir(parents=True)
        os.chown(directory, UID, UID)
    return found


@pytest.fixture
def trimming(tmp_path: Path) -> DatastoreLogTrimming:
    """As the monitor does it."""
    return DatastoreLogTrimming(_settings(tmp_path).paths)


def _settings(tmp_path: Path) -> Settings:
    return Settings(state=tmp_path, run=tmp_path / "run")


def logged(path: Path, count: int) -> None:
    """A log of its uid's with that many lines."""
    path.write_bytes(LINE * count)
    os.chown(path, UID, UID)


def test_a_server_writes_on_after_its_log_was_emptied(
    places: Places, trimming: DatastoreLogTrimming
) -> None:
    """To the same file, from its beginning; the end of what was there is beside it."""
    path = places.log / "redis.log"
    logged(path, MAX_BYTES // len(LINE))
    assert trimming.trim(OWN) == 0
    with path.open("ab", buffering=0) as server:
        server.write(b"the last one\n" * 2)
        assert trimming.trim(OWN) == 1
        server.write(b"next\n")
    assert path.read_bytes() == b"next\n"
    former = path.with_name(path.name + FORMER)
    assert former.stat().st_size == MAX_BYTES
    assert former.read_bytes().endswith(b"the last one\n")
    assert (former.stat().st_uid, former.stat().st_mode & 0o777) == (UID, 0o600)
    logged(path, MAX_BYTES // len(LINE) + 1)
    assert trimming.trim(OWN) == 1
    assert former.read_bytes().endswith(LINE)


def test_the_log_of_a_pooler(places: Places, trimming: DatastoreLogTrimming) -> None:
    """Which is in a directory of its own."""
    path = PoolerPlaces(places).log / "pgbouncer.log"
    logged(path, 2 * MAX_BYTES // len(LINE))
    assert trimming.trim(OWN) == 1
    assert path.stat().st_size == 0


def test_what_the_servers_uid_put_there(
    places: Places, trimming: DatastoreLogTrimming, tmp_path: Path
) -> None:
    """A link is not followed, a file of others stays, and a directory in the way is no help."""
    secret = tmp_path / "secret"
    logged(secret, 2 * MAX_BYTES // len(LINE))
    (places.log / "link.log").symlink_to(secret)
    foreign = places.log / "foreign.log"
    foreign.write_bytes(LINE * 2 * (MAX_BYTES // len(LINE)))
    os.mkfifo(places.log / "pipe.log")
    blocked = places.log / "blocked.log"
    logged(blocked, 2 * MAX_BYTES // len(LINE))
    (places.log / f"blocked.log{FORMER}.new").mkdir()
    before = secret.stat().st_size, foreign.stat().st_size
    assert trimming.trim(OWN) == 1
    assert (secret.stat().st_size, foreign.stat().st_size) == before
    assert blocked.stat().st_size == 0


def test_one_that_was_never_made(trimming: DatastoreLogTrimming) -> None:
    """Has nothing to trim."""
    assert trimming.trim(replace(OWN, id=99)) == 0
