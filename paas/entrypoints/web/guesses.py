"""Limits guessing of tokens: how many were refused lately, by address and by their beginning."""

import hashlib
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

REFUSALS_MAX = 20
WINDOW_S = 60.0
_KEPT_MAX = 10_000
_IPV6_NETWORK_BITS = 64
# Of a token: what names it, and is not secret.
_PREFIX_CHARACTERS = 13
_NEVER = float("-inf")


def words(wait_s: int) -> str:
    """Why a token is not looked at."""
    return (
        "Too many tokens that are not valid came from your address, or began like yours; try again "
        f"in {wait_s} s."
    )


class Guesses:
    """What was refused, and which tokens were not; all threads use it.

    A token that was accepted is never held up by what others send: nobody can lock its user out.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refused: OrderedDict[str, deque[float]] = OrderedDict()
        self._accepted: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, address: str, token: str) -> int:
        """For how long a token is not even looked at; 0: it is."""
        with self._lock:
            if _digest(token) in self._accepted:
                return 0
            now = self._clock()
            until = max(self._until(key) for key in _keys(address, token))
            return 0 if until <= now else int(until - now) + 1

    def refused(self, address: str, token: str) -> None:
        """It was not valid."""
        with self._lock:
            self._accepted.pop(_digest(token), None)
            for key in _keys(address, token):
                times = self._refused.setdefault(key, deque(maxlen=REFUSALS_MAX))
                times.append(self._clock())
                self._refused.move_to_end(key)
            while len(self._refused) > _KEPT_MAX:
                self._refused.popitem(last=False)

    def accepted(self, token: str) -> None:
        """It was valid."""
        with self._lock:
            digest = _digest(token)
            self._accepted[digest] = None
            self._accepted.move_to_end(digest)
            if len(self._accepted) > _KEPT_MAX:
                self._accepted.popitem(last=False)

    def _until(self, key: str) -> float:
        times = self._refused.get(key)
        if times is None or len(times) < REFUSALS_MAX:
            return _NEVER
        return times[0] + WINDOW_S


def _keys(address: str, token: str) -> tuple[str, str]:
    """The network of an address, since a host has all of a /64; and a token's prefix."""
    try:
        ip = ip_address(address)
    except ValueError:
        return f"address {address}", f"token {token[:_PREFIX_CHARACTERS]}"
    if isinstance(ip, IPv6Address):
        address = str(IPv6Address(int(ip) >> _IPV6_NETWORK_BITS << _IPV6_NETWORK_BITS))
    return f"address {address}", f"token {token[:_PREFIX_CHARACTERS]}"


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
