"""What WebCertificateFiles promise, for the fake and the real ones alike."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from paas.adapters.certificates.web_certificate import WebCertificateDirectory, newest_certificate
from paas.interfaces import WebCertificateFiles
from paas.settings import Settings
from tests.authority import Authority
from tests.fakes.certificates import FakeWebCertificateFiles

HOST = "git.apps.example.com"


class Kind:
    """Files of one kind. renew: have the originals changed; copy: as the proxy does."""

    def __init__(
        self, files: WebCertificateFiles, renew: Callable[[], object], copy: Callable[[], object]
    ) -> None:
        self.files = files
        self.renew = renew
        self.copy = copy


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a server whose certificate and key are one file."""
    pem = tmp_path / "own.pem"
    return Settings(
        state=tmp_path, web=True, web_certificate=str(pem), web_certificate_key=str(pem)
    )


@pytest.fixture(params=["fake", "real"])
def kind(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Kind:
    """Each kind."""
    if request.param == "fake":
        fake = FakeWebCertificateFiles()
        return Kind(
            fake,
            lambda: setattr(fake, "renewed", True),
            lambda: setattr(fake, "renewed", False),
        )
    real = WebCertificateDirectory(settings)

    def renew() -> None:
        other = tmp_path / "other.pem"
        other.write_bytes(Authority().bundle(HOST))
        other.replace(settings.web_certificate)

    return Kind(real, renew, real.copy)


def test_a_renewal_is_seen_once(kind: Kind) -> None:
    """And none before there are files."""
    assert not kind.files.is_renewed()
    for _ in range(2):
        kind.renew()
        assert kind.files.is_renewed()
        kind.copy()
        assert not kind.files.is_renewed()


def test_what_is_kept_is_no_renewal(kind: Kind) -> None:
    """It is shown from then on."""
    kind.files.keep(Authority().bundle(HOST))
    assert not kind.files.is_renewed()


def test_the_last_two_are_there(settings: Settings) -> None:
    """A proxy may still have the last but one; an automatic one has no originals."""
    files = WebCertificateDirectory(
        replace(settings, web_certificate="auto", web_certificate_key="")
    )
    bundles = [Authority().bundle(HOST) for _ in range(3)]
    for bundle in bundles:
        files.keep(bundle)
    newest = newest_certificate(settings)
    assert newest is not None
    assert newest.read_bytes() == bundles[-1]
    assert len(list(newest.parent.glob("*.pem"))) == 2
    Path(settings.web_certificate).write_bytes(bundles[0])
    assert not files.is_renewed()
