"""The settings of backups and their key: the same on the fake and in the files."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pytest

from paas.adapters.backups.settings_file import FileBackupSettings
from paas.domain.backups.targets import LocalTarget, S3Target
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import BackupSettings
from paas.paths import Paths
from tests.fakes.backups import FakeBackupSettings

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
BUCKET = S3Target("b-1", "https://s3.example.com", "eu-1", "a", "AKIA", Secret("canary-7d1c0a"))


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Of a server without any of them."""
    return Paths(tmp_path, tmp_path, tmp_path, tmp_path)


@pytest.fixture(params=["fake", "files"])
def settings(request: pytest.FixtureRequest, paths: Paths) -> BackupSettings:
    """Each of them."""
    return FakeBackupSettings() if request.param == "fake" else FileBackupSettings(paths)


def test_the_target(settings: BackupSettings) -> None:
    """The platform's own directory until another one is set."""
    assert settings.target() == LocalTarget()
    for target in (LocalTarget(PurePosixPath("/mnt/b")), BUCKET, LocalTarget()):
        settings.set_target(target)
        assert settings.target() == target


def test_the_key_stays(settings: BackupSettings) -> None:
    """It is made once; that a copy is kept elsewhere is recorded with it."""
    key = settings.key()
    assert settings.key() == key
    assert settings.saved_at() is None
    settings.note_saved(AT)
    settings.set_target(BUCKET)
    assert settings.saved_at() == AT


def test_only_root_reads_them(paths: Paths) -> None:
    """From their creation on; a copy of another key is not confirmed."""
    settings = FileBackupSettings(paths)
    settings.set_target(BUCKET)
    settings.note_saved(AT)
    for path in (paths.backup_settings, paths.backup_key):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(path.name for path in paths.etc.iterdir()) == ["backups.json", "backups.key"]
    paths.backup_key.unlink()
    assert settings.saved_at() is None


def test_one_key_for_all_who_ask_first(paths: Paths) -> None:
    """Whoever is faster."""
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: FileBackupSettings(paths).key().id, range(16)))
    assert len(keys) == 1


@pytest.mark.parametrize("text", ["", "AGE-SECRET-KEY-1\n", "# nothing\n"])
def test_a_damaged_key_is_not_replaced(paths: Paths, text: str) -> None:
    """The backups need the former one."""
    paths.backup_key.write_text(text)
    with pytest.raises(PaasError) as caught:
        FileBackupSettings(paths).key()
    assert caught.value.reference == "backup-key-file"
    assert paths.backup_key.read_text() == text


@pytest.mark.parametrize("text", ["{", "[]", '{"target": {"kind": "s3"}}', '{"target": 3}'])
def test_damaged_settings(paths: Paths, text: str) -> None:
    """They do not send backups elsewhere."""
    paths.backup_settings.write_text(text)
    with pytest.raises(PaasError) as caught:
        FileBackupSettings(paths).target()
    assert caught.value.reference == "backup-settings"
