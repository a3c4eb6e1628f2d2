"""How many requests each address has at once."""

import threading
from collections import Counter

PER_ADDRESS = 16


class Places:
    """A share for each address, and perhaps a limit of all; all threads use it."""

    def __init__(self, share: int = PER_ADDRESS, total: int | None = None) -> None:
        self._share = share
        self._total = total
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, address: str) -> bool:
        """Begin a request; False if its address has as many as it may."""
        with self._lock:
            if self._taken[address] >= self._share:
                return False
            if self._total is not None and self._taken.total() >= self._total:
                return False
            self._taken[address] += 1
            return True

    @property
    def is_empty(self) -> bool:
        """Whether there are no requests now."""
        with self._lock:
            return not self._taken

    def free(self, address: str) -> None:
        """End a request."""
        with self._lock:
            self._taken[address] -= 1
            if not self._taken[address]:
                del self._taken[address]
