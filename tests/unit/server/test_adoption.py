"""Adopting an older database: who gets in again is named."""

import shutil
from pathlib import Path

import pytest

from paas.domain.people.keys import Key
from paas.domain.people.users import Role
from paas.domain.values.names import UserName
from paas.store.copies import Copies
from tests.fakes.world import World


def add_user(world: World, name: str, role: Role, *fingerprints: str) -> None:
    """A user with keys."""
    now = world.clock.now()
    world.store.users.add(UserName(name), role, now)
    for fingerprint in fingerprints:
        world.store.keys.add(Key(fingerprint, UserName(name), "ssh-ed25519", "AAAA", ""), now)


def put_back(world: World, backup: Path) -> None:
    """Make the backup the store."""
    world.store.close()
    for beside in world.folder.glob("state.db-*"):
        beside.unlink()
    shutil.copy(backup, world.folder / "state.db")


@pytest.fixture
def backup(world: World) -> Path:
    """A copy of a store in which alice is an admin with two keys, and bob is a user."""
    add_user(world, "alice", Role.ADMIN, "SHA256:home", "SHA256:work")
    add_user(world, "bob", Role.MEMBER, "SHA256:bob")
    world.store.close()
    return Path(shutil.copy(world.folder / "state.db", world.folder / "backup.db"))


def told(world: World) -> list[str]:
    """What adopting the store that is there says."""
    world.progress.lines.clear()
    world.recovery.adopt(world.progress)
    return [line.removeprefix(" !     ") for line in world.progress.lines]


def test_keys_and_roles_that_were_removed_since(world: World, backup: Path) -> None:
    """With user and fingerprint; what is valid anyway is not mentioned."""
    world.store.keys.remove("SHA256:work")
    add_user(world, "alice", Role.MEMBER)
    world.store.database.write("DELETE FROM keys WHERE user = 'bob'")
    world.store.database.write("DELETE FROM users WHERE name = 'bob'")
    add_user(world, "carol", Role.MEMBER, "SHA256:carol")
    Copies(world.folder / "state.db").latest()
    put_back(world, backup)
    *each, last = told(world)
    assert each == [
        "alice is admin again, and was member.",
        "Valid again: the key SHA256:work of alice",
        "Again a user: bob (member)",
        "Valid again: the key SHA256:bob of bob",
    ]
    assert "paas keys:remove FINGERPRINT" in last
    assert {key.fingerprint for key in world.store.keys.all()} >= {"SHA256:work", "SHA256:bob"}


def test_nothing_is_regained(world: World, backup: Path) -> None:
    """Then nothing is reported."""
    add_user(world, "carol", Role.MEMBER, "SHA256:carol")
    Copies(world.folder / "state.db").latest()
    put_back(world, backup)
    assert told(world) == []


def test_no_copy_to_compare_with(world: World, backup: Path) -> None:
    """It says what may be."""
    world.store.keys.remove("SHA256:work")
    put_back(world, backup)
    assert told(world) == [
        "No copy of the former database is intact, so keys that were removed since may be valid "
        "again. See: paas keys"
    ]
