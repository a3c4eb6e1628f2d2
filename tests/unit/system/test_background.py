"""What is done beside other work."""

import threading

import pytest

from paas.adapters.system.background import Background
from paas.domain.values.errors import PaasError


def test_it_runs_beside_and_is_waited_for() -> None:
    """It has begun before anybody waits."""
    begun, may_end = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert may_end.wait(10)

    background = Background(work)
    assert begun.wait(10)
    may_end.set()
    background.wait()


def test_who_waits_gets_its_error() -> None:
    """And nobody else hears of it."""

    def fail() -> None:
        raise PaasError("file-not-written", "No.")

    background = Background(fail)
    with pytest.raises(PaasError, match="No"):
        background.wait()
