"""Waits for what other processes and threads bring about."""

import time
from collections.abc import Callable


def wait_for(condition: Callable[[], object], *, limit_s: float = 150.0, what: str = "it") -> None:
    """Wait until the condition holds; fails at the limit. what: for the message."""
    deadline = time.monotonic() + limit_s
    while True:
        asked = time.monotonic()
        if condition():
            return
        now = time.monotonic()
        assert now < deadline, f"not within {limit_s:g} s: {what}"
        # Twice as long as asking took: a command that is repeated must not slow what is awaited.
        time.sleep(max(0.01, 2 * (now - asked)))
