"""What supervisord's main loop is cured of, as far as it can be seen without supervisord."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from supervisor import loggers
from supervisor.medusa import asyncore_25 as asyncore
from supervisor.process import Subprocess
from supervisor.states import ProcessStates

from paas.adapters.supervisor import loop


def test_a_log_that_could_not_be_made_anew_is_opened_with_its_next_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rotation closes the file first; on a full disk none is open afterwards."""
    monkeypatch.setattr(loggers.RotatingFileHandler, "emit", loggers.RotatingFileHandler.emit)
    monkeypatch.setattr(loggers.Handler, "handleError", loggers.Handler.handleError)
    loop.drop_unloggable_output()
    logger = loggers.Logger()
    handler = loggers.RotatingFileHandler(str(tmp_path / "log"), maxBytes=1_000, backupCount=1)
    handler.setFormat("%(message)s\n")
    logger.addHandler(handler)
    logger.info("one")
    handler.stream.close()
    logger.info("two")
    handler.stream.flush()
    assert (tmp_path / "log").read_text() == "one\ntwo\n"
    handler.stream.close()


def test_a_turn_passes_over_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """But not over what starts, waits or stops, nor what has to run for a time first."""
    looked: list[tuple[int, int]] = []
    monkeypatch.setattr(
        Subprocess, "transition", lambda self: looked.append((self.state, self.config.startsecs))
    )
    loop.pass_over_running()
    states = (ProcessStates.RUNNING, ProcessStates.STARTING, ProcessStates.STOPPING)
    for state in states:
        for seconds in (0, 1):
            Subprocess.transition(SimpleNamespace(state=state, config=_config(seconds)))
    _, *others = states
    every = {(state, seconds) for state in others for seconds in (0, 1)}
    assert {*looked} == {(ProcessStates.RUNNING, 1), *every}


def _config(startsecs: int) -> SimpleNamespace:
    return SimpleNamespace(startsecs=startsecs)


@pytest.fixture
def wakeup() -> Iterator[loop.Wakeup]:
    """The pipe, installed as in supervisord, which handles the end of a child."""
    made, before = loop.Wakeup(), signal.signal(signal.SIGCHLD, lambda *_: None)
    made.install()
    yield made
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, before)
    asyncore.socket_map.clear()


def _polled() -> list[int]:
    """What a turn of the main loop finds to read."""
    poller = loop.TurnPoller(None)
    for fd, item in asyncore.socket_map.items():
        if item.readable():
            poller.register_readable(fd)
    return poller.poll(60.0)[0]


def test_the_end_of_a_child_ends_the_wait(wakeup: loop.Wakeup) -> None:
    """Else supervisord would see a crash up to a second later."""
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", "input()"], stdin=-1) as child:
        child.communicate(b"\n")
    (fd,) = _polled()
    asyncore.socket_map[fd].handle_read_event()
    wakeup.next_turn()
    assert _polled() == [fd]
