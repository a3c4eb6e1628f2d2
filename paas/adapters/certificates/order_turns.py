"""`OrderTurns` of interfaces: locks on files, which the kernel frees when a process ends.

The files are in the directory of all locks; they are not deleted, see adapters/system/locks.py.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from paas.adapters.system.flocks import is_file_held
from paas.adapters.system.signed_flocks import holder_of, tried, turn
from paas.domain.certificates.acme import ORDERS_AT_ONCE

# A request takes seconds. flock(2) waits for one file, not for the first of several.
POLL_S = 0.05
_PLACES = [f"issuer-{number}" for number in range(1, ORDERS_AT_ONCE + 1)]
# Only callers that wait, such as users, may take this slot: background renewals never use it up.
_SPARE = "issuer-0"


class FlockOrderTurns:
    """For any thread and process."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @contextmanager
    def name(
        self,
        host: str,
        holder: str,
        waiting: Callable[[str], AbstractContextManager[None]] | None = None,
    ) -> Iterator[bool]:
        """Be the only process that gets a certificate for a name, from asking to showing it."""
        fd = self._open(_file_of(host))
        if waiting is None:
            with tried(fd, holder) as is_ours:
                yield is_ours
        else:
            with turn(fd, holder, waiting, holder_of):
                yield True

    def name_is_held(self, host: str) -> bool:
        """Whether any process is."""
        return is_file_held(self._directory / _file_of(host))

    @contextmanager
    def place(
        self,
        holder: str,
        waiting: Callable[[str], AbstractContextManager[None]] | None = None,
    ) -> Iterator[bool]:
        """Have one of the places while the issuer is asked; see the interface."""
        with ExitStack() as held:
            if waiting is None:
                yield self._takes_any(_PLACES, holder, held)
                return
            if not self._takes_any([_SPARE, *_PLACES], holder, held):
                with waiting(self._holder()):
                    while not self._takes_any([_SPARE, *_PLACES], holder, held):
                        time.sleep(POLL_S)
            yield True

    def has_place(self) -> bool:
        """Whether one is free of those that need no wait."""
        return not all(is_file_held(self._directory / name) for name in _PLACES)

    def _takes_any(self, names: list[str], holder: str, held: ExitStack) -> bool:
        """Hold the first that is free, with what is held; whether there was one."""
        for name in names:
            with ExitStack() as attempt:
                if attempt.enter_context(tried(self._open(name), holder)):
                    held.push(attempt.pop_all())
                    return True
        return False

    def _holder(self) -> str:
        """Who has the slot that is reserved for users."""
        fd = self._open(_SPARE)
        try:
            return holder_of(fd)
        finally:
            os.close(fd)

    def _open(self, name: str) -> int:
        self._directory.mkdir(mode=0o711, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(self._directory / name, flags, 0o600)


def _file_of(host: str) -> str:
    """A name of a host may be longer than that of a file."""
    return f"order-{hashlib.sha256(host.encode()).hexdigest()[:32]}"
