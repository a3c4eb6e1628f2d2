"""What CertificateFiles promise, for the fake and the real ones alike."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.adapters.certificates.files import CertificateDirectory
from paas.adapters.certificates.reader import X509Reader
from paas.domain.certificates.certificates import Bundle
from paas.domain.values.errors import PaasError
from paas.interfaces import CertificateFiles, CertificateReader
from tests.authority import Authority
from tests.fakes.certificates import FakeCertificateFiles, FakeCertificateReader, fake_pem

NOW = datetime.now(UTC)
HOST = "shop.example.com"


class Kind:
    """Reader and files of one kind, and the PEM that the reader takes."""

    def __init__(
        self, reader: CertificateReader, files: CertificateFiles, pem: Callable[[], bytes]
    ) -> None:
        self.reader = reader
        self.files = files
        self.pem = pem

    def bundle(self) -> Bundle:
        return self.reader.read(self.pem(), NOW)


@pytest.fixture(params=["fake", "real"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    """Each kind."""
    if request.param == "fake":
        return Kind(FakeCertificateReader(), FakeCertificateFiles(), lambda: fake_pem(HOST))
    authority = Authority()
    files = CertificateDirectory(tmp_path / "certs")
    return Kind(X509Reader(), files, lambda: authority.bundle(HOST))


def test_facts_are_read(kind: Kind) -> None:
    """The names, and an end in the future; what is no certificate is refused."""
    facts = kind.bundle().facts
    assert facts.names == (HOST,)
    assert facts.not_before <= NOW < facts.not_after
    with pytest.raises(PaasError) as refused:
        kind.reader.read(b"not a certificate", NOW)
    assert refused.value.reference == "certificate-refused"


def test_what_is_written_is_there(kind: Kind) -> None:
    """By an id that begins with the app's and is never given again, until it is removed."""
    files = kind.files
    assert files.all() == []
    first, second = files.new_id(7), files.new_id(7)
    assert first != second
    assert {id.partition("-")[0] for id in (first, second)} == {"7"}
    for id in (first, second):
        assert files.paths(id) is None
        files.write(id, kind.bundle())
    assert files.all() == sorted([first, second])
    assert files.paths(first) != files.paths(second)
    files.remove(first)
    files.remove(first)
    assert files.paths(first) is None
    assert files.all() == [second]
    assert files.new_id(7) not in (first, second)
