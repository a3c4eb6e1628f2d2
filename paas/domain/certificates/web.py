"""The certificate for the hosts of the web process: when to ask for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from paas.domain.certificates.acme import Attempt, why_not
from paas.domain.certificates.certificates import Facts, covered

# Of Facts.renew_at.
_LOT = "web"


@dataclass(frozen=True, slots=True)
class WebCertificate:
    """facts: of the last one that was issued, if any. attempt: how asking last failed."""

    facts: Facts | None = None
    attempt: Attempt | None = None

    def is_due(self, hosts: Sequence[str], now: datetime) -> bool:
        """Whether to ask now: for a new one, or for one with more of the hosts."""
        if not hosts or (self.attempt is not None and self.attempt.again > now):
            return False
        return self.is_old(now) or bool(self.missing(hosts))

    def is_old(self, now: datetime) -> bool:
        """Whether it is to be renewed, or is not there."""
        return self.facts is None or self.facts.renew_at(_LOT) <= now

    def missing(self, hosts: Sequence[str]) -> list[str]:
        """The hosts that it does not cover."""
        names = self.facts.names if self.facts is not None else ()
        return [host for host in hosts if not covered(names, host)]


def certified_hosts(hosts: Sequence[str], directory: str) -> list[str]:
    """Those of the hosts that an issuer vouches for. directory: its address."""
    return [host for host in hosts if not why_not(host, directory)]
