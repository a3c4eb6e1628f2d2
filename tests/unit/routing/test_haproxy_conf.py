"""The text of HAProxy's files: a golden file for each variant, what is refused, and log lines."""

from dataclasses import replace
from pathlib import Path

import pytest

from paas.adapters.proxy.haproxy.conf import render_shared, render_tables
from paas.adapters.proxy.haproxy.files import HaproxyFiles
from paas.adapters.proxy.haproxy.site_conf import files_of, nginx_part
from paas.adapters.proxy.nginx.escaping import TEMPLATES
from paas.adapters.proxy.tls import CURVES
from paas.domain.routing.endpoints import Endpoint
from paas.domain.routing.hsts import Hsts
from paas.domain.routing.paths import PathRoute
from paas.domain.routing.router_settings import RouterSettings, router_settings
from paas.domain.routing.sites import Certificate, Redirect, Site, SlugFolder, Static
from paas.domain.values.errors import PaasError
from paas.entrypoints.logd.router import REFUSED, router_line
from paas.settings import Settings
from tests.endpoints import at

GOLDEN = Path(__file__).parents[1] / "golden"
SETTINGS = Settings(proxy="haproxy")
ONE = Site(12, ("shop.apps.example.com",), at(20_001))
SLUG = SlugFolder(Path("/var/lib/paas/slugs/12-1"), "app/static")
SECURE = Site(
    12,
    ("shop.apps.example.com", "shop.example.com", "*.shop.example.com"),
    at(20_001, 20_002),
    certificates=(
        Certificate(
            Path("/var/lib/paas/certs/3/chain.pem"),
            Path("/var/lib/paas/certs/3/key.pem"),
            ("shop.example.com", "www.example.com"),
        ),
    ),
    redirects=(Redirect("www.example.com", "shop.example.com", 308),),
    settings=RouterSettings(hsts=Hsts(300)),
)
SET = router_settings(
    {
        "client-max-body-size": "20m",
        "websocket-timeout": "1h",
        "gzip": "on",
        "rate-limit": "10r/s",
        "connection-limit": "5",
        "allow": "192.0.2.0/24",
        "deny": "192.0.2.1",
        "trusted-proxies": "198.51.100.0/24",
        "sticky-sessions": "on",
        "header.X-Own": "50%",
    },
    {"alice": "$2b$05$abc"},
)
VARIANTS = {
    "one": ONE,
    "remote": replace(ONE, endpoints=(Endpoint("10.0.0.2", 11_200), Endpoint("10.0.0.3", 11_201))),
    "tls": SECURE,
    "settings": Site(7, ("shop.localhost",), at(20_001, 20_002), settings=SET),
    "paths": replace(
        SECURE,
        paths=(
            PathRoute("shop.example.com", "/api", 13),
            PathRoute("shop.apps.example.com", "/docs/v1.2", 14, strip=False),
        ),
    ),
    "by-path": replace(ONE, by_path=True, statics=(Static("/static", (SLUG,), "no-cache"),)),
    "static": replace(ONE, statics=(Static("/static", (SLUG,), "no-cache"),)),
    "closed": replace(ONE, closed=True),
    "errors": replace(ONE, error_pages={502: Path("/var/lib/paas/slugs/12-1/502.html")}),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_site_is_this_text(name: str) -> None:
    """Its backend, and the names that the tables are made of."""
    files = files_of(VARIANTS[name], SETTINGS)
    expected = (GOLDEN / f"haproxy-{name}.cfg").read_text()
    assert f"{files.backend}# names\n{files.names}" == expected


@pytest.mark.parametrize(("name", "public"), [("public", True), ("standing-by", False)])
def test_the_shared_file_is_this_text(name: str, public: bool) -> None:
    """On the public ports, or on none."""
    files = render_shared(SETTINGS, gid=33, ipv6=True, public=public, curves=CURVES)
    expected = (GOLDEN / f"haproxy-{name}.cfg").read_text()
    assert files[Path("/var/lib/paas/haproxy/haproxy.cfg")] == expected


def test_the_longest_wildcard_comes_first() -> None:
    """HAProxy takes the first suffix that fits."""
    sites = [Site(n, (f"*.{host}",), ()) for n, host in enumerate(("b.c", "a.b.c", "c"), 1)]
    tables = render_tables(SETTINGS, [files_of(site, SETTINGS).names for site in sites])
    text = tables[Path("/var/lib/paas/haproxy/http-wildcards.map")]
    assert text == ".a.b.c 2 app\n.b.c 1 app\n.c 3 app\n"


def test_nginx_behind_is_told_of_files_and_pages_alone() -> None:
    """Not of a running app; and it guards nothing, since HAProxy has."""
    assert nginx_part(ONE) is None
    for name in ("static", "closed"):
        part = nginx_part(VARIANTS[name])
        assert part is not None
        assert not part.certificates
    part = nginx_part(replace(VARIANTS["settings"], endpoints=()))
    assert part is not None
    assert not part.settings.users
    assert not part.settings.deny
    assert part.settings.rate is None


@pytest.mark.parametrize(
    "site",
    [
        replace(ONE, hosts=("a b",)),
        replace(ONE, hosts=("a\n",)),
        replace(ONE, app_id=0),
        replace(ONE, redirects=(Redirect("a.b", "c.d", 200),)),
        replace(ONE, settings=RouterSettings(headers={"X": "a\nb"})),
        replace(ONE, settings=RouterSettings(headers={"X": "$HOME"})),
        replace(ONE, settings=RouterSettings(users={"a": "b c"})),
        replace(SECURE, certificates=(Certificate(Path("/a b"), Path("/k"), ("x.y",)),)),
    ],
)
def test_what_is_not_plain_is_refused(site: Site) -> None:
    """No word of it could mean anything else to HAProxy."""
    with pytest.raises(PaasError):
        files_of(site, SETTINGS)


LINE = b"12 1700000000123 2 15 127.0.0.1 20001 GET a.localhost 200 99 ::1 abc /a?b=#22c#5C#1B\n"


def test_a_request_becomes_the_line_that_nginx_writes() -> None:
    """Times in seconds; what could break a line is escaped as JSON."""
    assert router_line(LINE) == (
        b"12",
        b'1700000000.123 router: method=GET path="/a?b=\\"c\\\\\\u001B" host=a.localhost '
        b'status=200 bytes=99 upstream="127.0.0.1:20001" client=::1 connect="0.002" service=0.015 '
        b"request_id=abc\n",
    )


def test_an_answer_that_haproxy_blocked_is_told_of_as_with_nginx() -> None:
    """In the words of nginx's line, where the instance had answered."""
    words = REFUSED.decode().strip()
    assert f'" {words}"' in (TEMPLATES / "http.conf.j2").read_text()
    for status, end in ((b"502/PH", REFUSED), (b"502/SC", b""), (b"200/PH", b""), (b"502", b"")):
        fields = LINE.rstrip(b"\n").split(b" ")
        fields[8] = status
        assert router_line(b" ".join(fields))[1].endswith(b"request_id=abc" + end + b"\n")


def test_a_request_without_an_answer_is_499() -> None:
    """The client went away before an instance was chosen."""
    fields = LINE.split(b" ")
    fields[2], fields[4], fields[5], fields[8] = b"-1", b"-", b"-", b"-1"
    assert (
        b'status=499 bytes=99 upstream="" client=::1 connect=""'
        in router_line(b" ".join(fields))[1]
    )


@pytest.mark.parametrize(
    "data", [b"", b"x", b"- 1 2 3 4 5 6 7 8 9 10 11 /", b"../1 1 2 3 4 5 6 7 8 9 10 11 /"]
)
def test_what_is_no_request_of_an_app_is_no_line(data: bytes) -> None:
    """The first field becomes a directory's name."""
    assert router_line(data) == (b"", b"")


def test_ocsp_answers_of_former_versions_are_removed(tmp_path: Path) -> None:
    """They were beside the certificates, for which HAProxy would send them until they expire."""
    files = HaproxyFiles(Settings(state=tmp_path))
    files.path(12, "names").parent.mkdir(parents=True)
    files.path(12, "cfg").touch()
    certificates = tmp_path / "haproxy/certs"
    certificates.mkdir()
    pem = certificates / "12-0123456789abcdef.pem"
    files.path(12, "names").write_text(f"crt {pem} shop.example.com\n")
    for path in (pem, pem.with_name(pem.name + ".ocsp")):
        path.touch()
    files.prune()
    assert list(certificates.iterdir()) == [pem]
