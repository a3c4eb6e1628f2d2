"""nginx over TLS: versions, ciphers, HTTP/2, resumption, and who is shown what."""

import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from paas.adapters.certificates.files import CertificateDirectory
from paas.adapters.certificates.reader import X509Reader
from paas.adapters.proxy.haproxy.files import installed_curves
from paas.adapters.proxy.haproxy.proxy import HaproxyProxy
from paas.adapters.proxy.nginx.proxy import NginxProxy
from paas.adapters.proxy.nginx.tls import NginxTls, installed_tls, tls_of
from paas.adapters.proxy.tls import CURVES, curves_of
from paas.adapters.system.files import make_directory
from paas.domain.routing.hsts import Hsts
from paas.domain.routing.paths import PathRoute
from paas.domain.routing.router_settings import RouterSettings
from paas.domain.routing.sites import Certificate, Redirect, Site
from paas.domain.values.errors import PaasError
from tests.authority import Authority, key_pem, pem
from tests.contract.proxy.haproxy_server import SERVERS
from tests.contract.proxy.nginx_server import Nginx, application, body_of, status_of
from tests.endpoints import at

SHOP = "shop.example.com"


@dataclass
class Secured:
    """A server with a site that has certificates, and who signed these."""

    nginx: Nginx
    site: Site
    root: Path

    @property
    def port(self) -> int:
        """Where HTTPS is."""
        return self.nginx.settings.https_port

    def context(self) -> ssl.SSLContext:
        """A client that trusts the authority of this test alone."""
        return ssl.create_default_context(cafile=str(self.root))

    def get(self, host: str, path: str = "/", context: ssl.SSLContext | None = None) -> bytes:
        """The whole answer over TLS to a GET."""
        with socket.create_connection(("127.0.0.1", self.port), 120) as plain:
            secure = (context or self.context()).wrap_socket(plain, server_hostname=host)
            secure.sendall(
                f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
            )
            received = b""
            while part := secure.recv(65536):
                received += part
            return self.nginx.named(received)

    def openssl(self, *options: str, host: str = SHOP) -> subprocess.CompletedProcess[str]:
        """What openssl's client sees."""
        argv = ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-servername", host]
        argv += ["-CAfile", str(self.root), *options]
        return subprocess.run(
            argv, input="Q\n", capture_output=True, text=True, timeout=90, check=False
        )


@pytest.fixture(scope="module", params=list(SERVERS))
def secured(request: pytest.FixtureRequest) -> Iterator[Secured]:
    """One exact and one wildcard certificate, and a redirect."""
    authority = Authority()
    with SERVERS[request.param]() as nginx, application() as app:
        root = nginx.settings.etc / "root.pem"
        root.write_bytes(pem(authority.root))

        def certificate(id: str, *names: str) -> Certificate:
            files = CertificateDirectory(nginx.settings.state / "certs")
            pair = authority.bundle(*names)
            files.write(id, X509Reader().read(pair, datetime.now(UTC)))
            paths = files.paths(id)
            assert paths
            return Certificate(*paths, names)

        site = Site(
            1,
            (SHOP, "*.shop.example.com", "plain.example.com"),
            at(app.server_port),
            certificates=(
                certificate("1-00000001", SHOP, "www.example.com"),
                certificate("1-00000002", "*.shop.example.com"),
            ),
            redirects=(Redirect("www.example.com", SHOP, 308),),
            settings=RouterSettings(hsts=Hsts(300, subdomains=True)),
        )
        nginx.proxy.apply(site)
        yield Secured(nginx, site, root)


def posting(host: str, method: str = "POST") -> bytes:
    """A request without a body, by that method."""
    lines = (f"{method} /x HTTP/1.1", f"Host: {host}", "Connection: close", "Content-Length: 0")
    return "\r\n".join([*lines, "", ""]).encode()


def test_each_name_has_its_certificate(secured: Secured) -> None:
    """The exact one, the wildcard's, and the redirect's; the client checks names and chains."""
    assert status_of(secured.get(SHOP)) == 200
    assert status_of(secured.get("any.shop.example.com")) == 200
    moved = secured.get("www.example.com", "/a?b=c")
    assert status_of(moved) == 308
    assert f"Location: https://{SHOP}:{secured.port}/a?b=c".encode() in moved


def test_a_certificate_may_be_on_each_curve_that_is_taken(secured: Secured) -> None:
    """P-384, and P-521 for clients that know it."""
    authority = Authority()
    files = CertificateDirectory(secured.nginx.settings.state / "certs")
    for number, curve in enumerate((ec.SECP384R1(), ec.SECP521R1()), 7):
        name, key = f"curve{number}.example.com", ec.generate_private_key(curve)
        chain = pem(authority.leaf(name, key=key)) + pem(authority.intermediate)
        id = f"{number}-00000001"
        files.write(id, X509Reader().read(chain + key_pem(key), datetime.now(UTC)))
        paths = files.paths(id)
        assert paths
        shown = (Certificate(*paths, (name,)),)
        secured.nginx.proxy.apply(Site(number, (name,), (), certificates=shown))
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = ssl.create_default_context(cadata=pem(authority.root).decode())
            context.minimum_version = context.maximum_version = version
            assert status_of(secured.get(name, context=context)) == 503
        secured.nginx.proxy.remove(number)


def test_the_app_is_told_of_https(secured: Secured) -> None:
    """As ProxyFix reads it; not what a client says of itself."""
    assert b'"x-forwarded-proto": "https"' in body_of(secured.get(SHOP))
    seen = secured.nginx.seen("plain.example.com", "X-Forwarded-Proto: https")
    assert seen["x-forwarded-proto"] == "http"


def test_http_is_sent_to_https_but_for_challenges(secured: Secured) -> None:
    """A name without a certificate is answered as it was."""
    moved = secured.nginx.get(SHOP, "/x")
    assert status_of(moved) == 301
    assert f"Location: https://{SHOP}:{secured.port}/x".encode() in moved
    posted = secured.nginx.raw(posting(SHOP))
    assert status_of(posted) == 308, "a client would repeat it as a GET"
    assert f"Location: https://{SHOP}:{secured.port}/x".encode() in posted
    assert status_of(secured.nginx.raw(posting(SHOP, "HEAD"))) == 301
    challenges = secured.nginx.settings.state / "acme/challenges"
    challenges.mkdir(mode=0o711, parents=True, exist_ok=True)
    challenges.parent.chmod(0o711)
    (challenges / "token").write_text("answer")
    assert body_of(secured.nginx.get(SHOP, "/.well-known/acme-challenge/token")) == b"answer"
    assert status_of(secured.nginx.get("plain.example.com")) == 200


@pytest.mark.parametrize("host", ["nobody.example.com", "example.com", "plain.example.com", None])
def test_a_name_without_a_certificate_is_refused_in_the_handshake(
    secured: Secured, host: str | None
) -> None:
    """Before any certificate is shown; also where no name is asked for."""
    context = secured.context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", secured.port), 120) as plain:
        with pytest.raises((ssl.SSLError, ConnectionResetError)) as caught:
            context.wrap_socket(plain, server_hostname=host)
        assert "UNRECOGNIZED_NAME" in str(caught.value)


@pytest.mark.parametrize(
    ("version", "is_spoken"), [("1", False), ("1_1", False), ("1_2", True), ("1_3", True)]
)
def test_only_these_versions_are_spoken(secured: Secured, version: str, is_spoken: bool) -> None:
    """TLS 1.2 and 1.3; the client here would take any."""
    done = secured.openssl(f"-tls{version}", "-cipher", "DEFAULT:@SECLEVEL=0")
    assert ("-----BEGIN CERTIFICATE-----" in done.stdout) is is_spoken


@pytest.mark.parametrize(
    ("cipher", "is_taken"),
    [
        ("ECDHE-ECDSA-AES128-GCM-SHA256", True),
        ("ECDHE-ECDSA-AES256-GCM-SHA384", True),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", True),
        ("ECDHE-ECDSA-AES128-SHA256", False),
        ("ECDHE-ECDSA-AES256-SHA", False),
        ("ECDHE-ECDSA-AES128-CCM8", False),
    ],
)
def test_only_ciphers_of_the_profile_are_taken(
    secured: Secured, cipher: str, is_taken: bool
) -> None:
    """Mozilla's intermediate profile: forward secrecy, and authenticated encryption alone."""
    done = secured.openssl("-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
    assert (f"Cipher    : {cipher}" in done.stdout) is is_taken


def test_the_client_chooses_among_them(secured: Secured) -> None:
    """A phone without AES in hardware is served as it likes."""
    pair = ("CHACHA20-POLY1305", "AES128-GCM-SHA256")
    for first, second in (pair, pair[::-1]):
        wanted = [f"ECDHE-ECDSA-{name}" for name in (first, second)]
        done = secured.openssl("-tls1_2", "-cipher", ":".join(wanted))
        assert f"Cipher    : {wanted[0]}" in done.stdout


def test_http2_is_spoken(secured: Secured) -> None:
    """Chosen by ALPN, by curl as by browsers."""
    argv = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_version} %{http_code}"]
    argv += ["--cacert", str(secured.root), "--resolve", f"{SHOP}:{secured.port}:127.0.0.1"]
    argv += [f"https://{SHOP}:{secured.port}/"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=90, check=True)
    assert done.stdout == "2 200"


@pytest.mark.differs(
    "TLS sessions",
    nginx="survive a reload",
    haproxy="are lost at a reload",
)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_resumed(secured: Secured, version: ssl.TLSVersion) -> None:
    """In any worker, and with nginx after a reload."""
    context = secured.context()
    context.minimum_version = context.maximum_version = version
    session = _session(secured, context, None)[0]
    for _ in range(8):
        session, reused = _session(secured, context, session)
        assert reused
    other = replace(secured.site, app_id=2, hosts=("b.example.com",), certificates=(), redirects=())
    secured.nginx.proxy.apply(other)
    secured.nginx.proxy.remove(2)
    # HAProxy's sessions are those of one worker: docs/haproxy.md.
    resumed = _session(secured, context, session)[1]
    assert resumed or isinstance(secured.nginx.proxy, HaproxyProxy)


def _session(
    secured: Secured, context: ssl.SSLContext, session: ssl.SSLSession | None
) -> tuple[ssl.SSLSession | None, bool | None]:
    """The session of one request, and whether it was an earlier one's."""
    with socket.create_connection(("127.0.0.1", secured.port), 120) as plain:
        secure = context.wrap_socket(plain, server_hostname=SHOP, session=session)
        secure.sendall(f"GET / HTTP/1.1\r\nHost: {SHOP}\r\nConnection: close\r\n\r\n".encode())
        while secure.recv(65536):
            pass
        return secure.session, secure.session_reused


def test_a_path_is_as_secure_as_its_host(secured: Secured) -> None:
    """By one certificate, whichever app answers; behind a balancer, too."""
    nginx, endpoints = secured.nginx, secured.site.endpoints
    trusting = replace(secured.site.settings, trusted=(ip_network("127.0.0.1"),))
    paths = (PathRoute(SHOP, "/api", 2),)
    nginx.proxy.apply(Site(2, ("api.example.com",), endpoints, by_path=True, settings=trusting))
    nginx.proxy.apply(replace(secured.site, paths=paths))
    for path in ("/api", "/api/x?y"):
        moved = nginx.get(SHOP, path)
        assert status_of(moved) == 301
        assert f"Location: https://{SHOP}:{secured.port}{path}\r\n".encode() in moved
    posted = nginx.raw(posting(SHOP).replace(b"/x", b"/api/x"))
    assert status_of(posted) == 308
    assert f"Location: https://{SHOP}:{secured.port}/api/x\r\n".encode() in posted
    answer = secured.get(SHOP, "/api/x")
    assert (status_of(answer), answer.count(b"Strict-Transport-Security")) == (200, 1)
    seen = json.loads(body_of(answer))["headers"]
    assert (seen["x-forwarded-proto"], seen["x-forwarded-prefix"]) == ("https", "/api")

    nginx.proxy.apply(replace(secured.site, paths=paths, settings=trusting))
    answer = nginx.get(SHOP, "/api/x", "X-Forwarded-Proto: https", "X-Forwarded-For: 192.0.2.7")
    seen = json.loads(body_of(answer))["headers"]
    assert (seen["x-forwarded-proto"], seen["x-forwarded-for"]) == ("https", "192.0.2.7")
    assert (seen["x-forwarded-prefix"], seen["host"]) == ("/api", SHOP)
    nginx.proxy.apply(secured.site)
    nginx.proxy.remove(2)


def test_hsts_is_sent_over_https_alone(secured: Secured) -> None:
    """Once, with redirects and with an app that is closed, too; never over HTTP (RFC 6797, 7.2)."""
    header = b"Strict-Transport-Security: max-age=300; includeSubDomains\r\n"
    for host in (SHOP, "www.example.com"):
        assert secured.get(host).count(header) == 1
    assert b"Strict" not in secured.nginx.get(SHOP)
    assert b"Strict" not in secured.nginx.get("plain.example.com")
    for changed in (replace(secured.site, closed=True), replace(secured.site, endpoints=())):
        secured.nginx.proxy.apply(changed)
        answer = secured.get(SHOP)
        assert status_of(answer) == 503
        assert answer.count(header) == 1
    secured.nginx.proxy.apply(replace(secured.site, settings=RouterSettings()))
    assert b"Strict" not in secured.get(SHOP)
    secured.nginx.proxy.apply(secured.site)


def test_who_came_to_a_balancer_over_https_is_there_already(secured: Secured) -> None:
    """One that takes TLS off and is trusted: no redirects in a ring, and HSTS."""
    nginx, https = secured.nginx, "X-Forwarded-Proto: https"
    header = b"Strict-Transport-Security: max-age=300; includeSubDomains\r\n"
    assert status_of(nginx.get(SHOP, "/x", https)) == 301
    trusting = replace(secured.site.settings, trusted=(ip_network("127.0.0.1"),))
    nginx.proxy.apply(replace(secured.site, settings=trusting))
    for host in (SHOP, "any.shop.example.com", "plain.example.com"):
        answer = nginx.get(host, "/x", https)
        assert status_of(answer) == 200
        assert b'"x-forwarded-proto": "https"' in body_of(answer)
        assert answer.count(header) == 1
    for said in ("X-Forwarded-Proto: http", "X-Forwarded-Proto: httpss", "X-A: b"):
        answer = nginx.get(SHOP, "/x", said)
        assert status_of(answer) == 301
        assert b"Strict" not in answer
    assert status_of(nginx.raw(posting(SHOP))) == 308
    assert status_of(secured.get(SHOP)) == 200
    assert secured.get(SHOP).count(header) == 1
    challenges = nginx.settings.state / "acme/challenges"
    make_directory(challenges, mode=0o711)
    (challenges / "token").write_text("answer")
    path = "/.well-known/acme-challenge/token"
    for headers in ((), (https,)):
        assert body_of(nginx.get(SHOP, path, *headers)) == b"answer"
    assert status_of(nginx.get(SHOP, "/.well-known/acme-challenge/../../x")) in {301, 400}
    nginx.proxy.apply(secured.site)


def test_a_lost_certificate_changes_nothing(secured: Secured) -> None:
    """nginx refuses the site, and the former keeps serving."""
    lost = Certificate(Path("/nowhere/chain.pem"), Path("/nowhere/key.pem"), (SHOP,))
    with pytest.raises(PaasError) as caught:
        secured.nginx.proxy.apply(replace(secured.site, certificates=(lost,)))
    assert caught.value.reference == "proxy-refused"
    assert status_of(secured.get(SHOP)) == 200


def test_a_damaged_certificate_is_set_aside_at_boot(secured: Secured) -> None:
    """Its site is not served, which is reported; all the others are."""
    nginx, (damaged, _) = secured.nginx, secured.site.certificates
    former = damaged.chain.read_bytes()
    other = replace(secured.site, app_id=2, hosts=("b.example.com",), certificates=(), redirects=())
    damaged.chain.write_bytes(former[:300])
    try:
        nginx.proxy.restore([secured.site, other])
        assert nginx.proxy.refused() == {1}
        assert status_of(nginx.get("b.example.com")) == 200
    finally:
        damaged.chain.write_bytes(former)
    nginx.proxy.restore([secured.site])
    assert status_of(secured.get(SHOP)) == 200


def test_a_damaged_certificate_keeps_no_other_app_from_changes(secured: Secured) -> None:
    """At nginx, which reads the files of all: it is said whose it is, and the app that has it can
    be served without it.
    """
    nginx, certificate = secured.nginx, secured.site.certificates[0]
    files = CertificateDirectory(certificate.chain.parents[1])
    id = certificate.chain.parent.name
    assert files.paths(id) == (certificate.chain, certificate.key)
    other = replace(secured.site, app_id=2, hosts=("b.example.com",), certificates=(), redirects=())
    for path in (certificate.chain, certificate.key):
        former = path.read_bytes()
        path.write_bytes(former[:100])
        try:
            assert files.paths(id) is None
            if isinstance(nginx.proxy, NginxProxy):
                with pytest.raises(PaasError, match="another app, of id 1, are damaged"):
                    nginx.proxy.apply(other)
            nginx.proxy.apply(replace(secured.site, certificates=(), redirects=()))
            nginx.proxy.apply(other)
        finally:
            path.write_bytes(former)
        nginx.proxy.remove(2)
        nginx.proxy.apply(secured.site)


def test_what_an_nginx_knows_is_read_from_its_version() -> None:
    """Debian 12's, Debian 13's, and one that runs with a newer OpenSSL than it was built with."""
    old = "nginx version: nginx/1.22.1\nbuilt with OpenSSL 3.0.8 (running with OpenSSL 3.0.19)\n"
    assert tls_of(old) == NginxTls()
    new = "nginx version: nginx/1.26.3\nbuilt with OpenSSL 3.4.0 (running with OpenSSL 3.5.1)\n"
    assert tls_of(new) == NginxTls(curves=f"X25519MLKEM768:{CURVES}", http2_directive=True)
    assert tls_of("nginx version: nginx/1.24.0 (Ubuntu)\nbuilt with OpenSSL 3.0.13\n") == NginxTls()
    newest = tls_of("nginx version: nginx/1.28.0\nbuilt with OpenSSL 3.0.13\n")
    assert newest == NginxTls(http2_directive=True, keepalive_min=True)
    assert tls_of("").http2_directive is False
    assert installed_tls() is installed_tls()


def test_haproxys_curves_are_those_of_its_own_openssl() -> None:
    """nginx may run with a newer one, whose names HAProxy's would refuse."""
    built = "Built with OpenSSL version : OpenSSL 3.5.1 1 Jul 2025\n"
    assert curves_of(built + "Running on OpenSSL version : OpenSSL 3.0.19 1 Jul 2025\n") == CURVES
    newer = curves_of(built + "Running on OpenSSL version : OpenSSL 3.6.0 1 Oct 2025\n")
    assert newer == f"X25519MLKEM768:{CURVES}"
    assert installed_curves().endswith(CURVES)
