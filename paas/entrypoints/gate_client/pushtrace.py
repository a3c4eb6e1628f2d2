"""Reads in a push's hook what git's own trace says about the push (GIT_TRACE2_EVENT).

Whether the pusher wants to see progress: the hook itself has no terminal. git's client asks for
``quiet`` if it has none, or was given -q (send-pack.c); git receive-pack hands no hook that word,
but has its connectivity check show its progress only without it (receive-pack.c,
execute_commands), and the trace has that command.

And how that check ended. git runs the hook even if it failed, and refuses the refs after it. A
pusher can add nothing to the trace: in a text, quotes are escaped (git's json-writer.c).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing would cost as much as all that is done here
if TYPE_CHECKING:
    from collections.abc import Mapping

_TRACE_BYTES = 1024**2
# The connectivity check (connected.c).
_CHECK = b'"argv":["git","rev-list","--objects","--stdin",'


def wants_progress(env: Mapping[str, str]) -> bool:
    """Whether the pusher's git shows a line that is redrawn; env: the hook's.

    False if there is no trace, or it does not say.
    """
    return any(b'"event":"child_start"' in line and b'"--progress=' in line for line in _lines(env))


def is_complete(env: Mapping[str, str]) -> bool:
    """Whether git has found everything that the push refers to; env: the hook's.

    False if it has not, if there is no trace, or if that does not say.
    """
    check: tuple[bytes, bytes] | None = None
    for line in _lines(env):
        if line.startswith(b'{"event":"child_start"') and _CHECK in line:
            check = _child(line)
        if line.startswith(b'{"event":"child_exit"') and check and _child(line) == check:
            return b'"code":0,' in line
    return False


def _child(line: bytes) -> tuple[bytes, bytes]:
    """Which process a line is of, and which of its children it is about."""
    return _value(line, b'"sid":"', b'"'), _value(line, b'"child_id":', b",")


def _value(line: bytes, before: bytes, after: bytes) -> bytes:
    return line.partition(before)[2].partition(after)[0]


def _lines(env: Mapping[str, str]) -> list[bytes]:
    trace = env.get("GIT_TRACE2_EVENT", "")
    if not trace.isdecimal():
        return []
    try:
        return os.pread(int(trace), _TRACE_BYTES, 0).splitlines()
    except OSError:
        return []
