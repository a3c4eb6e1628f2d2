"""The jobs of the monitor process go on whatever fails in one turn."""

import threading

from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.turns import Turns
from tests.waiting import wait_for


def test_errors_end_no_job() -> None:
    """The same PaasError is logged once in a row, an error of ours with its traceback."""
    lines: list[str] = []
    errors: list[Exception] = [PaasError("a", "Away."), PaasError("a", "Away."), ValueError("odd")]
    stop, ended = threading.Event(), threading.Event()

    def turn() -> None:
        if errors:
            raise errors.pop(0)
        ended.set()

    Turns("copies", lines.append).start(turn, stop, 0.001)
    wait_for(ended.is_set)
    stop.set()
    assert lines[0] == "copies: Away."
    assert lines[1].startswith("copies: Traceback") and "ValueError: odd" in lines[1]
    assert len(lines) == 2


def test_what_fails_beside_is_logged_too() -> None:
    """Its thread ends, so that it can be started again."""
    lines: list[str] = []

    def work() -> None:
        raise PaasError("a", "Away.")

    thread = Turns("dumps", lines.append).beside(work)
    thread.join()
    assert lines == ["dumps: Away."]
