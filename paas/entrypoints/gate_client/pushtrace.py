"""Reads from git's trace of a push whether the pusher wants to see progress.

The hook itself has no terminal. git's client asks for ``quiet`` if it has none, or was given -q
(send-pack.c); git receive-pack hands no hook that word, but has its connectivity check show its
progress only without it (receive-pack.c, execute_commands), and the trace has that command.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing would cost as much as all that is done here
if TYPE_CHECKING:
    from collections.abc import Mapping

_TRACE_BYTES = 1024**2


def wants_progress(env: Mapping[str, str]) -> bool:
    """Whether the pusher's git shows a line that is redrawn; env: the hook's.

    False if there is no trace, or it does not say.
    """
    trace = env.get("GIT_TRACE2_EVENT", "")
    if not trace.isdecimal():
        return False
    try:
        text = os.pread(int(trace), _TRACE_BYTES, 0)
    except OSError:
        return False
    return any(
        b'"event":"child_start"' in line and b'"--progress=' in line for line in text.splitlines()
    )
