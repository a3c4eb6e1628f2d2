"""What of a datastore's files is not as the platform made them, and setting it right."""

import os
from pathlib import Path

import pytest

from paas.adapters.datastores import places
from paas.adapters.datastores.file_check import DatastoreFileCheck
from paas.adapters.datastores.places import Places
from paas.interfaces import DatastoreFiles
from paas.paths import Paths
from paas.settings import Settings
from tests.contract.datastores.test_log_trimming import OWN, UID
from tests.fakes.datastores import FakeDatastoreFiles


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Of a server."""
    return Settings(state=tmp_path, run=tmp_path / "run").paths


@pytest.fixture
def made(paths: Paths) -> Places:
    """One whose configuration was rendered."""
    found = places.make(paths, OWN)
    places.refresh(paths, OWN, [("redis.conf", "maxmemory 64mb\n"), ("users.acl", "user a\n")])
    return found


@pytest.fixture(params=["fake", "real"])
def wrong(request: pytest.FixtureRequest) -> DatastoreFiles:
    """Each of them; one datastore's directory has another mode than it was made with."""
    if request.param == "fake":
        fake = FakeDatastoreFiles()
        fake.wrong[OWN.name] = ["its directory is open"]
        return fake
    made: Places = request.getfixturevalue("made")
    made.data.chmod(0o755)
    return DatastoreFileCheck(request.getfixturevalue("paths"))


def test_what_is_wrong_is_set_right(wrong: DatastoreFiles) -> None:
    """And then nothing is wrong."""
    assert len(wrong.faults(OWN)) == 1
    wrong.mend(OWN)
    assert wrong.faults(OWN) == []


def test_one_that_is_as_it_was_made(paths: Paths, made: Places) -> None:
    """Also when one of its files was rendered again, by itself."""
    check = DatastoreFileCheck(paths)
    assert check.faults(OWN) == []
    places.refresh(paths, OWN, [("redis.conf", "maxmemory 1\n")])
    assert check.faults(OWN) == []


def test_owners_and_modes(paths: Paths, made: Places) -> None:
    """Each is named with what it is and what it must be, and set again."""
    check = DatastoreFileCheck(paths)
    made.data.chmod(0o755)
    os.chown(made.log, UID + 1, UID)
    made.root.chmod(0o777)
    first, second, third = check.faults(OWN)
    assert first == f"{made.root} has mode 0777 and owner 0:{UID}, not 0710 and 0:{UID}"
    assert second == f"{made.data} has mode 0755 and owner {UID}:{UID}, not 0700 and {UID}:{UID}"
    assert third.startswith(f"{made.log} has mode 0700 and owner {UID + 1}:{UID}")
    check.mend(OWN)
    assert check.faults(OWN) == []


def test_configuration_that_somebody_changed(paths: Paths, made: Places) -> None:
    """Until it is rendered again."""
    check = DatastoreFileCheck(paths)
    with (made.conf / "redis.conf").open("a") as file:
        file.write("maxmemory 10gb\n")
    (made.conf / "users.acl").unlink()
    assert check.faults(OWN) == [
        f"{made.conf / name} was changed by hand" for name in ("redis.conf", "users.acl")
    ]
    places.refresh(paths, OWN, [("redis.conf", "maxmemory 64mb\n"), ("users.acl", "user a\n")])
    assert check.faults(OWN) == []


def test_a_link_is_told_and_not_followed(paths: Paths, made: Places, tmp_path: Path) -> None:
    """Root changes nothing behind it."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    made.tls.rmdir()
    made.tls.symlink_to(elsewhere)
    check = DatastoreFileCheck(paths)
    assert check.faults(OWN) == [f"{made.tls} is a link"]
    check.mend(OWN)
    assert (elsewhere.stat().st_uid, elsewhere.stat().st_mode & 0o777) == (0, 0o755)
    assert check.faults(OWN) == [f"{made.tls} is a link"]
