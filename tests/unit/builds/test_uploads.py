"""Uploaded archives: how long they are kept, and how many."""

import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from paas.adapters.builds.uploads import UploadFiles
from paas.domain.builds.uploads import LIFETIME, PER_USER, Upload
from paas.domain.people.tokens import TokenPrefix
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName
from paas.domain.values.secret import Secret

UPLOAD = Upload(UserName("alice"), TokenPrefix("Ab12Cd34"))


def files_of(folder: Path) -> list[Path]:
    """All files."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_secret_leads_to_its_place(tmp_path: Path) -> None:
    """The files do not tell it, and only root reads them."""
    uploads = UploadFiles(tmp_path)
    secret = uploads.issue(UPLOAD)
    assert uploads.find(secret) == UPLOAD
    assert uploads.open(secret) is None
    assert uploads.store(secret, iter([b"ab", b"c"])) == 3
    archive = uploads.open(secret)
    assert archive is not None
    with archive:
        uploads.remove(secret)
        assert archive.read() == b"abc"
    assert uploads.find(secret) is None
    assert files_of(tmp_path) == []
    for other in ("", "x" * 43, "../" + secret.reveal()):
        assert uploads.find(Secret(other)) is None


def test_the_files_are_roots(tmp_path: Path) -> None:
    """Neither the names nor the modes let anybody else in."""
    uploads = UploadFiles(tmp_path)
    secret = uploads.issue(UPLOAD)
    uploads.store(secret, iter([b"abc"]))
    for path in files_of(tmp_path):
        assert path.stat().st_mode & 0o777 == 0o600
        assert secret.reveal() not in path.name
    assert (tmp_path / "alice").stat().st_mode & 0o777 == 0o700


def test_a_broken_upload_leaves_the_former_one(tmp_path: Path) -> None:
    """And no part of itself."""
    uploads = UploadFiles(tmp_path)
    secret = uploads.issue(UPLOAD)
    uploads.store(secret, iter([b"whole"]))

    def breaking() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        uploads.store(secret, breaking())
    assert len(files_of(tmp_path)) == 2
    archive = uploads.open(secret)
    assert archive is not None
    with archive:
        assert archive.read() == b"whole"


def test_two_at_once_do_not_mix(tmp_path: Path) -> None:
    """The second is refused."""
    uploads = UploadFiles(tmp_path)
    secret = uploads.issue(UPLOAD)
    refused: list[str] = []

    def pieces() -> Iterator[bytes]:
        yield b"first"
        with pytest.raises(PaasError) as caught:
            uploads.store(secret, iter([b"second"]))
        refused.append(caught.value.reference)

    assert uploads.store(secret, pieces()) == 5
    assert refused == ["upload-busy"]


def test_they_expire(tmp_path: Path) -> None:
    """With what is in them, and what a killed upload has left."""
    uploads = UploadFiles(tmp_path)
    secret = uploads.issue(UPLOAD)
    uploads.store(secret, iter([b"abc"]))
    place = min(files_of(tmp_path), key=lambda path: len(path.name))
    place.with_suffix(".part").touch()
    then = time.time() - (LIFETIME + timedelta(minutes=1)).total_seconds()
    os.utime(place, (then, then))
    assert uploads.find(secret) is None
    assert uploads.open(secret) is None
    uploads.expire()
    assert files_of(tmp_path) == []


def test_a_user_has_only_so_many(tmp_path: Path) -> None:
    """The oldest give way."""
    uploads = UploadFiles(tmp_path)
    first = uploads.issue(UPLOAD)
    uploads.store(first, iter([b"abc"]))
    for _ in range(PER_USER):
        last = uploads.issue(UPLOAD)
    assert uploads.find(last)
    assert len(files_of(tmp_path)) == PER_USER
