"""OCSP answers: asked for at a real responder, verified, and sent along by a real proxy."""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from paas.adapters.certificate_files import CertificateDirectory
from paas.adapters.certificate_reader import X509Reader
from paas.adapters.clock import SystemClock
from paas.adapters.ocsp import OcspResponders
from paas.adapters.staple_files import StapleDirectory
from paas.adapters.unprivileged import ChildFailedError, result_of
from paas.domain.ocsp import Answer, OcspError, answered
from paas.domain.sites import Certificate, Site
from tests.authority import key_pem, pem
from tests.contract.haproxy_server import SERVERS
from tests.contract.nginx_server import application
from tests.contract.ocsp_responder import Responder, ocsp_responder

NAMES = ("shop.test", "other.test")
UID = 99_998


@pytest.fixture(scope="module")
def running() -> Iterator[Responder]:
    """A responder that serves."""
    with ocsp_responder(*NAMES) as made:
        yield made


@pytest.fixture
def responder(running: Responder) -> Responder:
    """The same, with nothing wrong yet."""
    running.how = ""
    return running


def chain(responder: Responder, folder: Path) -> Path:
    """The first leaf with its issuer."""
    path = folder / "chain.pem"
    path.write_bytes(pem(responder.leaves[NAMES[0]]) + pem(responder.authority.intermediate))
    return path


def ask(responder: Responder, folder: Path, how: str) -> Answer:
    """Ask it about the first leaf."""
    responder.how = how
    asking = OcspResponders(to_private=True, uid=UID, limit_s=0.5 if how == "slow" else 10.0)
    return asking.ask(chain(responder, folder), responder.url, datetime.now(UTC))


@pytest.mark.parametrize("how", ["", "delegated"])
def test_a_good_answer_is_taken(responder: Responder, tmp_path: Path, how: str) -> None:
    """Signed by the issuer, or by whom it lets sign such answers."""
    answer = ask(responder, tmp_path, how)
    assert timedelta(days=7.9) < answer.ends_at - answer.made_at < timedelta(days=8.1)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("revoked", "has revoked"),
        ("unknown", "does not know"),
        ("busy", "TRY_LATER"),
        ("other", "another certificate"),
        ("stranger", "not signed"),
        ("no delegate", "not signed"),
        ("old", "ended on"),
        ("early", "on only"),
        ("short", "less than a day"),
        ("endless", "not until when"),
        ("nonsense", "not one of OCSP"),
        ("large", "larger than"),
        ("moved", "status 302"),
        ("slow", "too slowly"),
    ],
)
def test_any_other_is_not(responder: Responder, tmp_path: Path, how: str, why: str) -> None:
    """And it is said why."""
    with pytest.raises(OcspError, match=why):
        ask(responder, tmp_path, how)


def test_no_responder_stands_on_the_server(responder: Responder, tmp_path: Path) -> None:
    """What a certificate says must not lead where only the server gets."""
    for host in ("127.0.0.1", "localhost"):
        url = responder.url.replace("127.0.0.1", host)
        with pytest.raises(OcspError, match="nothing is sent to"):
            responders = OcspResponders(to_private=False, uid=UID)
            responders.ask(chain(responder, tmp_path), url, datetime.now(UTC))


def test_who_asks_has_no_rights(responder: Responder, tmp_path: Path) -> None:
    """Neither root's nor a file that was open: the answer is any stranger's."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o600)

    def look() -> bytes:
        opened = [fd.name for fd in Path("/proc/self/fd").iterdir() if int(fd.name) > 2]
        may_read = os.access(secret, os.R_OK)
        status = Path("/proc/self/status").read_text()
        return json.dumps([os.getresuid(), os.getgroups(), may_read, opened, status]).encode()

    with secret.open():
        found = json.loads(result_of(look, UID, max_bytes=10_000, limit_s=10))
    uids, groups, may_read, opened, status = found
    assert (uids, groups, may_read) == ([UID] * 3, [], False)
    assert len(opened) == 2  # where the result goes, and the look itself
    assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)
    assert re.search(r"^CapPrm:\t0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
    assert ask(responder, tmp_path, "").der


def test_a_child_that_fails_is_an_error() -> None:
    """By a fault of its own, by saying too much, or by taking too long; and none is left."""

    def broken() -> bytes:
        raise RuntimeError

    def endless() -> bytes:
        time.sleep(60)
        return b""

    before = set(psutil.Process().children())
    for work, why in ((broken, "fault"), (lambda: b"x" * 200_000, "much"), (endless, "long")):
        with pytest.raises(ChildFailedError, match=why):
            result_of(work, UID, max_bytes=1000, limit_s=2)
    assert set(psutil.Process().children()) <= before


@pytest.mark.parametrize("kind", list(SERVERS))
def test_the_proxy_sends_the_answer_along(responder: Responder, kind: str) -> None:
    """For the very name whose certificate has one, and no more without it."""
    now = datetime.now(UTC)
    with SERVERS[kind]() as nginx, application() as app:
        state = nginx.settings.state
        files, staples = (
            CertificateDirectory(state / "certs"),
            StapleDirectory(state / "ocsp", SystemClock()),
        )
        found = []
        for number, name in enumerate(NAMES):
            id = f"1-{number:08x}"
            text = pem(responder.leaves[name]) + pem(responder.authority.intermediate)
            files.write(id, X509Reader().read(text + key_pem(responder.keys[name]), now))
            paths = files.paths(id)
            assert paths
            if name == NAMES[1]:
                answer = OcspResponders(to_private=True, uid=UID).ask(paths[0], responder.url, now)
                staples.write(id, answered(answer, staples.keep(id, answer.der), now))
            found.append(Certificate(*paths, (name,), staples.path(id)))
        root = state / "root.pem"
        root.write_bytes(pem(responder.authority.root))
        nginx.proxy.apply(Site(1, NAMES, (app.server_port,), certificates=tuple(found)))
        port = nginx.settings.https_port
        for version in ("-tls1_2", "-tls1_3"):
            assert "no response sent" in status(port, root, NAMES[0], version)
            assert "Cert Status: good" in status(port, root, NAMES[1], version)
        bare = tuple(Certificate(c.chain, c.key, c.hosts) for c in found)
        nginx.proxy.apply(Site(1, NAMES, (app.server_port,), certificates=bare))
        assert "no response sent" in status(port, root, NAMES[1], "-tls1_3")
        assert not list(state.glob("haproxy/certs/*.ocsp"))


def status(port: int, root: Path, name: str, *options: str) -> str:
    """What openssl's client says of the answer that came along."""
    argv = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name]
    argv += ["-status", "-CAfile", str(root), *options]
    done = subprocess.run(
        argv, input="Q\n", capture_output=True, text=True, timeout=20, check=False
    )
    assert "Verify return code: 0" in done.stdout, done.stdout + done.stderr
    return done.stdout
