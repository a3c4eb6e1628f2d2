"""Who asks the issuer, for the fake and between real processes alike."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from paas.adapters.certificates.order_turns import FlockOrderTurns
from paas.domain.certificates.acme import ORDERS_AT_ONCE
from paas.interfaces import OrderTurns
from tests.fakes.certificates import FakeOrderTurns
from tests.waiting import wait_for

HOST = "x" * 240 + ".example.com"


@contextmanager
def unexpected(holder: str) -> Iterator[None]:
    """For what is free."""
    raise AssertionError(holder)
    yield


@pytest.fixture
def real(tmp_path: Path) -> FlockOrderTurns:
    """In a directory that does not exist yet."""
    return FlockOrderTurns(tmp_path / "locks")


@pytest.fixture(params=["fake", "real"])
def turns(request: pytest.FixtureRequest, real: FlockOrderTurns) -> OrderTurns:
    """Each kind."""
    return FakeOrderTurns() if request.param == "fake" else real


def test_a_name_is_one_process_s(turns: OrderTurns) -> None:
    """Whoever does not wait learns so; who waits learns for whom; other names are free."""
    assert not turns.name_is_held(HOST)
    with turns.name(HOST, "the server gets a certificate") as is_ours:
        assert is_ours
        assert turns.name_is_held(HOST)
        with turns.name(HOST, "somebody") as is_free:
            assert not is_free
        with turns.name("other.example.com", "somebody", unexpected) as is_free:
            assert is_free
    assert not turns.name_is_held(HOST)


def test_there_are_so_many_places_and_one_for_who_waits(real: FlockOrderTurns) -> None:
    """It waits if that is taken, too, and learns whose it is; the first one that is free is its."""
    told: list[str] = []
    with ExitStack() as first, ExitStack() as others:
        for number in range(ORDERS_AT_ONCE):
            assert real.has_place()
            stack = others if number else first
            assert stack.enter_context(real.place("the server gets a certificate"))
        assert not real.has_place()
        with real.place("the server gets a certificate") as has_one:
            assert not has_one

        @contextmanager
        def waiting(holder: str) -> Iterator[None]:
            told.append(holder)
            first.close()
            yield

        with real.place("bob gets a certificate", unexpected) as has_one:
            assert has_one
            with real.place("alice gets a certificate", waiting) as has_one:
                assert has_one
                assert not real.has_place()
    assert real.has_place()
    (holder,) = told
    assert holder.startswith("bob gets a certificate, since ")


def in_fork(work: Callable[[], None]) -> int:
    """Run work in a forked process; its pid."""
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            work()
        os._exit(0)
    return pid


def test_a_kill_frees_all(real: FlockOrderTurns, tmp_path: Path) -> None:
    """The name and the place, at once."""
    held = tmp_path / "held"

    def hold() -> None:
        with real.name(HOST, "one"), ExitStack() as places:
            for _ in range(ORDERS_AT_ONCE):
                places.enter_context(real.place("one"))
            held.touch()
            signal.pause()

    pid = in_fork(hold)
    try:
        wait_for(held.exists, what="all is held")
        assert real.name_is_held(HOST)
        assert not real.has_place()
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert not real.name_is_held(HOST)
    with real.place("another") as has_one:
        assert has_one
