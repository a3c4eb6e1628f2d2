"""Encrypted objects of a target: the same checks on the fake, in a directory and in a bucket."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import pytest

from paas.adapters.backups import age
from paas.adapters.backups.encrypted import open_target
from paas.adapters.backups.settings_file import FileBackupSettings
from paas.domain.backups.targets import LocalTarget, S3Target, Target
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import EncryptedObjects
from paas.interfaces.backups import Sink
from paas.paths import Paths
from tests.contract.backups.s3_server import running_s3
from tests.fakes.backups import FakeEncryptedObjects

NAME = "datastores/postgresql-curly-1234/b001.age"
LARGE = 20 * 1024**2 + 17


@dataclass
class Opened:
    """A target. files: the directory with its objects as files; None for the fake."""

    objects: EncryptedObjects
    target: Target
    paths: Paths
    files: Path | None

    def stored(self) -> Path:
        """The file of NAME, as the target keeps it."""
        assert self.files is not None
        if isinstance(self.target, S3Target):
            return self.files / f"{NAME}._S3rver_object"
        return self.files / NAME

    def again(self, target: Target | None = None) -> EncryptedObjects:
        """The objects of the target, opened by another process; or of a similar one."""
        own = self.paths.backups
        return open_target(target or self.target, FileBackupSettings(self.paths), own)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[S3Target, Path]]:
    """One for all tests: the server takes a second to start."""
    directory = tmp_path_factory.mktemp("s3")
    with running_s3(directory) as target:
        yield target, directory / "data" / target.bucket


@pytest.fixture(params=["fake", "own", "directory", "s3"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """Each kind of target."""
    if request.param == "fake":
        return Opened(FakeEncryptedObjects(), LocalTarget(), made_paths(tmp_path), None)
    return opened_target(request, tmp_path)


@pytest.fixture(params=["own", "directory", "s3"])
def real(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """All but the fake, which keeps no files."""
    return opened_target(request, tmp_path)


def made_paths(tmp_path: Path) -> Paths:
    """Those of a server that has its settings and its state there."""
    paths = Paths(tmp_path / "etc", tmp_path / "state", tmp_path / "run", tmp_path / "opt")
    for directory in (paths.etc, paths.state):
        directory.mkdir()
    return paths


def opened_target(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """One of the kind that the fixture asks for."""
    paths = made_paths(tmp_path)
    target: Target = LocalTarget()
    files = paths.backups
    if request.param == "directory":
        files = tmp_path / "disk"
        files.mkdir()
        target = LocalTarget(PurePosixPath(files))
    elif request.param == "s3":
        found, root = request.getfixturevalue("bucket")
        target = replace(found, prefix=tmp_path.name)
        files = root / tmp_path.name
    objects = open_target(target, FileBackupSettings(paths), paths.backups)
    objects.begin()
    return Opened(objects, target, paths, files)


def content_of(objects: EncryptedObjects, name: str = NAME) -> bytes:
    """All of it."""
    parts: list[bytes] = []
    objects.read(name, parts.append)
    return b"".join(parts)


def refused(objects: EncryptedObjects, reference: str) -> PaasError:
    """The error of reading NAME."""
    with pytest.raises(PaasError) as caught:
        objects.read(NAME, lambda _data: None)
    assert caught.value.reference == reference, caught.value.message
    assert NAME in caught.value.message
    return caught.value


def test_what_is_written_is_read(opened: Opened) -> None:
    """Also when it is empty, or is there already."""
    assert opened.objects.listing("datastores") == []
    for content in (b"", b"one", b"two" * 100_000):
        written = opened.objects.write(NAME, iter([content] if content else []))
        assert written.size_bytes == len(content)
        assert content_of(opened.objects) == content
    (found,) = opened.objects.listing("datastores/postgresql-curly-1234")
    assert found.name == NAME
    opened.objects.delete(NAME)
    opened.objects.delete(NAME)
    assert opened.objects.listing("datastores") == []
    refused(opened.objects, "backup-missing")


def test_a_source_that_fails_leaves_nothing(opened: Opened) -> None:
    """As a program whose exit status is not 0; what is there of that name stays."""
    opened.objects.write(NAME, iter([b"former"]))

    def source() -> Iterator[bytes]:
        yield os.urandom(LARGE)
        raise PaasError("program-failed", "pg_dump failed.")

    with pytest.raises(PaasError, match="pg_dump failed"):
        opened.objects.write(NAME, source())
    assert content_of(opened.objects) == b"former"
    assert len(opened.objects.listing("datastores")) == 1


def test_what_a_check_refuses_is_not_kept(opened: Opened) -> None:
    """It gets all that was read back."""
    seen: list[bytes] = []

    @contextmanager
    def checking() -> Iterator[Sink]:
        yield seen.append
        raise PaasError("dump-damaged", "It is no dump.")

    with pytest.raises(PaasError, match="It is no dump"):
        opened.objects.write(NAME, iter([b"abc", b"def"]), checking)
    assert b"".join(seen) == b"abcdef"
    assert opened.objects.listing("datastores") == []


def test_what_the_reader_raises_is_raised(opened: Opened) -> None:
    """It is no damage."""
    opened.objects.write(NAME, iter([b"abc"]))

    def sink(_data: bytes) -> None:
        raise BrokenPipeError("the reader left")

    with pytest.raises(BrokenPipeError, match="the reader left"):
        opened.objects.read(NAME, sink)


def test_a_large_object(real: Opened) -> None:
    """In several parts."""
    content = os.urandom(LARGE)
    written = real.objects.write(NAME, iter([content[:5], content[5:]]))
    assert written.stored_bytes == real.stored().stat().st_size > LARGE
    assert content_of(real.again()) == content


def test_nothing_leaves_in_the_clear(real: Opened) -> None:
    """And age itself opens it with the key's file."""
    real.objects.write(NAME, iter([b"canary-7d1c0a " * 100]))
    stored = real.stored().read_bytes()
    assert stored.startswith(b"age-encryption.org/v1\n")
    assert b"canary-7d1c0a" not in stored


@pytest.mark.parametrize("how", ["cut", "end", "empty", "changed", "swapped", "longer"])
def test_damage_is_noticed(real: Opened, how: str) -> None:
    """Wherever it is, an exchange of two chunks too."""
    real.objects.write(NAME, iter([os.urandom(300_000)]))
    good = real.stored().read_bytes()
    start = good.index(b"\n", good.index(b"\n---") + 1) + 1 + 16  # of the first chunk
    size = 64 * 1024 + 16
    first, second = good[start : start + size], good[start + size : start + 2 * size]
    bad = {
        "cut": good[: start + size],
        "end": good[:-1],
        "empty": b"",
        "changed": good[:-40] + bytes([good[-40] ^ 1]) + good[-39:],
        "swapped": good[:start] + second + first + good[start + 2 * size :],
        "longer": good + b"x",
    }[how]
    overwrite(real, bad)
    refused(real.again(), "backup-damaged")


def overwrite(real: Opened, data: bytes) -> None:
    """Replace what the target keeps, as somebody with access to it could."""
    if not isinstance(real.target, S3Target):
        real.stored().write_bytes(data)
        return
    import obstore
    from obstore.store import S3Store

    target = real.target
    store = S3Store(
        target.bucket,
        endpoint=target.endpoint,
        region=target.region,
        access_key_id=target.access_key,
        secret_access_key=target.secret_key.reveal(),
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    obstore.put(store, f"{target.prefix}/{NAME}", data)


def test_another_key(real: Opened) -> None:
    """It is told by name, before anything of it is given out."""
    real.objects.write(NAME, iter([b"abc"]))
    real.paths.backup_key.unlink()
    assert "another key" in refused(real.again(), "backup-key").message


def test_a_wrong_login_and_no_bucket(bucket: tuple[S3Target, Path], tmp_path: Path) -> None:
    """What the service says is reported, without the secret."""
    target, _ = bucket
    paths = Paths(tmp_path, tmp_path, tmp_path, tmp_path)
    for wrong in (
        replace(target, access_key="NOBODY", secret_key=Secret("canary-7d1c0a")),
        replace(target, bucket="other"),
        replace(target, endpoint="http://127.0.0.1:9"),
    ):
        with pytest.raises(PaasError) as caught:
            open_target(wrong, FileBackupSettings(paths), paths.backups).write(NAME, iter([b"abc"]))
        assert caught.value.reference == "backup-target"
        assert "canary-7d1c0a" not in caught.value.report


def test_a_bucket_with_a_certificate_of_the_machines_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is trusted where the settings name its authority, and only there."""
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    paths = Paths(tmp_path, tmp_path, tmp_path, tmp_path)
    settings = FileBackupSettings(paths)
    with running_s3(tmp_path, tls=True) as target:
        with pytest.raises(PaasError) as caught:
            open_target(target, settings, paths.backups).write(NAME, iter([b"abc"]))
        assert caught.value.reference == "backup-target"
        objects = open_target(target, settings, paths.backups, str(tmp_path / "tls.crt"))
        objects.write(NAME, iter([b"abc"]))
        assert [one.name for one in objects.listing("datastores")] == [NAME]


def test_a_disk_that_is_not_mounted(tmp_path: Path) -> None:
    """Nothing is written to the directory below it."""
    paths = Paths(tmp_path, tmp_path, tmp_path, tmp_path)
    disk = tmp_path / "disk"
    objects = open_target(
        LocalTarget(PurePosixPath(disk)), FileBackupSettings(paths), paths.backups
    )
    with pytest.raises(PaasError, match="There is no directory"):
        objects.begin()
    disk.mkdir()
    for use in (
        lambda: objects.write(NAME, iter([b"abc"])),
        lambda: objects.listing("datastores"),
        lambda: objects.read(NAME, lambda _data: None),
    ):
        with pytest.raises(PaasError, match=r"\.paas-backups is missing"):
            use()
    assert list(disk.iterdir()) == []


def test_a_full_disk(tmp_path: Path) -> None:
    """It is reported, and nothing is left."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=True)
    try:
        paths = Paths(tmp_path, tmp_path, tmp_path, tmp_path)
        target = LocalTarget(PurePosixPath(disk))
        objects = open_target(target, FileBackupSettings(paths), paths.backups)
        objects.begin()
        with pytest.raises(PaasError, match="full"):
            objects.write(NAME, iter([os.urandom(3 * 1024**2)]))
        assert [path for path in disk.rglob("*") if path.is_file()] == [disk / ".paas-backups"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_what_a_killed_writer_left(tmp_path: Path) -> None:
    """It goes with a later object, when nobody can be writing it."""
    paths = Paths(tmp_path, tmp_path, tmp_path, tmp_path)
    objects = open_target(LocalTarget(), FileBackupSettings(paths), paths.backups)
    objects.write(NAME, iter([b"abc"]))
    directory = (paths.backups / NAME).parent
    old, new = directory / ".b002.age.0a.tmp", directory / ".b003.age.0b.tmp"
    for path in (old, new):
        path.write_bytes(b"part")
    os.utime(old, (0, 0))
    assert len(objects.listing("datastores")) == 1
    objects.write(NAME, iter([b"abc"]))
    assert (old.exists(), new.exists()) == (False, True)


def test_age_reads_the_key() -> None:
    """What is no key is refused."""
    made = age.new_key()
    assert age.read_key(made.identity.reveal()) == made
    with pytest.raises(age.BadKeyError):
        age.read_key("AGE-SECRET-KEY-1NONE")
