"""Waits for what other processes and threads bring about."""

import time
from collections.abc import Callable


def wait_for(condition: Callable[[], object], *, limit_s: float = 60.0, what: str = "it") -> None:
    """Wait until the condition holds; fails at the limit. what: for the message."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit_s:g} s: {what}"
        time.sleep(0.01)
