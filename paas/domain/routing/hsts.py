"""HTTP Strict Transport Security (RFC 6797): browsers use only HTTPS, for a time."""

import re
from dataclasses import dataclass

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "y": 365 * 86_400}
MAX_S = 10 * UNITS_S["y"]
# What browsers' lists of preloaded names ask for: https://hstspreload.org.
PRELOAD_MIN_S = UNITS_S["y"]
_SUBDOMAINS, _PRELOAD = "subdomains", "preload"


@dataclass(frozen=True, slots=True)
class Hsts:
    """What browsers should remember. Sent over HTTPS only."""

    max_age_s: int
    subdomains: bool = False
    preload: bool = False

    @property
    def value(self) -> str:
        """The value of the header Strict-Transport-Security."""
        words = [f"max-age={self.max_age_s:d}"]
        words += ["includeSubDomains"] if self.subdomains else []
        words += ["preload"] if self.preload else []
        return "; ".join(words)

    def __str__(self) -> str:
        """As users type it."""
        unit = next(u for u in ("y", "d", "h", "m", "s") if self.max_age_s % UNITS_S[u] == 0)
        words = [f"{self.max_age_s // UNITS_S[unit]}{unit}"] if self.max_age_s else ["0s"]
        words += [_SUBDOMAINS] if self.subdomains else []
        words += [_PRELOAD] if self.preload else []
        return " ".join(words)


def parse_hsts(text: str) -> Hsts | None:
    """``off``, or a time such as ``1y``, then ``subdomains`` and ``preload``.

    Raises ValueError with what it must be. ``0s`` has browsers forget it.
    """
    if text == "off":
        return None
    time, *words = re.split(r"[,\s]+", text.strip())
    match = re.fullmatch(r"([0-9]{1,10})([smhdy]?)", time)
    if match is None or set(words) - {_SUBDOMAINS, _PRELOAD} or len(set(words)) < len(words):
        raise ValueError("off, or a time such as 1y, then subdomains, then preload")
    seconds = int(match[1]) * UNITS_S[match[2] or "s"]
    if seconds > MAX_S:
        raise ValueError("a time of 10y at most")
    if _PRELOAD in words and (_SUBDOMAINS not in words or seconds < PRELOAD_MIN_S):
        raise ValueError("preload with subdomains and 1y at least, as browsers' lists do")
    return Hsts(seconds, _SUBDOMAINS in words, _PRELOAD in words)
