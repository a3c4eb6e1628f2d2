"""Whether there is anything to do for the web process's certificate, according to the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from paas.domain.certificates.web import WebCertificate
from paas.interfaces import WebCertificateFiles
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class WebCertificateDue:
    """Finds what is due. hosts: none if the certificate is not automatic."""

    store: Store
    files: WebCertificateFiles
    hosts: Sequence[str]

    def any(self, now: datetime) -> bool:
        """Whether there is anything to do."""
        return self.files.is_renewed() or self.state().is_due(self.hosts, now)

    def state(self) -> WebCertificate:
        """What there is."""
        return self.store.web_certificate.get()
