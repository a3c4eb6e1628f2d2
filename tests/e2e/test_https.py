"""HTTPS on a whole server: a user's own certificate, and automatic ones."""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.authority import Authority, ec_key, key_pem, pem
from tests.contract.certificates.pebble_server import Pebble, pebble_server
from tests.e2e.server import Repository, Server, User, installed, run
from tests.ports import free_ports
from tests.waiting import wait_for

PAGE = {"index.html": "secure"}
LIFETIME_S = 24
PAAS = Path(sys.executable).with_name("paas")


@dataclass
class Secure:
    """A server with HTTPS, its port, a user, and an issuer."""

    server: Server
    port: int
    user: User
    pebble: Pebble

    def get(self, host: str, ca: Path | None) -> str:
        """The page over TLS. ca: who must have signed; None: whoever it was."""
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
        if ca is None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.port), 60) as plain:
            secure = context.wrap_socket(plain, server_hostname=host)
            secure.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            received = b""
            while part := secure.recv(65536):
                received += part
            return received.partition(b"\r\n\r\n")[2].decode()

    def wait_for_page(self, host: str) -> None:
        """Until it is there over TLS: on a busy machine a certificate may come late, or run out."""
        root = self.pebble.root()

        def answers() -> bool:
            with contextlib.suppress(OSError):
                return self.get(host, root) == "secure"
            return False

        wait_for(answers, what=f"HTTPS for {host}")

    def auto(self, app: str) -> dict[str, dict[str, Any]]:
        """How each name stands, by name."""
        shown = self.server.paas("certs:auto", app, "--json").stdout
        return {row["domain"]: row for row in json.loads(shown)["names"]}

    def certificates(self, app: str) -> list[dict[str, Any]]:
        """As ``certs --json``."""
        found: list[dict[str, Any]] = json.loads(self.server.paas("certs", app, "--json").stdout)
        return found


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    """One for all tests of this file, with two apps of files."""
    (port,) = free_ports(1)
    settings = {"https_port": port, "domain": "apps.test", "acme_check": False, "web": True}
    made = Server.in_new_directory({**settings, "domain_proof": "none"})
    with (
        installed(made) as server,
        pebble_server(server.http_port, lifetime_s=LIFETIME_S) as pebble,
    ):
        path = server.root / "etc/server.yml"
        settings = yaml.safe_load(path.read_text())
        settings |= {"acme_directory": pebble.directory, "acme_ca_bundle": str(pebble.bundle)}
        settings |= {"auto_certificates": True}
        path.write_text(yaml.safe_dump(settings))
        user = server.user("alice")
        for app in ("own", "auto"):
            repository = Repository.of(tmp_path_factory.mktemp(app) / "work", PAGE)
            user.push(repository, app)
        yield Secure(server, port, user, pebble)


def test_a_first_push_has_https_without_a_further_command(secure: Secure, tmp_path: Path) -> None:
    """As the push says; an app that wants none is left alone."""
    secure.server.paas("certs:auto", "off", "-a", "own")
    assert "certs:auto off" in secure.server.paas("certs:auto", "on", "--server").stderr
    pushed = secure.user.push(Repository.of(tmp_path / "work", PAGE), "firstpush")
    url = f"https://firstpush.apps.test:{secure.port}/"
    assert f"HTTPS: a certificate is being requested; {url} in a moment" in pushed.stdout
    secure.wait_for_page("firstpush.apps.test")
    wait_for(lambda: secure.server.get("firstpush.apps.test").status == 301, what="the redirect")
    secure.server.paas("apps:destroy", "firstpush", "--confirm", "firstpush")
    assert secure.certificates("own") == []


def test_an_own_certificate(secure: Secure, tmp_path: Path) -> None:
    """From files on a laptop to the app's address; refused where it is wrong; and away again."""
    authority, key = Authority(), ec_key()
    leaf = authority.leaf("own.apps.test", key=key)
    good, bad, own_key = (tmp_path / name for name in ("good.crt", "bad.crt", "own.key"))
    good.write_bytes(pem(leaf) + pem(authority.intermediate))
    bad.write_bytes(pem(authority.intermediate) + pem(leaf))
    own_key.write_bytes(key_pem(key))
    root = tmp_path / "root.pem"
    root.write_bytes(pem(authority.root))
    address = f"paas@127.0.0.1:{secure.server.ssh_port}"

    def paas(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        argv = [str(PAAS), "--server", address, *words]
        return run(argv, env=secure.user.git_env(), cwd=tmp_path, check=check)

    refused = paas("certs:add", "-a", "own", "bad.crt", "own.key", check=False)
    assert refused.returncode == 1, refused
    assert "1. own.apps.test" in refused.stderr
    assert secure.certificates("own") == []
    paas("certs:add", "-a", "own", "good.crt", "own.key")
    url = f"https://own.apps.test:{secure.port}/"
    assert json.loads(paas("apps:info", "own", "--json").stdout)["url"] == url
    assert secure.get("own.apps.test", root) == "secure"
    moved = secure.server.get("own.apps.test", "/a?b")
    assert (moved.status, moved.headers["location"]) == (301, f"{url}a?b")
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        secure.get("nobody.apps.test", root)
    (row,) = secure.certificates("own")
    assert row["shown_for"] == ["own.apps.test"]
    folder = secure.server.state / "certs" / row["id"]
    assert (folder / "key.pem").stat().st_mode & 0o777 == 0o600
    again = secure.user.ssh("certs:add own", stdin=good.read_text() + own_key.read_text())
    assert "already has this certificate" in again.stderr
    paas("certs:remove", "own")
    assert not folder.exists()
    assert secure.server.get("own.apps.test").text == "secure"


def test_a_server_reads_no_path_of_a_user(secure: Secure) -> None:
    """Over ssh a path is a path on the server, where everything is read by root."""
    done = secure.user.ssh("certs:add own /etc/shadow /etc/shadow", check=False)
    assert done.returncode == 2
    assert "cannot read your files" in done.stderr
    assert secure.user.ssh("certs:tend", check=False).returncode != 0


def test_certificates_come_and_are_renewed(secure: Secure) -> None:
    """For each name, for one that is added later, and at a renewal; no request fails meanwhile."""
    server = secure.server
    server.paas("domains:add", "auto", "a.example.com")
    server.paas("certs:auto", "on", "-a", "auto")
    names = ["auto.apps.test", "a.example.com"]
    for name in names:
        secure.wait_for_page(name)
    with requests(secure, "auto.apps.test") as failures:
        server.paas("domains:add", "auto", "b.example.com")
        wait_for(lambda: secure.auto("auto")["b.example.com"]["certificate"], what="a certificate")
        secure.wait_for_page("b.example.com")
        before = {row["id"] for row in secure.certificates("auto")}
        due = max(datetime.fromisoformat(row["renew_at"]) for row in secure.auto("auto").values())
        time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))

        def are_all_renewed() -> bool:
            """After one more try: the issuer may be slow, or busy with the monitor's request."""
            server.paas("certs:tend")
            present = {row["id"] for row in secure.certificates("auto")}
            return len(present) == 3 and not present & before

        wait_for(are_all_renewed, what="new certificates for all names")
        for name in names:
            secure.wait_for_page(name)
    assert failures == []

    def has_those_alone() -> bool:
        there = {path.name for path in (server.state / "certs").iterdir()}
        return there == {row["id"] for row in secure.certificates("auto")}

    wait_for(has_those_alone, what="the end of the former certificates")


def test_a_failure_is_told_and_survives_a_kill(secure: Secure) -> None:
    """A name that fails; then a kill -9 while the issuer is asked; then it works."""
    server = secure.server
    server.paas("certs:auto", "off", "-a", "auto")
    server.paas("domains:clear", "auto")
    server.paas("domains:add", "auto", "bad.example.com")
    secure.pebble.fail_names("bad.example.com")
    done = server.paas("certs:auto", "on", "-a", "auto", check=False)
    assert done.returncode == 1, done
    assert "The issuer says: " in done.stderr
    assert secure.auto("auto")["bad.example.com"]["failures"] >= 1  # the monitor tries as well
    secure.wait_for_page("auto.apps.test")
    assert "No certificate for bad.example.com" in server.paas("logs", "auto").stdout
    secure.pebble.heal_names("bad.example.com")
    with secure.pebble.paused():
        argv = [str(server.root / "bin/paas"), "certs:auto", "on", "-a", "auto"]
        asking = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        killed: set[int] = set()

        def is_killed() -> bool:
            """Each who asks, once: the command waits for the monitor if that has asked first."""
            for certbot in {*certbots(server)} - killed:
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    stat = Path(f"/proc/{certbot}/stat").read_text()
                    asker = int(stat.rpartition(")")[2].split()[1])
                    if "paas.entrypoints" in server.processes().get(asker, ""):
                        os.kill(asker, signal.SIGKILL)
                killed.add(certbot)
            return asking.poll() is not None

        wait_for(is_killed, what="the end of the command")
        assert asking.returncode != 0
        wait_for(lambda: not certbots(server), what="the end of certbot")
    # The monitor may ask for another name just now, so this one counts as asked for, too.
    wait_for(
        lambda: "interrupted" in (secure.auto("auto")["bad.example.com"]["failure"] or ""),
        what="the end of other requests",
    )
    server.paas("certs:auto", "on", "-a", "auto")
    secure.wait_for_page("bad.example.com")
    assert secure.auto("auto")["bad.example.com"]["failure"] is None


def certbots(server: Server) -> list[int]:
    """The processes of certbot that work for this server."""
    return [pid for pid, line in server.processes().items() if "certonly" in line]


@contextlib.contextmanager
def requests(secure: Secure, host: str) -> Iterator[list[str]]:
    """Requests over TLS, one after the other, while the block runs; which of them failed."""
    failures: list[str] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                if secure.get(host, None) != "secure":
                    failures.append("another answer")
            except OSError as error:
                failures.append(str(error))
            stop.wait(0.02)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield failures
    finally:
        stop.set()
        thread.join()


def test_the_platform_s_own_hosts_get_one(secure: Secure) -> None:
    """git, the API and the dashboard, with one line in server.yml; before that nothing is said."""
    server, host = secure.server, "git.apps.test"
    assert "no certificate" in server.get(host).text
    path = server.root / "etc/server.yml"
    path.write_text(path.read_text() + "web_certificate: auto\n")
    root = secure.pebble.root()

    def answers() -> object:
        with contextlib.suppress(OSError):  # not yet, or expired, as it soon is here
            return secure.get(host, root) and secure.get("api.apps.test", root)
        return False

    wait_for(answers, limit_s=240, what="the certificate for git")


def test_one_certificate_by_dns_serves_a_push_at_once(secure: Secure, tmp_path: Path) -> None:
    """As it says when it is live; for a wildcard of an app, too."""
    server = secure.server
    with tempfile.TemporaryDirectory(prefix="paas-hook-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        hook = secure.pebble.hook(folder)
        server.paas("certs:dns", "hook", *map(str, hook))
        shown = json.loads(server.paas("certs:dns", "--json").stdout)
        assert (shown["domain"], shown["hook"]) == ("*.apps.test", [str(path) for path in hook])
        pushed = secure.user.push(Repository.of(tmp_path / "work", PAGE), "bydns")
        secure.wait_for_page("bydns.apps.test")
        assert f"Live: https://bydns.apps.test:{secure.port}/" in pushed.stdout
        server.paas("domains:add", "bydns", "*.wild.example.com")
        server.paas("certs:auto", "on", "-a", "bydns")
        secure.wait_for_page("any.wild.example.com")
        assert "until it expires" in server.paas("certs:dns", "off").stderr
