"""git's host in the files of both proxies: a golden file for each variant, and its certificate."""

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from paas.adapters.certificates.web_certificate import WebCertificateDirectory
from paas.adapters.proxy.haproxy.conf import render_shared, render_tables
from paas.adapters.proxy.nginx.http_conf import render_http
from paas.adapters.proxy.tls import CURVES
from paas.adapters.proxy.web_site import WebSite, web_site
from paas.settings import Settings
from tests.authority import Authority

GOLDEN = Path(__file__).parents[1] / "golden"
SETTINGS = Settings(web=True, domain="apps.example.com")
HOST = "git.apps.example.com"
HOSTS = (HOST, *(f"{name}.apps.example.com" for name in ("api", "dashboard", "localhost")))
SECURE = WebSite(
    HOSTS,
    Path("/srv/web/sock"),
    Path("/srv/web/streams"),
    Path("/srv/web/tls/1.pem"),
    False,
    529,
)
SITES = {
    "secure": replace(SECURE, trusted=(ip_network("198.51.100.0/24"),)),
    "refused": replace(SECURE, pem=None),
    "plain": replace(SECURE, pem=None, plain=True),
}


def rendered(proxy: str, site: WebSite | None) -> str:
    """What is about the web process in the file of that proxy that all apps share."""
    settings = replace(SETTINGS, proxy=proxy)
    if proxy == "nginx":
        text = render_http(settings, ipv6=True, web=site)
    else:
        files = render_shared(settings, gid=33, ipv6=True, public=True, curves=CURVES, web=site)
        text = files[Path("/var/lib/paas/haproxy/haproxy.cfg")]
    return text.partition("# git over HTTP")[2]


@pytest.mark.parametrize("proxy", ["nginx", "haproxy"])
@pytest.mark.parametrize("name", SITES)
def test_the_text_is_the_golden_one(name: str, proxy: str) -> None:
    """With a certificate, without one, and where tokens may come in plain."""
    assert rendered(proxy, SITES[name]) == (GOLDEN / f"web-{name}-{proxy}.conf").read_text()


def test_a_server_without_it_has_none_of_it() -> None:
    """And behind HAProxy, nginx has no part in it."""
    assert rendered("nginx", None) == rendered("haproxy", None) == ""
    settings = replace(SETTINGS, proxy="haproxy")
    assert HOST not in render_http(settings, ipv6=True, web=SECURE)


def test_an_app_that_has_the_host_keeps_it() -> None:
    """HAProxy takes the first line of the map that fits, Nginx the first file."""
    settings = replace(SETTINGS, proxy="haproxy")
    tables = render_tables(settings, [f"http {HOST} 9 app\n"], SECURE)
    folder = Path("/var/lib/paas/haproxy")
    for_web = "".join(f"{host} web app\n" for host in sorted(HOSTS))
    own = f"{HOST} web app\n"
    assert tables[folder / "http.map"] == for_web.replace(own, f"{HOST} 9 app\n{own}")
    assert tables[folder / "https.map"] == for_web
    assert tables[folder / "crt-list"] == f"/srv/web/tls/1.pem {' '.join(HOSTS)}\n"
    text = render_http(SETTINGS, ipv6=True, web=SECURE)
    assert text.index('/sites/*.conf"') < text.index(f"server_name {HOST} ")


def test_what_the_settings_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A whole certificate is copied; a damaged one is told of, and leaves the former."""
    pem = tmp_path / "own.pem"
    settings = replace(
        SETTINGS,
        state=tmp_path,
        web_certificate=str(pem),
        web_certificate_key=str(pem),
    )
    assert web_site(replace(settings, web=False)) is None
    WebCertificateDirectory(settings).copy()
    assert "web_certificate is not used" in capsys.readouterr().err
    found = web_site(settings)
    assert found is not None
    assert (found.hosts, found.pem, found.plain) == (HOSTS, None, False)
    pem.write_bytes(Authority().bundle(HOST))
    WebCertificateDirectory(settings).copy()
    found = web_site(settings)
    assert found is not None
    assert found.pem is not None
    assert found.pem.stat().st_mode & 0o777 == 0o600
    pem.write_text("damaged")
    WebCertificateDirectory(settings).copy()
    assert web_site(settings) == found
    plain = web_site(replace(settings, domain="localhost"))
    assert plain is not None
    assert plain.plain
