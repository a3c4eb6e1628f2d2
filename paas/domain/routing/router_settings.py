"""What users may set of how the router treats an app's requests: each key, its form, its default.

The keys are named as Dokku's and nginx's are. Values are validated once, here, and are numbers,
choices, addresses and header texts from then on: nothing that a user typed is a directive.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from paas.domain.routing.hsts import Hsts, parse_hsts
from paas.domain.routing.router_values import (
    KIB,
    MIB,
    Network,
    Rate,
    parse_buffer_size,
    parse_choice,
    parse_count,
    parse_limit,
    parse_networks,
    parse_rate,
    parse_size,
    parse_time,
)
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import shown

HEADERS_MAX = 20
HEADER_VALUE_MAX = 1_000
USERS_MAX = 100
HEADER_PREFIX = "header."
BODY_KEY = "client-max-body-size"

# Headers that the platform itself sets, or that frame a response (RFC 9110, RFC 9112).
RESERVED_HEADERS = frozenset(
    {
        "connection", "content-encoding", "content-length", "content-range", "content-type",
        "date", "host", "keep-alive", "location", "server", "set-cookie",
        "strict-transport-security", "te", "trailer", "transfer-encoding", "upgrade",
        "www-authenticate", "x-accel-redirect", "x-request-id",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """How the router treats an app's requests. Sizes in bytes, times in seconds.

    body_timeout_s: between two parts of a request's body. websocket_timeout_s: None: as
    read_timeout_s. rate: for each client address; None: no limit. burst: requests beyond the rate
    that are let through at once. connections: for each client address; 0: no limit. users: hashed
    passwords by name; none: no authentication. allow: the only addresses that are allowed, if there
    are any; deny takes precedence. trusted: balancers in front, whose X-Forwarded-For and -Proto
    are trusted. buffer_bytes: for the headers of an answer. underscores: whether the app gets
    headers with an underscore in their name. headers: added to every answer, by name.
    """

    body_bytes: int = 100 * MIB
    body_timeout_s: int = 60
    connect_timeout_s: int = 5
    read_timeout_s: int = 60
    send_timeout_s: int = 60
    websocket_timeout_s: int | None = None
    response_buffering: bool = True
    request_buffering: bool = True
    buffer_bytes: int = 32 * KIB
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
    underscores: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    hsts: Hsts | None = None

    @property
    def is_limited(self) -> bool:
        """Whether requests are rate-limited."""
        return self.rate is not None or self.connections > 0

    @property
    def retry_after_s(self) -> int:
        """How long a rate-limited client should wait: until the rate allows one more request."""
        return math.ceil(self.rate.per_s / self.rate.requests) if self.rate else 1


DEFAULTS = RouterSettings()


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
    Key(BODY_KEY, "body_bytes", parse_size, _shown_size),
    Key("client-body-timeout", "body_timeout_s", parse_time, _shown_time),
    Key("proxy-connect-timeout", "connect_timeout_s", parse_time, _shown_time),
    Key("proxy-read-timeout", "read_timeout_s", parse_time, _shown_time),
    Key("proxy-send-timeout", "send_timeout_s", parse_time, _shown_time),
    Key("websocket-timeout", "websocket_timeout_s", parse_time, _shown_time),
    Key("proxy-buffering", "response_buffering", parse_choice, _shown_choice),
    Key("proxy-buffer-size", "buffer_bytes", parse_buffer_size, _shown_size),
    Key("proxy-request-buffering", "request_buffering", parse_choice, _shown_choice),
    Key("gzip", "gzip", parse_choice, _shown_choice),
    Key("brotli", "brotli", parse_choice, _shown_choice),
    Key("rate-limit", "rate", parse_rate, lambda value: str(value) if value else "off"),
    Key("rate-limit-burst", "burst", parse_count, str),
    Key(
        "connection-limit", "connections", parse_limit, lambda value: str(value) if value else "off"
    ),
    Key("allow", "allow", parse_networks, _shown_networks),
    Key("deny", "deny", parse_networks, _shown_networks),
    Key("trusted-proxies", "trusted", parse_networks, _shown_networks),
    Key("sticky-sessions", "sticky", parse_choice, _shown_choice),
    Key("underscores-in-headers", "underscores", parse_choice, _shown_choice),
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
    """The parsed value. Raises PaasError, even if an earlier version stored it."""
    if name not in BY_NAME:
        raise usage_error("router-key", f"{shown(name)} is not a setting of the router.")
    try:
        return BY_NAME[name].parse(text)
    except ValueError as error:
        raise usage_error("router-value", f"{name} takes {error}, not {shown(text)}.") from error


def router_settings(values: Mapping[str, str], users: Mapping[str, str]) -> RouterSettings:
    """The settings from these values, by key; what is not set has its default."""
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
    """Every key with its current value, as people read it."""
    shown_values = {key.name: key.show(getattr(settings, key.field)) for key in KEYS}
    shown_values |= {HEADER_PREFIX + name: text for name, text in settings.headers.items()}
    return shown_values
