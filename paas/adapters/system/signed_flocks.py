"""Locks on open files that say who holds them: each holder writes that to the file, as JSON."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

_TEXT_BYTES = 4096
_PATIENCE_S = 0.05
_POLL_S = 0.005


@contextmanager
def tried(fd: int, holder: str = "") -> Iterator[bool]:
    """Hold a lock if it is free; whether it was. fd is closed at the end. holder: signs it."""
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            if holder:
                _sign(fd, holder)
            try:
                yield True
            finally:
                if holder:
                    os.ftruncate(fd, 0)
    finally:
        os.close(fd)


@contextmanager
def turn(
    fd: int,
    holder: str,
    waiting: Callable[[str], AbstractContextManager[None]] | None,
    present: Callable[[int], str],
) -> Iterator[None]:
    """Hold a lock, signed; fd is closed at the end. present: describes its holder."""
    try:
        if not _taken_soon(fd):
            with waiting(present(fd)) if waiting is not None else nullcontext():
                fcntl.flock(fd, fcntl.LOCK_EX)
        _sign(fd, holder)
        try:
            yield
        finally:
            os.ftruncate(fd, 0)
            fcntl.flock(fd, fcntl.LOCK_UN)
    finally:
        os.close(fd)


def _taken_soon(fd: int) -> bool:
    """Take the lock; False if a real holder has it, not just a brief check or a handover."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        else:
            return True


def _sign(fd: int, holder: str) -> None:
    """Write who holds the lock, in one write for concurrent readers; a full disk is ignored."""
    since = time.strftime("%H:%M:%S UTC", time.gmtime())
    text = json.dumps({"holder": holder, "since": since, "pid": os.getpid()}).encode()
    with suppress(OSError):
        os.pwrite(fd, text.ljust(os.fstat(fd).st_size), 0)
        os.ftruncate(fd, len(text))


def holder_of(fd: int) -> str:
    """The holder of a lock, in words."""
    signature = signed(fd)
    return "{}, since {}".format(*signature) if signature else "another command"


def signed(fd: int) -> tuple[str, str] | None:
    try:
        text = json.loads(os.pread(fd, _TEXT_BYTES, 0))
        return str(text["holder"]), str(text["since"])
    except (ValueError, KeyError, TypeError):
        return None
