"""Which users have a child of the gate, and its state: a table in shared memory.

A command has a share for each user and a reserve for administrators. One that only waits, such as
``logs --tail`` or ``run``, no longer counts as a command, and has its own share. Each child writes
its own row before it counts the others, so two at once may both be refused, but never both be
admitted above the limit.
"""

import hashlib
import mmap
import struct
from collections import Counter
from collections.abc import Callable
from enum import IntEnum

from paas.domain.values.errors import PaasError

# In total; each is a process of a few megabytes.
ROWS = 512
_ROW = struct.Struct("B15s")
_NOBODY = bytes(15)


class State(IntEnum):
    """What a child does. ARRIVING: its request is not read. LEFT: its client has its answer."""

    NOTHING = 0
    ARRIVING = 1
    WORKING = 2
    WAITING = 3
    LEFT = 4


class Slots:
    """The table. commands: how many may run at once, root's apart.

    An eighth of them is reserved for administrators; a user may have a quarter, and as many that
    wait. All users together may have half of the rows for waiting ones.
    """

    def __init__(self, commands: int) -> None:
        self._commands = commands
        self._reserve = commands // 8
        self.share = max(1, commands // 4)
        self._table = mmap.mmap(-1, ROWS * _ROW.size)

    def take(self) -> int | None:
        """A row for a child that is about to be forked; None if none is free."""
        for row in range(ROWS):
            if self._read(row)[0] is State.NOTHING:
                self._write(row, State.ARRIVING, _NOBODY)
                return row
        return None

    def free(self, row: int) -> None:
        """Its child has ended."""
        self._write(row, State.NOTHING, _NOBODY)

    def enter(self, row: int, user: str, is_admin: Callable[[], bool]) -> str | None:
        """Begin a command, in the child; returns why it has to wait for its turn, or None.

        is_admin: called only if it makes a difference.
        """
        who = _digest(user)
        self._write(row, State.WORKING, who)
        counted = self._count()
        working = sum(n for (state, _), n in counted.items() if state is State.WORKING)
        most = self._commands
        if working > most or (working > most - self._reserve and not is_admin()):
            self._write(row, State.ARRIVING, _NOBODY)
            return (
                "The server is already running as many commands as it can; try again in a moment."
            )
        if counted[State.WORKING, who] > self.share and not is_admin():
            self._write(row, State.ARRIVING, _NOBODY)
            return (
                f"You have {self.share} commands running on this server, as many as one user may; "
                "try again when one has ended."
            )
        return None

    def wait(self, row: int, is_admin: Callable[[], bool]) -> None:
        """Mark the command as waiting. Raises PaasError if its user has too many of those."""
        state, who = self._read(row)
        if state is not State.WORKING:
            return  # root's, which has no share
        self._write(row, State.WAITING, who)
        counted = self._count()
        waiting = sum(n for (state, _), n in counted.items() if state is State.WAITING)
        if counted[State.WAITING, who] > self.share:
            too_many = (
                f"You have {self.share} sessions open that wait (logs --tail, run and the like)"
            )
        elif waiting > ROWS // 2:
            too_many = f"{ROWS // 2} sessions wait on this server (logs --tail, run and the like)"
        else:
            return
        if not is_admin():
            self._write(row, State.WORKING, who)
            raise PaasError(
                "too-many-sessions",
                f"{too_many}, which is the most.",
                "Run this again when one has ended.",
            )

    def leave(self, row: int) -> None:
        """The client has its answer; the rest no longer counts as its user's command."""
        state, who = self._read(row)
        if state in (State.WORKING, State.WAITING):
            self._write(row, State.LEFT, who)

    def _count(self) -> Counter[tuple[State, bytes]]:
        return Counter(self._read(row) for row in range(ROWS))

    def _read(self, row: int) -> tuple[State, bytes]:
        state, who = _ROW.unpack_from(self._table, row * _ROW.size)
        return State(state), who

    def _write(self, row: int, state: State, who: bytes) -> None:
        _ROW.pack_into(self._table, row * _ROW.size, state, who)


def _digest(user: str) -> bytes:
    return hashlib.sha256(user.encode()).digest()[:15]
