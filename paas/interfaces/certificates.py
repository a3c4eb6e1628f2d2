"""Certificates: reading them, keeping their files, and getting them from an issuer."""

from datetime import datetime
from pathlib import Path
from typing import Protocol

from paas.domain.certificates.certificates import Bundle
from paas.domain.certificates.dns import DnsChallenge


class CertificateReader(Protocol):
    """What reads and checks certificates and keys."""

    def read(self, pem: bytes, now: datetime) -> Bundle:
        """A chain and its key. Raises PaasError if a browser would not accept them."""


class CertificateFiles(Protocol):
    """The files that the proxy reads. Each pair is written once."""

    def new_id(self, app_id: int) -> str: ...
    def write(self, id: str, bundle: Bundle) -> None: ...
    def paths(self, id: str) -> tuple[Path, Path] | None:
        """Chain and key; None if they are missing or damaged."""

    def chain(self, id: str) -> str:
        """The certificate and its issuers', PEM; nothing if it is missing."""

    def remove(self, id: str) -> None: ...
    def all(self) -> list[str]: ...


class Issuer(Protocol):
    """An ACME issuer."""

    def points_here(self, host: str) -> str | None:
        """Whether a challenge for the host would be answered by this server; why not, or None."""

    def issue(self, host: str, *more: str, dns: DnsChallenge | None = None) -> bytes:
        """A new chain and key for these names, PEM. Raises IssueError if none comes.

        dns: what proves them; None: that HTTP for them leads to this server.
        """

    def refuse_unable(self, dns: DnsChallenge) -> None:
        """Raises PaasError if what proves names by DNS is not on this machine."""


class WebCertificateFiles(Protocol):
    """The copies of the web process's certificate that the proxy reads."""

    def is_renewed(self) -> bool:
        """Whether the files that the settings name were changed since the proxy was started."""

    def keep(self, pem: bytes) -> None:
        """Have the proxy use this chain and key when it reads its files."""
