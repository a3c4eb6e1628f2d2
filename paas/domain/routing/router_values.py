"""How the values of router settings are read: sizes, times, rates, numbers, addresses.

Each raises ValueError with what the text must be.
"""

import ipaddress
import re
from dataclasses import dataclass

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

KIB = 1024
MIB = 1024**2
# Of an answer's headers; each request has a buffer of this size.
BUFFER_MIN_BYTES, BUFFER_MAX_BYTES = 4 * KIB, 128 * KIB
BODY_MAX_BYTES = 100 * 1024 * MIB
TIME_MAX_S = 24 * 3600
RATE_MAX = 100_000
COUNT_MAX = 65_535  # the most that nginx counts connections to
NETWORKS_MAX = 200


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds (1 or 60)."""

    requests: int
    per_s: int

    def __str__(self) -> str:
        return f"{self.requests}r/{'s' if self.per_s == 1 else 'm'}"


def parse_choice(text: str) -> bool:
    """On or off. Raises ValueError with what it must be."""
    if text not in {"on", "off"}:
        raise ValueError("on or off")
    return text == "on"


def parse_size(text: str) -> int:
    """A size in bytes. Raises ValueError with what it must be."""
    match = re.fullmatch(r"([0-9]{1,12})([kmg]?)", text.lower())
    if match is None:
        raise ValueError("a size such as 512k, 20m or 1g")
    size = int(match[1]) * {"": 1, "k": 1024, "m": MIB, "g": 1024 * MIB}[match[2]]
    if not 1 <= size <= BODY_MAX_BYTES:
        raise ValueError("a size from 1 byte to 100g")
    return size


def parse_buffer_size(text: str) -> int:
    """The size of a buffer for headers, in bytes. Raises ValueError with what it must be."""
    try:
        size = parse_size(text)
    except ValueError:
        size = 0
    if not BUFFER_MIN_BYTES <= size <= BUFFER_MAX_BYTES or size % KIB:
        raise ValueError("a size from 4k to 128k, such as 64k")
    return size


def parse_time(text: str) -> int:
    """A time in seconds. Raises ValueError with what it must be."""
    match = re.fullmatch(r"([0-9]{1,6})([smh]?)", text)
    if match is None:
        raise ValueError("a time such as 30s, 5m or 1h")
    seconds = int(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]
    if not 1 <= seconds <= TIME_MAX_S:
        raise ValueError("a time from 1s to 24h")
    return seconds


def parse_rate(text: str) -> Rate | None:
    """A rate; None for none. Raises ValueError with what it must be."""
    if text == "off":
        return None
    match = re.fullmatch(r"([0-9]{1,6})r?/([sm])", text)
    if match is None or not 1 <= int(match[1]) <= RATE_MAX:
        raise ValueError("a rate such as 10r/s or 300r/m, or off")
    return Rate(int(match[1]), 1 if match[2] == "s" else 60)


def parse_count(text: str) -> int:
    """A number. Raises ValueError with what it must be."""
    if re.fullmatch(r"[0-9]{1,5}", text) is None or int(text) > COUNT_MAX:
        raise ValueError(f"a number from 0 to {COUNT_MAX}")
    return int(text)


def parse_networks(text: str) -> tuple[Network, ...]:
    """Addresses and ranges. Raises ValueError with what it must be."""
    words = _words(text)
    if not 1 <= len(words) <= NETWORKS_MAX:
        raise ValueError(f"1 to {NETWORKS_MAX} addresses or ranges, such as 192.0.2.0/24")
    # ipaddress takes any text for the zone of fe80::1%eth0, also one that is a directive.
    if "%" in text:
        raise ValueError("addresses or ranges without a zone, such as 192.0.2.0/24")
    try:
        return tuple(ipaddress.ip_network(word) for word in words)
    except ValueError as error:
        raise ValueError(f"addresses or ranges, such as 192.0.2.0/24 ({error})") from error


def parse_addresses(text: str) -> tuple[str, ...]:
    """Addresses, in the form that DNS answers are compared with. Raises ValueError likewise."""
    try:
        return tuple(str(ipaddress.ip_address(word)) for word in _words(text))
    except ValueError as error:
        raise ValueError(f"addresses, such as 203.0.113.5 or 2001:db8::5 ({error})") from error


def parse_servers(text: str) -> tuple[tuple[str, int], ...]:
    """Addresses of DNS servers, each with its port. Raises ValueError with what it must be."""
    found = []
    for word in _words(text):
        match = re.fullmatch(r"\[([0-9a-fA-F:.]+)\]:([0-9]{1,5})|([0-9.]+):([0-9]{1,5})", word)
        address, port = (match[1] or match[3], int(match[2] or match[4])) if match else (word, 53)
        try:
            found.append((str(ipaddress.ip_address(address)), port))
        except ValueError as error:
            raise ValueError(
                f"addresses, such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353 ({error})"
            ) from error
        if not 1 <= port <= COUNT_MAX:
            raise ValueError(f"ports from 1 to {COUNT_MAX}")
    return tuple(found)


def parse_limit(text: str) -> int:
    """A number; 0 for none. Raises ValueError with what it must be."""
    try:
        return 0 if text == "off" else parse_count(text)
    except ValueError as error:
        raise ValueError(f"off, or {error}") from error


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[,\s]+", text) if word]
