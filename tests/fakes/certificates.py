"""Certificates in memory: a "PEM" is a line of JSON with the names and the days that are left."""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from paas.domain.certificates.acme import Failure, IssueError
from paas.domain.certificates.certificates import Bundle, Facts
from paas.domain.certificates.dns import DnsChallenge
from paas.domain.values.errors import PaasError


def fake_pem(
    *names: str,
    days: float = 90,
    lifetime_days: float = 90,
    serial: str = "1",
    chain: tuple[str, ...] = ("leaf", "Fake CA"),
) -> bytes:
    """What FakeCertificateReader reads: for these names, with so many days left."""
    return json.dumps([names, days, lifetime_days, serial, chain]).encode()


class FakeCertificateReader:
    """CertificateReader of fake_pem's lines."""

    def read(self, pem: bytes, now: datetime) -> Bundle:
        try:
            names, days, lifetime, serial, chain = json.loads(pem)
        except ValueError as error:
            raise PaasError("certificate-refused", "There is no certificate in it.") from error
        ends = now + timedelta(days=days)
        facts = Facts(
            tuple(names),
            "Fake CA",
            serial,
            f"{names} {serial}",
            ends - timedelta(days=lifetime),
            ends,
            "EC P-256",
            chain=tuple(chain),
        )
        return Bundle(facts, pem, b"key")


class FakeCertificateFiles:
    """CertificateFiles as a dict."""

    def __init__(self) -> None:
        self.there: dict[str, Bundle] = {}
        self._ids = itertools.count(1)

    def new_id(self, app_id: int) -> str:
        return f"{app_id}-{next(self._ids):08x}"

    def write(self, id: str, bundle: Bundle) -> None:
        self.there[id] = bundle

    def paths(self, id: str) -> tuple[Path, Path] | None:
        folder = Path("/certs") / id
        return (folder / "chain.pem", folder / "key.pem") if id in self.there else None

    def chain(self, id: str) -> str:
        return self.there[id].chain.decode() if id in self.there else ""

    def remove(self, id: str) -> None:
        self.there.pop(id, None)

    def all(self) -> list[str]:
        return sorted(self.there)


class FakeWebCertificateFiles:
    """WebCertificateFiles in memory."""

    def __init__(self) -> None:
        self.renewed = False
        self.kept: list[bytes] = []

    def is_renewed(self) -> bool:
        return self.renewed

    def keep(self, pem: bytes) -> None:
        self.kept.append(pem)


class FakeOrderTurns:
    """OrderTurns that are free unless a test says who has one.

    is_full: whether no slot is free for background requests. meanwhile: runs once a slot is taken.
    """

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.places: list[str] = []
        self.is_full = False
        self.meanwhile: Callable[[], None] = lambda: None

    @contextmanager
    def name(
        self,
        host: str,
        holder: str,
        waiting: Callable[[str], AbstractContextManager[None]] | None = None,
    ) -> Iterator[bool]:
        if host in self.names:
            if waiting is None:
                yield False
                return
            with waiting(self.names[host]):
                pass
        self.names[host] = holder
        try:
            yield True
        finally:
            del self.names[host]

    def name_is_held(self, host: str) -> bool:
        return host in self.names

    @contextmanager
    def place(
        self,
        holder: str,
        waiting: Callable[[str], AbstractContextManager[None]] | None = None,
    ) -> Iterator[bool]:
        if waiting is None and self.is_full:
            yield False
            return
        self.places.append(holder)
        try:
            self.meanwhile()
            yield True
        finally:
            self.places.remove(holder)

    def has_place(self) -> bool:
        return not self.is_full


class FakeIssuer:
    """Issuer that gives 90 days for every name, but those that a test says.

    elsewhere: names that DNS leads to another server. refuses: names that it refuses, and how.
    """

    def __init__(self) -> None:
        self.elsewhere: set[str] = set()
        self.refuses: dict[str, Failure] = {}
        self.without_plugin: set[str] = set()
        self.asked: list[str] = []
        self.proofs: list[DnsChallenge | None] = []
        self.days = 90.0
        self.meanwhile: Callable[[], None] = lambda: None

    def points_here(self, host: str) -> str | None:
        return f"DNS points {host} elsewhere." if host in self.elsewhere else None

    def refuse_unable(self, dns: DnsChallenge) -> None:
        if dns.provider in self.without_plugin:
            raise PaasError("dns-plugin", "The plugin is not installed.")

    def issue(self, host: str, *more: str, dns: DnsChallenge | None = None) -> bytes:
        self.asked.append(" ".join([host, *more]))
        self.proofs.append(dns)
        self.meanwhile()
        for each in (host, *more):
            if each in self.refuses:
                raise IssueError(self.refuses[each])
        return fake_pem(
            host, *more, days=self.days, lifetime_days=self.days, serial=str(len(self.asked))
        )
