"""Work on what strangers say, done by a child without rights: what it finds out is all that it has.

Whoever took it over would have a copy of this process's memory, and nothing else: no file that it
had open, no rights of root, no way back to them.
"""

import ctypes
import os
import select
import signal
import time
import traceback
from collections.abc import Callable
from typing import NoReturn

# prctl(2), linux/prctl.h.
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


class ChildFailedError(Exception):
    """It ended by a fault, said too much, or took too long."""


def result_of(work: Callable[[], bytes], uid: int, *, max_bytes: int, limit_s: float) -> bytes:
    """What work returns, done in a child as that uid. Raises ChildFailedError.

    Must run as root, before this process has threads.
    """
    reader, writer = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _work(work, uid, writer, parent)
    os.close(writer)
    try:
        found = _read(reader, max_bytes, time.monotonic() + limit_s)
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        raise
    finally:
        os.close(reader)
        _, status = os.waitpid(pid, 0)
    if status != 0:
        raise ChildFailedError("it ended by a fault")
    return found


def _work(work: Callable[[], bytes], uid: int, writer: int, parent: int) -> NoReturn:
    code = 1
    try:  # whatever happens, no copy of the parent goes on from here
        try:
            _give_up_rights(uid, writer, parent)
            with os.fdopen(writer, "wb") as file:
                file.write(work())
            code = 0
        except BaseException:
            os.write(2, traceback.format_exc().encode(errors="replace"))
    finally:
        os._exit(code)


def _give_up_rights(uid: int, keep: int, parent: int) -> None:
    os.closerange(3, keep)
    os.closerange(keep + 1, os.sysconf("SC_OPEN_MAX"))
    os.chdir("/")
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)  # from root to another: all capabilities go (capabilities(7))
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((_PR_SET_NO_NEW_PRIVS, 1), (_PR_SET_PDEATHSIG, signal.SIGKILL)):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:
        raise SystemExit("The parent ended while this process started.")


def _read(reader: int, max_bytes: int, deadline: float) -> bytes:
    found = b""
    while select.select([reader], [], [], max(0.0, deadline - time.monotonic()))[0]:
        part = os.read(reader, 65_536)
        if not part:
            return found
        found += part
        if len(found) > max_bytes:
            raise ChildFailedError("it says too much")
    raise ChildFailedError("it took too long")
