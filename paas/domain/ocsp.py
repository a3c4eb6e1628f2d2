"""OCSP answers that the proxy sends along with a certificate: which are good, and when to ask."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from paas.domain.certificates import AppCertificate
from paas.domain.drains import reached, why_refused

ANSWER_MAX_BYTES = 32_768
# A shorter one would have the proxy reloaded all day.
LIFETIME_MIN = timedelta(days=1)
# An answer that is past its half already is looked for again, but not at every look.
SOONEST = timedelta(hours=6)
WAITS = tuple(timedelta(minutes=m) for m in (5, 15, 60, 180, 360, 720))
REASON_MAX = 300
# Clocks differ.
SKEW = timedelta(minutes=5)


class OcspError(Exception):
    """Why there is no answer that could be sent along."""


class RevokedError(OcspError):
    """The issuer has revoked the certificate: no former answer holds either."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a responder says of a certificate; verified. der: as it is sent along."""

    der: bytes
    made_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Staple:
    """How it stands with one certificate. digest: of the present answer, or empty.

    again: when the responder is asked next. failures: since the last answer; reason: of the last.
    """

    digest: str = ""
    ends_at: datetime | None = None
    again: datetime | None = None
    failures: int = 0
    reason: str = ""

    def is_in_force(self, now: datetime) -> bool:
        """Whether its answer may be sent along."""
        return bool(self.digest) and self.ends_at is not None and now < self.ends_at

    def is_due(self, now: datetime) -> bool:
        """Whether to ask the responder."""
        return self.again is None or now >= self.again


def wanted(certificate: AppCertificate, now: datetime) -> bool:
    """Whether there is somebody to ask, and who: the issuer's certificate is in the request."""
    facts = certificate.facts
    return bool(facts.ocsp) and len(facts.chain) > 1 and now < facts.not_after


def check_times(made_at: datetime, ends_at: datetime | None, now: datetime) -> datetime:
    """When the answer ends. Raises OcspError where it should not be sent along."""
    if ends_at is None:
        raise OcspError("its answer says not until when it holds")
    if made_at > now + SKEW:
        raise OcspError(f"its answer holds from {made_at:%Y-%m-%d %H:%M} UTC on only")
    if ends_at <= now:
        raise OcspError(f"its answer ended on {ends_at:%Y-%m-%d %H:%M} UTC")
    if ends_at - made_at < LIFETIME_MIN:
        raise OcspError("its answers hold for less than a day")
    return ends_at


def answered(answer: Answer, digest: str, now: datetime) -> Staple:
    """Asked again at half of its time; where that is over, somewhat later."""
    middle = answer.made_at + (answer.ends_at - answer.made_at) / 2
    again = min(max(middle, now + SOONEST), max(answer.ends_at, now + WAITS[0]))
    return Staple(digest, answer.ends_at, again)


def unanswered(before: Staple, reason: str, now: datetime) -> Staple:
    """The former answer is kept for as long as it holds, and looked at when it ends."""
    kept = before if before.is_in_force(now) else Staple(failures=before.failures)
    count = before.failures + 1
    again = now + WAITS[min(count, len(WAITS)) - 1]
    if kept.ends_at is not None:
        again = min(again, kept.ends_at)
    return replace(kept, again=again, failures=count, reason=reason[:REASON_MAX])


def why_closed(address: str, *, to_private: bool) -> str | None:
    """Why no responder may be at an IP address: it stands in a certificate that anybody may add.

    to_private: allow private networks and loopback (the setting ocsp_private).
    """
    why = why_refused(address, to_server=to_private)
    if why is None and not to_private and not reached(address).is_global:
        why = "it is no public address"
    return why
