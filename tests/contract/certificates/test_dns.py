"""Proofs by DNS with a real issuer and a program of the operator's."""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.adapters.certificates.certbot import MACHINE_CAS, Certbot
from paas.adapters.certificates.reader import X509Reader
from paas.domain.certificates.dns import HOOK, challenge
from tests.contract.certificates.pebble_server import Pebble
from tests.contract.proxy.nginx_server import Nginx


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that an account without rights can write to."""
    with tempfile.TemporaryDirectory(prefix="paas-hook-") as name:
        Path(name).chmod(0o777)
        yield Path(name)


def test_a_wildcard_is_proven_by_a_program_without_rights(
    nginx: Nginx, pebble: Pebble, certbot: Certbot, folder: Path
) -> None:
    """It gets its credentials in a file, and can read neither the account's key nor the state."""
    state = nginx.settings.state
    auth, cleanup = pebble.hook(
        folder,
        'cp "$PAAS_DNS_CREDENTIALS" seen; cp "$REQUESTS_CA_BUNDLE" believed; id -u > uid',
        f"cat {state}/acme/certbot/accounts/* {state}/acme/new/* > stolen 2>/dev/null",
    )
    dns = challenge(HOOK, (str(auth), str(cleanup)), "token = s3cret\n", datetime.now(UTC))
    certbot.refuse_unable(dns)
    pem = certbot.issue("*.wild.example.com", dns=dns)
    assert X509Reader().read(pem, datetime.now(UTC)).facts.names == ("*.wild.example.com",)
    assert (folder / "seen").read_text() == "token = s3cret\n"
    believed = (folder / "believed").read_text()
    assert pebble.bundle.read_text() in believed
    assert MACHINE_CAS.read_text() in believed, "a provider is no client of the issuer's CA"
    assert int((folder / "uid").read_text()) not in {0, os.getuid()}
    assert b"PRIVATE" not in (folder / "stolen").read_bytes()
    assert (folder / "removed").read_text() == "_acme-challenge.wild.example.com.\n"
    left = [path for path in state.rglob("*") if path.is_file() and "logs" not in path.parts]
    assert [path for path in left if b"s3cret" in path.read_bytes()] == []
    logs = [path for path in state.rglob("*.log*") if path.is_file()]
    assert [path for path in logs if b"s3cret" in path.read_bytes()] == []
