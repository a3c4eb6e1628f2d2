"""TLS certificates: what one contains, which one is used for which name, and when it is old."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from paas.domain.routing.hosts import WILDCARD, parent

PEM_MAX_BYTES = 65_536
WARN_BEFORE = timedelta(days=21)
# Of a lifetime of 90 days, those are 21; a certificate for six days is warned of in proportion.
WARN_SHARE = 21 / 90
RENEW_SHARE = 1 / 3
# Certificates that were issued together are not all renewed together.
JITTER_SHARE = 1 / 30


# Of certificates that are the server's own; no app has it.
SERVER_ID = 0


class Origin(StrEnum):
    """Where a certificate comes from."""

    OWN = "own"
    ACME = "acme"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a certificate contains.

    names: DNS names, lower case, perhaps ``*.``. chain: the subjects, the leaf first.
    key: such as ``RSA 2048`` or ``EC P-256``.
    """

    names: tuple[str, ...]
    issuer: str
    serial: str
    fingerprint: str
    not_before: datetime
    not_after: datetime
    key: str
    chain: tuple[str, ...] = ()
    self_signed: bool = False

    @property
    def lifetime(self) -> timedelta:
        """From its first moment to its last."""
        return self.not_after - self.not_before

    def is_worrying(self, now: datetime) -> bool:
        """Whether it expires so soon that someone should know."""
        return now >= self.not_after - min(WARN_BEFORE, self.lifetime * WARN_SHARE)

    def renew_at(self, lot: str) -> datetime:
        """When a third of its lifetime is left, and a little earlier by its own lot."""
        share = int.from_bytes(sha256(lot.encode()).digest()[:4]) / 2**32
        return self.not_after - self.lifetime * (RENEW_SHARE + share * JITTER_SHARE)


@dataclass(frozen=True, slots=True)
class AppCertificate:
    """A certificate that an app has. Its two files never change; a renewal is another one.

    warned: when a warning that it expires soon was last given.
    """

    id: str
    app_id: int
    origin: Origin
    facts: Facts
    added_at: datetime
    warned: datetime | None = None

    def is_worrying(self, now: datetime) -> bool:
        """Whether it expires so soon that someone should know."""
        return self.facts.is_worrying(now)

    @property
    def is_shared(self) -> bool:
        """Whether it is the server's, for the names of all apps."""
        return self.app_id == SERVER_ID

    @property
    def damaged(self) -> str:
        """What to say if its files can no longer be read."""
        names = ", ".join(self.facts.names[:3])
        cure = "certs:add" if self.origin is Origin.OWN else "certs:auto off, then certs:auto on"
        return (
            f"The files of the certificate {self.id} of {names} are lost or damaged, so it is "
            f"not shown. Another one: paas {cure}"
        )

    @property
    def renew_at(self) -> datetime:
        """When the server asks for another one."""
        return self.facts.renew_at(self.id)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A certificate as it was read and checked. chain, key: PEM; key is a secret."""

    facts: Facts
    chain: bytes
    key: bytes

    def __repr__(self) -> str:
        return f"Bundle({self.facts.names})"


def covers(name: str, host: str) -> bool:
    """Whether a name in a certificate covers a host (RFC 6125, 6.4.3): ``*.`` one label of it."""
    if name == host:
        return True
    return name.startswith(WILDCARD) and not host.startswith(WILDCARD) and parent(host) == name[2:]


def covered(names: Iterable[str], host: str) -> bool:
    """Whether any of the names covers the host."""
    return any(covers(name, host) for name in names)


def shown_for(certificates: Sequence[AppCertificate], host: str) -> AppCertificate | None:
    """The certificate that visitors of a host get: an added one before one from ACME.

    Among several, one that has the very name before a wildcard, then the one that lasts longest.
    """
    fitting = [c for c in certificates if covered(c.facts.names, host)]
    return max(
        fitting,
        key=lambda c: (c.origin is Origin.OWN, host in c.facts.names, c.facts.not_after, c.id),
        default=None,
    )


def replaced_by(new: AppCertificate, present: Sequence[AppCertificate]) -> list[AppCertificate]:
    """Those of the app's own whose every name the new one covers too."""
    return [
        old
        for old in present
        if old.origin is Origin.OWN
        and old.id != new.id
        and all(n in new.facts.names or covered(new.facts.names, n) for n in old.facts.names)
    ]


def days_left(facts: Facts, now: datetime) -> str:
    """In words: ``in 12 days``, ``in 5 hours``, ``in less than an hour``, ``3 days ago``."""
    left = facts.not_after - now
    ago = left < timedelta(0)
    hours = abs(left) // timedelta(hours=1)
    amount, unit = (hours // 24, "day") if hours >= 48 else (hours, "hour")
    text = f"{amount} {unit}{'' if amount == 1 else 's'}" if amount else "less than an hour"
    return f"{text} ago" if ago else f"in {text}"
