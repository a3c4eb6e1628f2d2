"""The client while git receives a push: explains why git itself refused it.

Most refusals of git receive-pack happen before any hook runs, where none of our code would see
them. The observer takes no part in the push: git has the pusher's descriptors and the lock,
continues if the observer is killed, and ends as it would without one. What git complained about is
in its own trace (GIT_TRACE2_EVENT), in memory.
"""

from __future__ import annotations

import fcntl
import os

_TRACE_BYTES = 1024**2
_FD_MAX = 9  # git accepts one digit
_COMPLAINTS = (b'"event":"error"', b'"event":"signal"')
# A client that left early; the second, SIGPIPE, while git was still sending it the refs.
_LEFT = (b'"msg":"the remote end hung up unexpectedly"', b'"signo":13')


def observe(env: dict[bytes, bytes]) -> int | None:
    """Return in a new process that will become git; in this one, once git has ended.

    env: gets what makes git write its trace. None: become git; else git's exit status. To be called
    before the lock of the push is taken, so that the observer never holds it. It is the older
    process of the two because sshd waits for that one, and forwards nothing from others after it
    has ended. If there is no memory for two, this process becomes git, and nothing is explained.
    """
    try:
        trace = os.memfd_create("push", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        if trace > _FD_MAX:
            return None
        os.ftruncate(trace, _TRACE_BYTES)
        fcntl.fcntl(trace, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)  # a trace beyond it is dropped
        git = os.fork()
    except OSError:
        return None
    if git == 0:
        os.set_inheritable(trace, True)
        env[b"GIT_TRACE2_EVENT"] = b"%d" % trace
        return None
    status = _ended(git)
    _explain(trace, int(env[b"PAAS_MAX_PUSH_MIB"]))
    return status


def _ended(git: int) -> int:
    """The exit status of git, as a shell has it.

    Descriptor 2 stays open, to explain; the pusher's others are closed, so that only git has them.
    """
    import signal

    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    status = os.waitstatus_to_exitcode(os.waitpid(git, 0)[1])
    return status if status >= 0 else 128 - status


def _explain(trace: int, max_push_mib: int) -> None:
    """Explain what a trace shows, if it is understood."""
    # All writers share one offset, which is the end of the trace.
    text = os.pread(trace, os.lseek(trace, 0, os.SEEK_CUR), 0)
    if not any(complaint in text for complaint in _COMPLAINTS):
        return
    # Only now: it costs as much as the start of Python, and most pushes need none of it.
    try:
        from paas.domain.git.refusals import explained
        from paas.entrypoints.failure import rendered
    except (ImportError, OSError):
        return  # the second upgrade during this push has removed this version of the code
    error = explained(_complaints(text), max_push_mib)
    if error is not None:
        words = rendered(error)
        try:
            os.write(2, words.encode("utf-8", "backslashreplace"))
        except OSError:
            return  # the pusher has gone


def _complaints(text: bytes) -> list[str]:
    """The errors in a trace up to the first hook, which reports its own.

    From there on the gate has the push, and may have put it live.
    """
    from paas.domain.git.refusals import HUNG_UP

    if b'"event":"child_start"' not in text and any(sign in text for sign in _LEFT):
        return [HUNG_UP]  # its ssh shows only what comes soon, and json takes 15 ms to import
    import json

    found: list[str] = []
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # truncated, because git was killed
        if event.get("child_class") == "hook":
            break
        if event.get("event") == "error":
            found.append(str(event.get("msg", "")))
    return found
