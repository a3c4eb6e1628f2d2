"""Certificates by ACME: certbot and nginx against Pebble, a real issuer for tests."""

import os
import signal
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.adapters.certificates.acme_check import PATH, points_here
from paas.adapters.certificates.certbot import Certbot
from paas.adapters.certificates.reader import X509Reader
from paas.adapters.proxy.nginx.site_conf import challenges_directory
from paas.adapters.system.files import make_directory
from paas.domain.certificates.acme import IssueError
from paas.domain.routing.router_settings import RouterSettings
from paas.domain.routing.router_values import Rate
from paas.domain.routing.sites import Site
from tests.contract.certificates.pebble_server import Pebble, pebble_server
from tests.contract.proxy.nginx_server import Nginx, application, status_of
from tests.endpoints import at
from tests.waiting import wait_for


def test_a_certificate_is_issued_and_renewed(
    nginx: Nginx, pebble: Pebble, certbot: Certbot
) -> None:
    """By HTTP-01 through the proxy; each with a new key; and nothing is left but the account."""
    found = [
        X509Reader().read(certbot.issue("shop.example.com"), datetime.now(UTC)) for _ in range(2)
    ]
    assert [one.facts.names for one in found] == [("shop.example.com",)] * 2
    assert found[0].key != found[1].key
    argv = ["openssl", "verify", "-untrusted", "/dev/stdin", "-CAfile", str(pebble.root())]
    leaf = nginx.settings.state / "leaf.pem"
    leaf.write_bytes(found[0].chain)
    done = subprocess.run([*argv, leaf], input=found[0].chain, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list(challenges_directory(nginx.settings).iterdir()) == []
    assert list((nginx.settings.state / "acme/new").iterdir()) == []
    accounts = list((nginx.settings.state / "acme/certbot/accounts").rglob("private_key.json"))
    assert len(accounts) == 1
    assert accounts[0].stat().st_mode & 0o077 == 0


def test_the_machines_own_settings_of_certbot_change_nothing(
    nginx: Nginx, certbot: Certbot
) -> None:
    """As a server has them that was set up by hand, with certbot's plugin for nginx."""
    own = nginx.settings.state / "acme/.config/letsencrypt/cli.ini"
    make_directory(own.parent.parent, mode=0o700)
    make_directory(own.parent, mode=0o700)
    own.write_text("authenticator = nginx\ninstaller = nginx\nemail = me@example.com\n")
    try:
        assert certbot.issue("shop.example.com")
    finally:
        own.unlink()


def test_an_account_is_bound_to_that_of_a_customer(nginx: Nginx) -> None:
    """If the issuer asks for it; the key is in no command line, and in no file that remains."""
    key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    with pebble_server(nginx.settings.http_port, binding={"kid-1": key}) as issuer:
        settings = replace(
            nginx.settings, acme_directory=issuer.directory, acme_ca_bundle=str(issuer.bundle)
        )
        with pytest.raises(IssueError):
            Certbot(settings).issue("shop.example.com")
        half = replace(settings, acme_eab_kid="kid-1", acme_eab_hmac_key="a\nhsts = True")
        with pytest.raises(IssueError, match="acme_eab_hmac_key") as caught:
            Certbot(half).issue("shop.example.com")
        assert not caught.value.failure.asked
        bound = replace(settings, acme_eab_kid="kid-1", acme_eab_hmac_key=key)
        assert Certbot(bound).issue("shop.example.com")
    folders = (nginx.settings.state, nginx.settings.run)
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert [path for path in files if key.encode() in path.read_bytes()] == []


def test_a_failing_challenge_is_told(pebble: Pebble, certbot: Certbot) -> None:
    """With the issuer's own words; the next attempt may succeed."""
    pebble.fail_names("other.example.com")
    with pytest.raises(IssueError) as caught:
        certbot.issue("other.example.com")
    failure = caught.value.failure
    assert failure.asked
    assert failure.reason.startswith("The issuer says: ")
    pebble.heal_names("other.example.com")
    assert certbot.issue("other.example.com")


def test_an_app_answers_no_challenge(nginx: Nginx, certbot: Certbot) -> None:
    """The app would answer anything; the issuer gets the platform's 404."""
    nginx.proxy.apply(Site(2, ("evil.example.com",), at(*nginx_ports(nginx))))
    for path in (
        "/.well-known/acme-challenge/x",
        "/x/../.well-known/acme-challenge/x",
        "//.well-known//acme-challenge/x",
        "/%2ewell-known/acme-challenge%2fx",
        "/.well-known/acme-challenge/x?y",
    ):
        assert b" 404 " in nginx.get("evil.example.com", path)


def nginx_ports(nginx: Nginx) -> tuple[int, ...]:
    """The ports of the first site."""
    text = (nginx.settings.state / "nginx/sites/1.conf").read_text()
    return (int(text.split("server 127.0.0.1:")[1].split()[0]),)


def test_an_issuer_that_is_down_was_not_asked(certbot: Certbot, nginx: Nginx) -> None:
    """So it counts as no failure there."""
    settings = replace(nginx.settings, acme_directory="https://127.0.0.1:1/dir")
    with pytest.raises(IssueError) as caught:
        Certbot(settings).issue("shop.example.com")
    assert not caught.value.failure.asked
    assert "cannot be reached" in caught.value.failure.reason


def test_a_name_that_leads_here_is_known(nginx: Nginx, certbot: Certbot) -> None:
    """Looked at through DNS and the proxy; no trace is left."""
    assert certbot.points_here("localhost") is None
    assert list(challenges_directory(nginx.settings).iterdir()) == []


def test_a_name_without_an_address_does_not(certbot: Certbot) -> None:
    """DNS is not set up yet."""
    assert certbot.points_here("nowhere.invalid") == "DNS has no address for nowhere.invalid."


def test_a_name_that_leads_elsewhere_does_not(nginx: Nginx, tmp_path: Path) -> None:
    """Another server answers, or nobody; one of several addresses is enough to be wrong."""
    port, folder = nginx.settings.http_port, challenges_directory(nginx.settings)
    assert points_here("shop.example.com", port, folder, lambda _: ["127.0.0.1"]) is None
    # This proxy closes the connection for a name that it does not know.
    why = points_here("unknown.example.com", port, folder, lambda _: ["127.0.0.1"])
    assert why is not None
    with application() as other:
        why = points_here("a.test", other.server_port, tmp_path, lambda _: ["127.0.0.1"])
        assert why == "DNS points a.test to 127.0.0.1, where another server answers."
        both = points_here("a.test", other.server_port, tmp_path, lambda _: ["::1", "127.0.0.1"])
        assert both == why
    nobody = points_here("a.test", 1, tmp_path, lambda _: ["127.0.0.1", "::1"])
    assert nobody == "DNS points a.test to 127.0.0.1, ::1, where nobody answers on port 1."
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_never_ends_its_answer_is_not_waited_for(tmp_path: Path) -> None:
    """A byte now and then, without end, would hold the certificates of all apps."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not ended.wait(0.1):
                    connection.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            port = listener.getsockname()[1]
            why = points_here("a.test", port, tmp_path, lambda _: ["127.0.0.1"], 5.0)
        finally:
            ended.set()
            thread.join()
    assert why == "DNS points a.test to 127.0.0.1, where another server answers."


def test_an_apps_limits_do_not_hold_for_challenges(nginx: Nginx) -> None:
    """The issuer comes from wherever it likes, perhaps through a balancer beside all others."""
    challenge = challenges_directory(nginx.settings) / "limited"
    challenge.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    challenge.write_text("answer")
    with application() as app:
        limits = RouterSettings(rate=Rate(1, 60), burst=0, connections=1)
        nginx.proxy.apply(Site(7, ("limited.localhost",), at(app.server_port), settings=limits))
        try:
            got = [nginx.get("limited.localhost", PATH + challenge.name) for _ in range(3)]
        finally:
            nginx.proxy.remove(7)
            challenge.unlink()
    assert [status_of(answer) for answer in got] == [200, 200, 200]


def test_several_are_issued_at_the_same_time_after_a_kill(nginx: Nginx) -> None:
    """With one account; what a killed process left, of this version or the last, stops none."""
    with pebble_server(nginx.settings.http_port) as issuer:
        settings = replace(
            nginx.settings, acme_directory=issuer.directory, acme_ca_bundle=str(issuer.bundle)
        )
        asked = "other.example.com"
        with issuer.paused():
            pid = os.fork()
            if pid == 0:
                with suppress(BaseException):
                    Certbot(settings).issue(asked)
                os._exit(0)
            new = settings.state / "acme/new"
            # From here on, certbot ends with the process that has started it.
            wait_for(lambda: list(new.glob("*/logs/*.log")), what="a certbot that asks")
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        (new / "chain.pem").write_text("half")
        hosts = [f"{name}.example.com" for name in ("shop", "other", "refused")] * 2
        with ThreadPoolExecutor(len(hosts)) as pool:
            issued = list(pool.map(Certbot(settings).issue, hosts))
        names = [X509Reader().read(pem, datetime.now(UTC)).facts.names for pem in issued]
        assert names == [(host,) for host in hosts]
        assert "There are now 2 accounts" not in issuer.log()
        assert list(new.iterdir()) == []
        assert list(challenges_directory(settings).iterdir()) == []


def test_an_account_that_the_issuer_has_lost_is_made_anew(nginx: Nginx) -> None:
    """As after a reset of an issuer of one's own; certbot alone fails with a fault of its own."""
    with pebble_server(nginx.settings.http_port) as issuer:
        settings = replace(
            nginx.settings, acme_directory=issuer.directory, acme_ca_bundle=str(issuer.bundle)
        )
        assert Certbot(settings).issue("shop.example.com")
        issuer.stop()
        issuer.start()
        assert Certbot(settings).issue("shop.example.com")
        assert issuer.log().count("There are now 1 accounts") == 2
