"""What users may set of how the router treats an app's requests: each key, its form, its default.

The keys are named as Dokku's and nginx's are. Values are validated once, here, and are numbers,
choices, addresses and header texts from then on: nothing that a user typed is a directive.
"""

import ipaddress
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from paas.domain.errors import PaasError, usage_error
from paas.domain.hsts import Hsts, parse_hsts
from paas.domain.names import shown

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MIB = 1024**2
BODY_MAX_BYTES = 100 * 1024 * MIB
TIME_MAX_S = 24 * 3600
RATE_MAX = 100_000
COUNT_MAX = 65_535  # the most that nginx counts connections to
NETWORKS_MAX = 200
HEADERS_MAX = 20
HEADER_VALUE_MAX = 1_000
USERS_MAX = 100
HEADER_PREFIX = "header."

# What the platform itself says in an answer, or what frames it (RFC 9110, RFC 9112).
RESERVED_HEADERS = frozenset(
    {
        "connection", "content-encoding", "content-length", "content-range", "content-type",
        "date", "host", "keep-alive", "location", "server", "set-cookie",
        "strict-transport-security", "te", "trailer", "transfer-encoding", "upgrade",
        "www-authenticate", "x-accel-redirect", "x-request-id",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds (1 or 60)."""

    requests: int
    per_s: int

    def __str__(self) -> str:
        return f"{self.requests}r/{'s' if self.per_s == 1 else 'm'}"


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """How the router treats an app's requests. Sizes in bytes, times in seconds.

    websocket_timeout_s: None: as read_timeout_s. rate: for each client address; None: no limit.
    burst: requests beyond the rate that are let through at once. connections: for each client
    address; 0: no limit. users: hashed passwords by name; none: no authentication. allow: the only
    addresses that may come, where there are any; deny goes before it. trusted: balancers in front,
    whose X-Forwarded-For and -Proto are believed. headers: added to every answer, by name.
    """

    body_bytes: int = 100 * MIB
    connect_timeout_s: int = 5
    read_timeout_s: int = 60
    send_timeout_s: int = 60
    websocket_timeout_s: int | None = None
    response_buffering: bool = True
    request_buffering: bool = True
    gzip: bool = False
    brotli: bool = False
    rate: Rate | None = None
    burst: int = 20
    connections: int = 0
    users: Mapping[str, str] = field(default_factory=dict)
    allow: tuple[Network, ...] = ()
    deny: tuple[Network, ...] = ()
    trusted: tuple[Network, ...] = ()
    sticky: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    hsts: Hsts | None = None

    @property
    def is_limited(self) -> bool:
        """Whether a client can be told to come less often."""
        return self.rate is not None or self.connections > 0

    @property
    def retry_after_s(self) -> int:
        """How long a client that came too often is to wait: until the rate has one for it."""
        return math.ceil(self.rate.per_s / self.rate.requests) if self.rate else 1


DEFAULTS = RouterSettings()


def _choice(text: str) -> bool:
    if text not in {"on", "off"}:
        raise ValueError("on or off")
    return text == "on"


def _size(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,12})([kmg]?)", text.lower())
    if match is None:
        raise ValueError("a size such as 512k, 20m or 1g")
    size = int(match[1]) * {"": 1, "k": 1024, "m": MIB, "g": 1024 * MIB}[match[2]]
    if not 1 <= size <= BODY_MAX_BYTES:
        raise ValueError("a size from 1 byte to 100g")
    return size


def _time(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,6})([smh]?)", text)
    if match is None:
        raise ValueError("a time such as 30s, 5m or 1h")
    seconds = int(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]
    if not 1 <= seconds <= TIME_MAX_S:
        raise ValueError("a time from 1s to 24h")
    return seconds


def _rate(text: str) -> Rate | None:
    if text == "off":
        return None
    match = re.fullmatch(r"([0-9]{1,6})r?/([sm])", text)
    if match is None or not 1 <= int(match[1]) <= RATE_MAX:
        raise ValueError("a rate such as 10r/s or 300r/m, or off")
    return Rate(int(match[1]), 1 if match[2] == "s" else 60)


def _count(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,5}", text) is None or int(text) > COUNT_MAX:
        raise ValueError(f"a number from 0 to {COUNT_MAX}")
    return int(text)


def parse_networks(text: str) -> tuple[Network, ...]:
    """Addresses and ranges. Raises ValueError with what it must be."""
    words = [word for word in re.split(r"[,\s]+", text) if word]
    if not 1 <= len(words) <= NETWORKS_MAX:
        raise ValueError(f"1 to {NETWORKS_MAX} addresses or ranges, such as 192.0.2.0/24")
    # ipaddress takes any text for the zone of fe80::1%eth0, also one that is a directive.
    if "%" in text:
        raise ValueError("addresses or ranges without a zone, such as 192.0.2.0/24")
    try:
        return tuple(ipaddress.ip_network(word) for word in words)
    except ValueError as error:
        raise ValueError(f"addresses or ranges, such as 192.0.2.0/24 ({error})") from error


def _limit(text: str) -> int:
    try:
        return 0 if text == "off" else _count(text)
    except ValueError as error:
        raise ValueError(f"off, or {error}") from error


@dataclass(frozen=True, slots=True)
class Key:
    """A key as users type it: the field that it sets, and how its text is read and written."""

    name: str
    field: str
    parse: Callable[[str], Any]
    show: Callable[[Any], str]


def _shown_choice(value: bool) -> str:
    return "on" if value else "off"


def _shown_size(value: int) -> str:
    for unit, size in (("g", 1024 * MIB), ("m", MIB), ("k", 1024)):
        if value % size == 0:
            return f"{value // size}{unit}"
    return str(value)


def _shown_time(value: int | None) -> str:
    return "as proxy-read-timeout" if value is None else f"{value}s"


def _shown_networks(value: tuple[Network, ...]) -> str:
    return " ".join(map(str, value)) or "none"


KEYS = (
    Key("client-max-body-size", "body_bytes", _size, _shown_size),
    Key("proxy-connect-timeout", "connect_timeout_s", _time, _shown_time),
    Key("proxy-read-timeout", "read_timeout_s", _time, _shown_time),
    Key("proxy-send-timeout", "send_timeout_s", _time, _shown_time),
    Key("websocket-timeout", "websocket_timeout_s", _time, _shown_time),
    Key("proxy-buffering", "response_buffering", _choice, _shown_choice),
    Key("proxy-request-buffering", "request_buffering", _choice, _shown_choice),
    Key("gzip", "gzip", _choice, _shown_choice),
    Key("brotli", "brotli", _choice, _shown_choice),
    Key("rate-limit", "rate", _rate, lambda value: str(value) if value else "off"),
    Key("rate-limit-burst", "burst", _count, str),
    Key("connection-limit", "connections", _limit, lambda value: str(value) if value else "off"),
    Key("allow", "allow", parse_networks, _shown_networks),
    Key("deny", "deny", parse_networks, _shown_networks),
    Key("trusted-proxies", "trusted", parse_networks, _shown_networks),
    Key("sticky-sessions", "sticky", _choice, _shown_choice),
    Key("hsts", "hsts", parse_hsts, lambda value: str(value) if value else "off"),
)
BY_NAME = {key.name: key for key in KEYS}


def key_name(text: str) -> str:
    """Validate a key; underscores will do for dashes, and a header's case is kept."""
    if text.lower().startswith(HEADER_PREFIX):
        return HEADER_PREFIX + header_name(text[len(HEADER_PREFIX) :])
    name = text.lower().replace("_", "-")
    if name not in BY_NAME:
        raise usage_error(
            "router-key",
            f"{shown(text)} is not a setting of the router.",
            f"There are: {', '.join(BY_NAME)}, {HEADER_PREFIX}NAME",
        )
    return name


def is_key(text: str) -> bool:
    """Whether it is a key, as users may type it."""
    try:
        key_name(text)
    except PaasError:
        return False
    return True


def header_name(text: str) -> str:
    """Validate a response header's name (RFC 9110, 5.1) that an app's owner may add."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,63}", text) is None:
        raise usage_error("router-value", f"{shown(text)} is not a header's name.")
    if text.lower() in RESERVED_HEADERS:
        raise usage_error("router-value", f"The header {text} is not one to add.")
    return text


def header_value(text: str) -> str:
    """Validate a header's value: visible ASCII and spaces; ``$`` would be a variable to nginx."""
    good = re.fullmatch(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?", text) is not None
    if not good or len(text) > HEADER_VALUE_MAX or any(c in text for c in '$"\\'):
        raise usage_error(
            "router-value",
            f"{shown(text)} is not a header's value: visible ASCII without $, double quotes and "
            f"backslashes, at most {HEADER_VALUE_MAX} characters.",
        )
    return text


def checked_value(name: str, text: str) -> str:
    """Validate a value for a key; returns it as it is kept."""
    if name.startswith(HEADER_PREFIX):
        return header_value(text)
    _parsed(name, text)
    return text


def _parsed(name: str, text: str) -> Any:
    """What the text comes to. Raises PaasError, also where an earlier version kept it."""
    if name not in BY_NAME:
        raise usage_error("router-key", f"{shown(name)} is not a setting of the router.")
    try:
        return BY_NAME[name].parse(text)
    except ValueError as error:
        raise usage_error("router-value", f"{name} takes {error}, not {shown(text)}.") from error


def router_settings(values: Mapping[str, str], users: Mapping[str, str]) -> RouterSettings:
    """The settings that these values, by key, come to; what is not set has its default."""
    if sum(name.startswith(HEADER_PREFIX) for name in values) > HEADERS_MAX:
        raise PaasError("too-many-headers", f"An app may add {HEADERS_MAX} headers.")
    typed: dict[str, Any] = {}
    for name, text in values.items():
        if not name.startswith(HEADER_PREFIX):
            value = _parsed(name, text)
            typed[BY_NAME[name].field] = value
    headers = {
        name.removeprefix(HEADER_PREFIX): text
        for name, text in values.items()
        if name.startswith(HEADER_PREFIX)
    }
    return RouterSettings(**typed, headers=headers, users=dict(users))


def report(settings: RouterSettings) -> dict[str, str]:
    """Every key with its present value, as people read it."""
    shown_values = {key.name: key.show(getattr(settings, key.field)) for key in KEYS}
    shown_values |= {HEADER_PREFIX + name: text for name, text in settings.headers.items()}
    return shown_values
