"""Certificates by ACME (RFC 8555): for which names to ask an issuer, and when.

A failure counts at the issuer: Let's Encrypt allows five for each account, host and hour. So
everything that can be checked is checked first, and failures are retried at growing intervals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from paas.domain.certificates.certificates import AppCertificate, Origin, covered
from paas.domain.routing.hosts import WILDCARD

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
# Internal: what the monitor process asks the gate for.
RENEW_COMMAND = "certs:tend"
# Concurrent background requests to the issuer; one more slot is reserved for users.
ORDERS_AT_ONCE = 4
# After the first, second, ... failure. Our own check costs nothing.
CHECK_WAITS = tuple(timedelta(minutes=m) for m in (1, 2, 5, 10, 30, 60))
ISSUER_WAITS = tuple(timedelta(minutes=m) for m in (5, 15, 60, 180, 360, 720, 1440))
LIMITED_WAIT = timedelta(hours=3)
REFUSALS_MAX = 4
REFUSALS_WITHIN = timedelta(hours=1)
REASON_MAX = 400
# Recorded before the issuer is asked: all that is left of an attempt whose process was killed.
INTERRUPTED = "the server was interrupted during the request"

# Names that nobody can own, so no public issuer vouches for them (RFC 6761, RFC 6762, RFC 8375,
# RFC 7686, and what ICANN promised never to give away).
_LOCAL = frozenset({"localhost"})
_PRIVATE = frozenset(
    {
        "alt", "arpa", "corp", "example", "home", "internal",
        "intranet", "invalid", "lan", "local", "localdomain", "mail",
        "onion", "private", "test",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attempt:
    """How asking for a host's certificate last failed.

    count: failures in a row. again: when it is tried next. refusals: when the issuer refused,
    within the last hour.
    """

    host: str
    count: int
    at: datetime
    again: datetime
    reason: str
    refusals: tuple[datetime, ...] = ()

    @property
    def has_no_result(self) -> bool:
        """Whether the issuer is being asked, or was when the process that asked was killed."""
        return self.reason == f"{INTERRUPTED}."


@dataclass(frozen=True, slots=True)
class Failure:
    """Why no certificate was issued. asked: whether the issuer was asked at all.

    limited: it says that it was asked too often. until: when it may be asked again, if known.
    """

    reason: str
    asked: bool = True
    limited: bool = False
    until: datetime | None = None


class IssueError(Exception):
    """No certificate was issued."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Renewal:
    """A host of an app, and the state of its certificate.

    unable: why none is asked for; empty if one is. present: the one that it has by ACME.
    asking: whether the issuer is being asked, since the time of the attempt.
    """

    host: str
    unable: str = ""
    present: AppCertificate | None = None
    attempt: Attempt | None = None
    asking: bool = False

    def is_due(self, now: datetime) -> bool:
        """Whether to ask now."""
        if self.unable or (self.attempt is not None and self.attempt.again > now):
            return False
        return self.present is None or self.present.renew_at <= now


@dataclass(frozen=True, slots=True)
class RenewalState:
    """What an app has: its names, its certificates, and what failed.

    shared: the server's, for names of all apps. by_dns: whether wildcards can be proven.
    """

    hosts: tuple[str, ...]
    certificates: tuple[AppCertificate, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    shared: tuple[AppCertificate, ...] = ()
    by_dns: bool = False

    def renewals(self, directory: str) -> list[Renewal]:
        """Each of its names. directory: the issuer's address."""
        return [self._renewal(host, directory) for host in self.hosts]

    def superfluous(self) -> list[AppCertificate]:
        """Certificates by ACME for names that the app no longer has, or that another one covers."""
        by_acme = [c for c in self.certificates if c.origin is Origin.ACME]
        newest = {c.facts.names: c for c in sorted(by_acme, key=lambda c: c.added_at)}
        return [
            c
            for c in by_acme
            if newest[c.facts.names] is not c
            or not any(n in self.hosts and self._sharing(n) is None for n in c.facts.names)
        ]

    def _sharing(self, host: str) -> AppCertificate | None:
        """The server's certificate that covers the host."""
        return next((c for c in self.shared if covered(c.facts.names, host)), None)

    def _renewal(self, host: str, directory: str) -> Renewal:
        own = [c for c in self.certificates if c.origin is Origin.OWN]
        having = [c for c in self.certificates if c.origin is Origin.ACME and host in c.facts.names]
        attempt = next((a for a in self.attempts if a.host == host), None)
        present = max(having, key=lambda c: c.facts.not_after, default=None)
        holder = next((c for c in own if covered(c.facts.names, host)), None)
        unable = f"has the certificate {holder.id} of its own" if holder else ""
        sharing = self._sharing(host)
        if not unable and sharing is not None:
            unable = f"the server's certificate for {', '.join(sharing.facts.names)} covers it"
        return Renewal(
            host, unable or why_not(host, directory, by_dns=self.by_dns), present, attempt
        )


def why_not(host: str, directory: str, *, by_dns: bool = False) -> str:
    """Why an issuer cannot vouch for a name, or nothing. by_dns: whether wildcards are proven."""
    if host.startswith(WILDCARD) and not by_dns:
        return (
            "a wildcard needs a proof by DNS: an admin sets that up with paas certs:dns, "
            "or use paas certs:add"
        )
    last = host.rpartition(".")[2]
    if last in _LOCAL:
        return "it is a local name of this machine"
    if directory == LETS_ENCRYPT and (last in _PRIVATE or "." not in host):
        return "it is not a public name, so no public issuer certifies it"
    return ""


def failed(host: str, before: Attempt | None, failure: Failure, now: datetime) -> Attempt:
    """What to record about a failure, and when to try again."""
    count = before.count + 1 if before else 1
    refusals = recent(before, now)
    waits = ISSUER_WAITS if failure.asked else CHECK_WAITS
    wait = waits[min(count, len(waits)) - 1]
    if failure.asked:
        refusals = (*refusals, now)
    if failure.limited:
        wait = max(wait, LIMITED_WAIT)
    reason = failure.reason[:REASON_MAX].rstrip(".") + "."
    return Attempt(host, count, now, failure.until or now + wait, reason, refusals)


def recent(attempt: Attempt | None, now: datetime) -> tuple[datetime, ...]:
    """When the issuer refused, within the last hour."""
    if attempt is None:
        return ()
    return tuple(at for at in attempt.refusals if at > now - REFUSALS_WITHIN)


def may_ask(attempt: Attempt | None, now: datetime) -> datetime | None:
    """From when on a user may have it retried immediately; None: now."""
    refusals = recent(attempt, now)
    return refusals[-REFUSALS_MAX] + REFUSALS_WITHIN if len(refusals) >= REFUSALS_MAX else None


def issue_order(renewals: Sequence[Renewal], now: datetime) -> list[Renewal]:
    """Those that are due, names without any certificate first."""
    due = [renewal for renewal in renewals if renewal.is_due(now)]
    return sorted(due, key=lambda renewal: renewal.present is not None)
