"""What Locks promise within one process, for the fake and the real ones alike."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from paas.adapters.system.locks import FlockLocks
from paas.interfaces import Locks
from tests.fakes.guarding import FakeLocks


@pytest.fixture(params=["fake", "real"])
def locks(request: pytest.FixtureRequest, tmp_path: Path) -> Locks:
    """Each kind of locks."""
    return FakeLocks() if request.param == "fake" else FlockLocks(tmp_path / "locks", 64_123)


def never(holder: str) -> AbstractContextManager[None]:
    """For a lock that is free."""
    raise AssertionError(holder)


def test_a_lock_is_held_inside_its_block_alone(locks: Locks) -> None:
    """By one app, until the block ends, also by an error."""
    assert not locks.app_is_held(1)
    with pytest.raises(ZeroDivisionError), locks.app(1, "deploy by alice", never):
        assert locks.app_is_held(1)
        assert not locks.app_is_held(2)
        raise ZeroDivisionError
    assert not locks.app_is_held(1)
    with locks.app(1, "restart by bob", never):
        pass


def test_marks_are_counted(locks: Locks) -> None:
    """Several may drain instances of an app; the mark goes with the last of them."""
    assert not locks.is_draining(1)
    with locks.draining(1), locks.app(1, "deploy by alice", never):
        with locks.draining(1):
            assert not locks.is_draining(2)
        assert locks.is_draining(1)
    assert not locks.is_draining(1)


def test_the_locks_of_an_app_are_independent(locks: Locks) -> None:
    """Who changes it, who stops its instances and who pushes to it keep out none of the others."""
    with locks.app(1, "x", never), locks.stopping(1), locks.pushing(1, "bob", never):
        assert locks.app_is_held(1)


def test_pushes_are_kept_out_only_while_none_is_under_way(locks: Locks) -> None:
    """idle_push says which it is."""
    with locks.pushing(1, "bob", never), locks.idle_push(1) as idle:
        assert not idle
    with locks.idle_push(1) as idle:
        assert idle
    assert locks.push(1) != locks.push(2)


def test_one_process_deploys_what_is_pushed_elsewhere(locks: Locks) -> None:
    """Another one learns that it is at it, for the same app."""
    with locks.deploying_on_push(1) as ours:
        assert ours
        with locks.deploying_on_push(1) as too, locks.deploying_on_push(2) as other:
            assert (too, other) == (False, True)
    with locks.deploying_on_push(1) as again:
        assert again


def test_a_waiter_is_surrounded_by_its_wait(locks: Locks, tmp_path: Path) -> None:
    """It learns who holds the lock, once, before it gets it."""
    told: list[str] = []

    @contextmanager
    def waiting(holder: str) -> Iterator[None]:
        told.append(holder)
        first.close()
        yield
        told.append("over")

    first = _Held(locks)
    with locks.app(1, "restart by bob", waiting):
        assert locks.app_is_held(1)
    assert len(told) == 2
    assert told[0].startswith("deploy by alice")


class _Held:
    """An app's lock, until it is closed."""

    def __init__(self, locks: Locks) -> None:
        self._context = locks.app(1, "deploy by alice")
        self._context.__enter__()

    def close(self) -> None:
        self._context.__exit__(None, None, None)
