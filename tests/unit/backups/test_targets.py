"""Targets of backups, their key, and what admins do with them."""

from pathlib import PurePosixPath

import pytest

from paas.domain.backups.keys import BackupKey
from paas.domain.backups.targets import LocalTarget, S3Target, local_target, s3_target
from paas.domain.people.actors import Actor
from paas.domain.people.users import Role, User
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName
from paas.domain.values.secret import Secret
from tests.fakes.world import ROOT, World

ADMIN = Actor(User(UserName("ann"), Role.ADMIN))
MEMBER = Actor(User(UserName("bob"), Role.MEMBER))


def bucket(**given: str | None) -> S3Target:
    """One, with some values given."""
    values: dict[str, str | None] = {
        "bucket": "my-backups",
        "endpoint": "https://s3.example.com",
        "region": None,
        "prefix": None,
        "access_key": "AKIA1",
        "secret_key": "s3cr3t/+=",
        **given,
    }
    return s3_target(values.pop("bucket") or "", **values)  # type: ignore[arg-type]


def test_a_directory() -> None:
    """The platform's own, or an absolute one."""
    assert local_target(None) == LocalTarget()
    assert local_target("/mnt/b") == LocalTarget(PurePosixPath("/mnt/b"))


@pytest.mark.parametrize("text", ["", "b", "/", "/mnt/../etc", "./b"])
def test_a_bad_directory(text: str) -> None:
    """It is refused, not repaired."""
    with pytest.raises(PaasError, match="is not the absolute path of a directory"):
        local_target(text)


def test_a_bucket() -> None:
    """Its secret is not shown by accident."""
    target = bucket()
    assert (target.region, target.prefix) == ("us-east-1", "")
    assert target.words == "the bucket my-backups at https://s3.example.com"
    assert "s3cr3t" not in repr(target)
    assert bucket(endpoint="http://localhost:4569/").endpoint == "http://localhost:4569"
    assert bucket(endpoint=None, prefix="a/b").words == "the bucket my-backups/a/b at Amazon S3"


@pytest.mark.parametrize(
    "given",
    [
        {"bucket": "UPPER"},
        {"bucket": "a/b"},
        {"endpoint": "http://s3.example.com"},
        {"endpoint": "https://u:p@s3.example.com"},
        {"endpoint": "https://s3.example.com/bucket"},
        {"endpoint": "https://s3.example.com:port"},
        {"endpoint": "s3.example.com"},
        {"region": "EU West"},
        {"prefix": "../x"},
        {"access_key": ""},
        {"access_key": "A\n"},
        {"secret_key": ""},
        {"secret_key": "a\x00"},
    ],
)
def test_a_bad_bucket(given: dict[str, str]) -> None:
    """Each is refused, and the secret is in no message."""
    with pytest.raises(PaasError) as caught:
        bucket(**given)
    assert caught.value.reference == "backup-bucket"
    assert "s3cr3t" not in caught.value.message


def test_passphrases_differ_by_purpose() -> None:
    """And are the same each time."""
    key = BackupKey(Secret("AGE-SECRET-KEY-1X"), Secret("age1x"))
    assert key.passphrase("a") == key.passphrase("a")
    assert key.passphrase("a") != key.passphrase("b")
    assert "AGE" not in key.passphrase("a").reveal()
    assert len(key.id) == 8


def test_a_target_is_tried_before_it_is_used(world: World) -> None:
    """One that does not work is refused, and the former one stays."""
    chosen = bucket()
    objects = world.backup_targets(chosen)
    objects.fail = PaasError("backup-target", "No such bucket.")
    with pytest.raises(PaasError, match="No such bucket"):
        world.backups.set_target(ADMIN, chosen)
    assert world.backup_settings.target() == LocalTarget()
    objects.fail = None
    world.backups.set_target(ADMIN, chosen)
    assert world.backup_settings.target() == chosen
    assert objects.begun
    assert objects.kept == {}


def test_only_root_chooses_a_directory(world: World) -> None:
    """An admin need not be root on the server."""
    with pytest.raises(PaasError) as caught:
        world.backups.set_target(ADMIN, local_target("/mnt/b"))
    assert caught.value.reference == "root-only"
    world.backups.set_target(ROOT, local_target("/mnt/b"))
    world.backups.set_target(ADMIN, local_target(None))


def test_only_admins(world: World) -> None:
    """Nobody else sees or changes any of it."""
    for refused in (
        lambda: world.backups.state(MEMBER),
        lambda: world.backups.set_target(MEMBER, LocalTarget()),
        lambda: world.backups.test(MEMBER),
        lambda: world.backups.key(MEMBER),
        lambda: world.backups.confirm_saved(MEMBER),
    ):
        with pytest.raises(PaasError, match="Only an admin may"):
            refused()


def test_the_key_was_saved(world: World) -> None:
    """Somebody said so."""
    assert world.backups.state(ROOT).saved_at is None
    world.backups.confirm_saved(ADMIN)
    assert world.backups.state(ROOT).saved_at is not None
    assert world.backups.test(ADMIN) == LocalTarget()
    assert world.backup_targets.own.kept == {}
