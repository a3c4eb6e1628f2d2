"""Certificates: reading them, keeping their files, and getting them from an issuer."""

from collections.abc import Callable
from contextlib import AbstractContextManager
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


class OrderTurns(Protocol):
    """Who asks the issuer, between processes; the kernel frees what a process had when it ends.

    waiting, given the current holder, surrounds a wait. Without it nothing is waited for: the
    value is then whether it was free. holder: what is done and by whom, in words.
    """

    def name(
        self,
        host: str,
        holder: str,
        waiting: Callable[[str], AbstractContextManager[None]] | None = None,
    ) -> AbstractContextManager[bool]:
        """Be the only process that gets a certificate for a name, from asking to showing it."""

    def name_is_held(self, host: str) -> bool: ...

    def place(
        self,
        holder: str,
        waiting: Callable[[str], AbstractContextManager[None]] | None = None,
    ) -> AbstractContextManager[bool]:
        """Have one of the ORDERS_AT_ONCE places while the issuer is asked.

        Callers that wait may also take the slot that is reserved for users.
        """

    def has_place(self) -> bool:
        """Whether one of the ORDERS_AT_ONCE is free."""


class WebCertificateFiles(Protocol):
    """The copies of the web process's certificate that the proxy reads."""

    def is_renewed(self) -> bool:
        """Whether the files that the settings name were changed since the proxy was started."""

    def keep(self, pem: bytes) -> None:
        """Have the proxy use this chain and key when it reads its files."""
