"""The text of nginx's files: a golden file for each variant, and what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from paas.adapters.proxy.nginx.http_conf import (
    own_directives,
    render_http,
    render_main,
    render_nginx,
)
from paas.adapters.proxy.nginx.site_conf import differs_in_endpoints_alone, render_site
from paas.adapters.proxy.nginx.tls import NginxTls
from paas.domain.builds.buildpacks import StaticFiles
from paas.domain.routing.endpoints import Endpoint
from paas.domain.routing.paths import PathRoute
from paas.domain.routing.router_settings import router_settings
from paas.domain.routing.sites import Certificate, Folder, Redirect, Site
from paas.domain.values.errors import PaasError
from paas.settings import Settings
from tests.endpoints import at

GOLDEN = Path(__file__).parents[1] / "golden"
SYSTEM = Settings()
EMBEDDED = Settings(
    etc=Path("/srv/p/etc"),
    state=Path("/srv/p/var"),
    run=Path("/srv/p/run"),
    embedded=True,
    http_port=8080,
    nginx_conf=Path("/srv/p/etc/nginx.conf"),
    nginx_http_conf=Path("/srv/p/etc/paas.conf"),
    nginx_pid=Path("/srv/p/run/nginx.pid"),
    worker_limit_s=2.5,
)
ONE = Site(12, ("shop.apps.example.com",), at(20_001))
MANY = Site(7, ("shop.localhost", "www.example.com"), at(20_001, 20_005, 29_999))
REMOTE = (Endpoint("10.0.0.2", 11_200), Endpoint("10.0.0.3", 11_201))
NONE = Site(12, ("shop.apps.example.com",), ())
FILES = Folder(Path("/var/lib/paas/slugs/12-1"), StaticFiles("dist", "index.html", "404.html"))
SECURE = Site(
    12,
    ("shop.apps.example.com", "shop.example.com"),
    at(20_001),
    certificates=(
        Certificate(
            Path("/var/lib/paas/certs/3/chain.pem"),
            Path("/var/lib/paas/certs/3/key.pem"),
            ("shop.example.com", "www.example.com"),
        ),
    ),
    redirects=(Redirect("www.example.com", "shop.example.com", 308),),
)

SET = router_settings(
    {
        "client-max-body-size": "20m",
        "websocket-timeout": "1h",
        "proxy-buffering": "off",
        "gzip": "on",
        "rate-limit": "10r/s",
        "connection-limit": "5",
        "allow": "192.0.2.0/24",
        "deny": "192.0.2.1",
        "trusted-proxies": "198.51.100.0/24 2001:db8::/32",
        "sticky-sessions": "on",
        "header.X-Frame-Options": "DENY",
    },
    {"alice": "$2b$05$hash"},
)

VARIANTS = {
    "site-settings.conf": render_site(
        Site(7, MANY.hosts, MANY.endpoints, settings=SET), SYSTEM, ipv6=False
    ),
    "site-tls.conf": render_site(SECURE, SYSTEM, ipv6=True),
    "site-tls-balancer.conf": render_site(
        replace(
            SECURE, settings=router_settings({"trusted-proxies": "198.51.100.1", "hsts": "5m"}, {})
        ),
        SYSTEM,
        ipv6=False,
    ),
    "site-paths.conf": render_site(
        replace(
            SECURE,
            settings=router_settings({"rate-limit": "10r/s"}, {}),
            paths=(
                PathRoute("shop.example.com", "/api", 13),
                PathRoute("shop.apps.example.com", "/docs/v1.2", 14, strip=False),
            ),
        ),
        SYSTEM,
        ipv6=False,
    ),
    "site-by-path.conf": render_site(
        replace(
            MANY,
            by_path=True,
            settings=router_settings({"hsts": "5m", "sticky-sessions": "on"}, {}),
        ),
        SYSTEM,
        ipv6=False,
    ),
    "site-by-path-behind.conf": render_site(
        replace(ONE, by_path=True), Settings(proxy="haproxy"), ipv6=False
    ),
    "site-remote.conf": render_site(
        Site(
            7, ("shop.localhost",), REMOTE, settings=router_settings({"sticky-sessions": "on"}, {})
        ),
        SYSTEM,
        ipv6=False,
    ),
    "site-folder.conf": render_site(Site(12, ONE.hosts, (), FILES), SYSTEM, ipv6=True),
    "site-maintenance.conf": render_site(
        Site(12, ONE.hosts, ONE.endpoints, None, True), SYSTEM, ipv6=True
    ),
    "site-maintenance-page.conf": render_site(
        Site(
            12,
            ONE.hosts,
            ONE.endpoints,
            None,
            True,
            Path("/var/lib/paas/slugs/12-1/maintenance.html"),
        ),
        SYSTEM,
        ipv6=True,
    ),
    "site-one-port.conf": render_site(ONE, SYSTEM, ipv6=True),
    "site-many.conf": render_site(MANY, EMBEDDED, ipv6=False),
    "site-no-port.conf": render_site(NONE, SYSTEM, ipv6=True),
    "http-system.conf": render_http(SYSTEM, ipv6=True),
    "http-embedded.conf": render_http(EMBEDDED, ipv6=False),
    "main-system.conf": render_main(SYSTEM),
    "nginx-embedded.conf": render_nginx(EMBEDDED),
}


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_the_text_is_the_golden_one(name: str) -> None:
    """A change of the templates shows as a change of these files."""
    assert VARIANTS[name] == (GOLDEN / name).read_text()


def test_a_newer_nginx_leaves_kept_connections_open() -> None:
    """From 1.27.4 on; an older one refuses the directive."""
    text = render_site(ONE, SYSTEM, ipv6=True, tls=NginxTls(keepalive_min=True))
    assert "keepalive_min_timeout 10s;" in text
    assert "keepalive_min_timeout" not in render_site(ONE, SYSTEM, ipv6=True)


def test_a_process_answers_rather_than_files() -> None:
    """With a port, a folder makes no difference."""
    assert render_site(Site(12, ONE.hosts, ONE.endpoints, FILES), SYSTEM, ipv6=True) == render_site(
        ONE, SYSTEM, ipv6=True
    )


@pytest.mark.parametrize("root", ['a"b', "a;b", "$x", "a b\n", "a{b"])
def test_refuses_a_folder_that_would_say_more(root: str) -> None:
    """Nothing of an app's ends a quoted path."""
    with pytest.raises(PaasError):
        folder = Folder(Path("/slugs/1"), StaticFiles(root))
        render_site(Site(12, ONE.hosts, (), folder), SYSTEM, ipv6=True)


@pytest.mark.parametrize(
    "host",
    [
        "a;b",
        "a b",
        "a\n",
        "a\x00",
        "",
        "-a",
        "a-",
        "a..b",
        ".a",
        "a.",
        "a_b",
        "*",
        "ü.de",
        '"',
        "$a",
    ],
)
def test_what_is_no_host_is_refused(host: str) -> None:
    """Only lowercase DNS names are rendered."""
    with pytest.raises(PaasError) as caught:
        render_site(Site(1, ("good.localhost", host), at(1)), SYSTEM, ipv6=True)
    assert caught.value.reference == "site-host"


@pytest.mark.parametrize("path", ["/a\nb", '/a"b', "/a$b", "/a{b", "/a;b", "/a*b", "/a\\b", "a"])
def test_a_path_that_nginx_would_read_as_more_is_refused(path: str) -> None:
    """A quote, a variable or a glob in a directory's name cannot get into the files."""
    settings = Settings(state=Path(path))
    with pytest.raises(PaasError):
        render_site(ONE, settings, ipv6=True)
    with pytest.raises(PaasError):
        render_http(settings, ipv6=True)


def test_what_the_machine_sets_itself_is_left_to_it() -> None:
    """nginx refuses a directive that comes twice; one in a comment does not count."""
    own = own_directives("worker_rlimit_nofile 9;\n#worker_shutdown_timeout 1s;\n\tgzip on;\n")
    assert own == {"worker_rlimit_nofile"}
    assert "rlimit" not in render_main(SYSTEM, omit=own)
    assert "worker_shutdown_timeout 600000ms;" in render_main(SYSTEM, omit=own)
    text = render_http(SYSTEM, ipv6=True, omit={"server_names_hash_max_size"})
    assert "server_names_hash_max_size" not in text
    assert "server_names_hash_bucket_size 512;" in text


def test_numbers_and_accounts_are_checked() -> None:
    """A setting that is no number or no account's name is refused."""
    with pytest.raises(PaasError):
        render_http(Settings(http_port=0), ipv6=True)
    with pytest.raises(PaasError):
        render_nginx(Settings(proxy_user="www;data"))
    with pytest.raises(PaasError):
        render_main(Settings(worker_limit_s=0.0))


@pytest.mark.parametrize(
    ("changed", "alone"),
    [
        (replace(MANY, endpoints=at(20_003, 20_004, 20_005)), True),
        (replace(MANY, endpoints=tuple(Endpoint(f"10.214.0.{i}", 8_000) for i in (2, 3, 4))), True),
        (replace(MANY, endpoints=at(20_003, 20_004)), False),
        (replace(MANY, endpoints=()), False),
        (replace(MANY, hosts=("shop.localhost", "www.example.org")), False),
        (replace(MANY, settings=SET), False),
    ],
)
def test_knows_a_change_of_endpoints_alone(changed: Site, alone: bool) -> None:
    """Others in the same places; all else may be something that nginx refuses."""
    former, text = (render_site(site, EMBEDDED, ipv6=False) for site in (MANY, changed))
    assert differs_in_endpoints_alone(former.encode(), text) is alone
    assert not differs_in_endpoints_alone(None, text)
