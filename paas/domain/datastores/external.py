"""Databases elsewhere, such as Heroku's or Amazon's: their URLs, and which may be used."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, unquote, urlsplit

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.names import DatastoreName
from paas.domain.logs.drains import why_refused
from paas.domain.routing.special_networks import PRIVATE_V4
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.secret import Secret

URL_MAX = 2_048
# Where their servers usually listen.
_PORTS = {
    DatastoreKind.POSTGRESQL: 5_432,
    DatastoreKind.MYSQL: 3_306,
    DatastoreKind.REDIS: 6_379,
}
_REDIS_TLS = "rediss"
# Those of drivers, too: the app gets the URL as it is.
_KINDS = {
    **{scheme: kind for kind in _PORTS for scheme in (kind.traits.scheme, *kind.traits.schemes)},
    _REDIS_TLS: DatastoreKind.REDIS,
}
_PRIVATE_V6 = ipaddress.IPv6Network("fc00::/7")
_TLS_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# Those of MySQL's own clients, in the words of PostgreSQL.
_MYSQL_TLS = {
    "disabled": "disable",
    "preferred": "prefer",
    "required": "require",
    "verify_ca": "verify-ca",
    "verify_identity": "verify-full",
}
# By which drivers for MySQL are told, ``ssl=true``.
_MYSQL_SWITCHES = ("ssl", "tls", "usessl", "sslaccept")
_OFF = frozenset({"0", "false", "no", "off", "disabled", "none"})


@dataclass(frozen=True, slots=True)
class ExternalUrl:
    """The parts of a URL. text: the URL itself. user: empty if it contains only a password.

    tls: what it says about TLS, in the words of PostgreSQL's ``sslmode``; None if nothing.
    """

    kind: DatastoreKind
    host: str
    port: int
    user: str
    password: Secret
    database: str
    tls: str | None
    text: Secret


@dataclass(frozen=True, slots=True)
class ExternalFacts:
    """What the check of a database elsewhere found. encrypted: whether it used TLS."""

    version: str
    encrypted: bool

    def words(self, kind: DatastoreKind) -> str:
        """``MySQL 8.0.36``: product and version."""
        if kind is not DatastoreKind.MYSQL:
            return f"{kind.traits.product} {self.version}"
        number, _, suffix = self.version.partition("-")
        return f"{'MariaDB' if suffix.lower().startswith('mariadb') else 'MySQL'} {number}"


@dataclass(frozen=True, slots=True)
class External:
    """A database elsewhere that an app has attached. name: ``external-curly-1234``."""

    id: int
    name: DatastoreName
    kind: DatastoreKind
    app_id: int
    url: Secret
    facts: ExternalFacts
    created_at: datetime

    @property
    def version(self) -> str:
        """The version that the last check found."""
        return self.facts.version

    @property
    def group(self) -> str:
        """Its name for programs that are run for it."""
        return f"external-{self.id}"

    @property
    def parsed(self) -> ExternalUrl:
        """The parts of its URL."""
        return parse_external_url(self.url.reveal())


def parse_external_url(text: str) -> ExternalUrl:
    """Validate a database's URL. Raises usage errors, which do not repeat it."""
    if not 0 < len(text) <= URL_MAX or not text.isascii() or not text.isprintable() or " " in text:
        raise _bad(f"it must be 1 to {URL_MAX} plain characters without blanks")
    try:
        parts = urlsplit(text)
        port = parts.port
        query = parse_qs(parts.query, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise _bad("its host, port or query is not valid") from error
    kind = _KINDS.get(parts.scheme)
    if kind is None:
        raise _bad(
            "it must begin with postgresql://, mysql://, redis:// or rediss://, optionally with a "
            "driver, as in mysql+pymysql://"
        )
    if not parts.hostname or port == 0 or "%" in parts.hostname:
        raise _bad("it names no host, or port 0")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not password:
        raise _bad("it needs a password")
    if not user and kind is not DatastoreKind.REDIS:
        raise _bad("it needs a login")
    if (user and not user.isprintable()) or "\0" in password:
        raise _bad("its login or password has characters that are not allowed")
    return ExternalUrl(
        kind=kind,
        host=parts.hostname,
        port=port or _PORTS[kind],
        user=user,
        password=Secret(password),
        database=_database(kind, unquote(parts.path.removeprefix("/"))),
        tls=_tls(kind, parts.scheme, query),
        text=Secret(text),
    )


def _database(kind: DatastoreKind, text: str) -> str:
    if kind is DatastoreKind.REDIS:
        if re.fullmatch(r"[0-9]{0,5}", text) is None:
            raise _bad("its database must be a number or empty")
        return str(int(text or "0"))
    if not text or not text.isprintable() or "/" in text:
        raise _bad("it names no database")
    return text


def _tls(kind: DatastoreKind, scheme: str, query: Mapping[str, Sequence[str]]) -> str | None:
    """See `ExternalUrl`."""
    if kind is DatastoreKind.REDIS:
        return "require" if scheme == _REDIS_TLS else "disable"
    said = {re.sub("[-_]", "", name).lower(): values[-1] for name, values in query.items()}
    mode = said.get("sslmode")
    if kind is DatastoreKind.POSTGRESQL:
        known = {word: word for word in _TLS_MODES}
    else:
        known = {**_MYSQL_TLS, **{word: word for word in _TLS_MODES}}
        for name in _MYSQL_SWITCHES:
            if mode is None and name in said:
                return "disable" if said[name].lower() in _OFF else "require"
    if mode is None:
        return None
    if mode.lower() not in known:
        raise _bad(f"its sslmode must be one of {', '.join(known)}")
    return known[mode.lower()]


def why_not_asked(address: str, *, private: bool) -> str | None:
    """Why the server does not connect to an IP address for a user, or None if it does.

    The server can reach what apps may not: services on loopback, and a cloud's metadata. private:
    whether private networks may be used (the setting private_networks).
    """
    why = why_refused(address, to_server=False)
    if why is not None:
        return why
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    networks = PRIVATE_V4 if isinstance(ip, ipaddress.IPv4Address) else (_PRIVATE_V6,)
    if not private and any(ip in network for network in networks):
        return "apps may not connect to private networks on this server"
    return None


def _bad(why: str) -> PaasError:
    return usage_error(
        "external-url",
        f"This is not the URL of a database elsewhere: {why}.",
        "For example: postgresql://user:password@db.example.com:5432/shop",
    )
