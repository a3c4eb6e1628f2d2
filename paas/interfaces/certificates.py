"""Certificates: reading them, keeping their files, and getting them from an issuer."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from paas.domain.certificates.acme import Attempt
from paas.domain.certificates.certificates import AppCertificate, Bundle


class CertificateReader(Protocol):
    """What reads and checks certificates and keys."""

    def read(self, pem: bytes, now: datetime) -> Bundle:
        """A chain and its key. Raises PaasError where a browser would not take them."""


class CertificateFiles(Protocol):
    """The files that the proxy reads. Each pair is written once."""

    def new_id(self, app_id: int) -> str: ...
    def write(self, id: str, bundle: Bundle) -> None: ...
    def paths(self, id: str) -> tuple[Path, Path] | None:
        """Chain and key; None where they are not there, or damaged."""

    def remove(self, id: str) -> None: ...
    def all(self) -> list[str]: ...


class Issuer(Protocol):
    """An ACME issuer."""

    def leads_here(self, host: str) -> str | None:
        """Whether a challenge for the host would be answered by this server; why not, or None."""

    def issue(self, host: str) -> bytes:
        """A new chain and key, PEM. Raises IssueError where none comes."""


class CertificateStates(Protocol):
    """The part of Store that is about certificates."""

    def certificates(self, app_id: int | None = None) -> list[AppCertificate]:
        """In the order in which they came; of all apps where none is given."""

    def change_certificates(
        self, app_id: int, *, add: Sequence[AppCertificate], remove: Sequence[str]
    ) -> None: ...
    def note_warned(self, id: str, now: datetime) -> None: ...
    def auto_certificates(self) -> set[int]:
        """The ids of the apps that get theirs by themselves."""

    def set_auto_certificates(self, app_id: int, on: bool) -> None:
        """Off forgets the attempts too."""

    def attempts(self, app_id: int) -> list[Attempt]: ...
    def set_attempt(self, app_id: int, attempt: Attempt) -> None: ...
    def clear_attempt(self, app_id: int, host: str) -> None: ...
