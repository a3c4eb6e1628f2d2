"""Certificates that expire soon or cannot be shown: told in logs, and to admins."""

from dataclasses import dataclass
from datetime import datetime

from paas.domain.certificates.certificates import AppCertificate, Origin, days_left
from paas.interfaces import CertificateFiles, Clock, Logs
from paas.services.certificates.renewals import wants_warning
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryWarnings:
    """Warns in time."""

    store: Store
    files: CertificateFiles
    logs: Logs
    clock: Clock

    def log_all(self) -> None:
        """Write to the app's log, once a day for each certificate."""
        now = self.clock.now()
        for one in self.store.certificates.all():
            if wants_warning(one, now):
                self.logs.write(one.app_id, "certs", self._warning(one, now))
                self.store.certificates.note_warned(one.id, now)

    def all(self) -> list[str]:
        """Every certificate of the server that expires soon or cannot be shown, in words."""
        now = self.clock.now()
        found = []
        for one in self.store.certificates.all():
            app = self.store.apps.by_id(one.app_id)
            if app is not None and one.is_worrying(now):
                found.append(f"{app.name}: {self._warning(one, now)}")
            if app is not None and self.files.paths(one.id) is None:
                found.append(f"{app.name}: {one.damaged}")
        return found

    def _warning(self, one: AppCertificate, now: datetime) -> str:
        verb = "expires" if now < one.facts.not_after else "expired"
        text = f"The certificate of {', '.join(one.facts.names)} {verb} {days_left(one.facts, now)}"
        failures = [
            a for a in self.store.certificates.attempts(one.app_id) if a.host in one.facts.names
        ]
        if failures:
            return f"{text}, and renewing it fails: {failures[0].reason}"
        return f"{text}. To replace it: paas certs:add" if one.origin is Origin.OWN else text
