"""Which files a PostgreSQL starts with after an upgrade that was interrupted anywhere."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paas.adapters.datastores.places import Places
from paas.adapters.datastores.postgresql import major_files
from tests.contract.datastores.test_postgresql import ONE

OLD, NEW = replace(ONE, version="13"), replace(ONE, version="15")


def files(directory: Path, version: str) -> None:
    """What tells the version."""
    directory.mkdir(parents=True)
    (directory / "PG_VERSION").write_text(f"{version}\n")


def version(directory: Path) -> str | None:
    """That of some files, if they are there."""
    path = directory / "PG_VERSION"
    return path.read_text().strip() if path.exists() else None


@pytest.fixture
def found(tmp_path: Path) -> Places:
    """A datastore that was made with the older version."""
    files(tmp_path / "data", "13")
    return Places(tmp_path, tmp_path)


def test_before_the_version_is_recorded_nothing_has_changed(found: Places) -> None:
    """What was made of new files is deleted, whole or not."""
    files(major_files.beside(found) / "data", "15")
    major_files.settle(found, OLD)
    assert version(found.data) == "13"
    assert {path.name for path in found.root.iterdir()} == {"data"}


def test_from_then_on_the_new_files_are_used(found: Places) -> None:
    """The former ones are kept until they are old."""
    files(major_files.beside(found) / "data", "15")
    for _ in range(2):
        major_files.settle(found, NEW)
        assert version(found.data) == "15"
        assert version(found.root / "former") == "13"
        assert not major_files.beside(found).exists()
    now = datetime.now(UTC)
    assert not major_files.delete_former(found, now - timedelta(days=1))
    assert major_files.delete_former(found, now + timedelta(days=1))
    assert not major_files.delete_former(found, now + timedelta(days=1))
    assert {path.name for path in found.root.iterdir()} == {"data"}


def test_between_two_renames(found: Places) -> None:
    """The next start goes on; files that were kept from an earlier upgrade make room."""
    files(major_files.beside(found) / "data", "15")
    found.data.rename(found.root / "former")
    major_files.settle(found, NEW)
    assert (version(found.data), version(found.root / "former")) == ("15", "13")
    files(major_files.beside(found) / "data", "17")
    major_files.settle(found, replace(ONE, version="17"))
    assert (version(found.data), version(found.root / "former")) == ("17", "15")
