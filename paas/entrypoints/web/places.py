"""How many requests each address has at once."""

import threading
from collections import Counter

PER_ADDRESS = 16


class Places:
    """A share for each address; all threads use it."""

    def __init__(self, share: int = PER_ADDRESS) -> None:
        self._share = share
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, address: str) -> bool:
        """Begin a request; False if its address has as many as it may."""
        with self._lock:
            if self._taken[address] >= self._share:
                return False
            self._taken[address] += 1
            return True

    def free(self, address: str) -> None:
        """End a request."""
        with self._lock:
            self._taken[address] -= 1
            if not self._taken[address]:
                del self._taken[address]
