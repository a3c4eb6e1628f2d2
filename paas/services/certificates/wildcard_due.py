"""Whether there is anything to do for the certificate of all apps, according to the store."""

from dataclasses import dataclass
from datetime import datetime

from paas.domain.certificates.certificates import AppCertificate
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class WildcardDue:
    """Finds what is due. host: the wildcard; empty if no issuer vouches for it."""

    store: Store
    host: str

    def any(self, now: datetime) -> bool:
        """Whether there is anything to do."""
        shared = self.store.shared_certificates
        if not shared.has_challenge():
            return any(one.facts.not_after <= now for one in shared.all())
        return not shared.are_shown() or self.is_to_ask(now)

    def is_to_ask(self, now: datetime) -> bool:
        """Whether to ask the issuer now."""
        shared = self.store.shared_certificates
        if not self.host or not shared.has_challenge():
            return False
        attempt, present = shared.attempt(self.host), self.present()
        if attempt is not None and attempt.again > now:
            return False
        return present is None or present.renew_at <= now

    def present(self) -> AppCertificate | None:
        """The certificate for the wildcard."""
        certificates = self.store.shared_certificates.all()
        return next((one for one in certificates if self.host in one.facts.names), None)
