"""Files that nginx serves from an app's slugs, and every way out of them that is closed."""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from paas.domain.builds.buildpacks import StaticFiles
from paas.domain.routing.router_settings import router_settings
from paas.domain.routing.sites import Folder, Site, SlugFolder, Static
from tests.contract.proxy.haproxy_server import SERVERS
from tests.contract.proxy.nginx_server import Nginx, application, body_of, status_of
from tests.endpoints import at

HOST = "a.localhost"
SCRIPT = b"let x = 1;\n" * 200


@dataclass(frozen=True)
class Served:
    """A site with static files: those of a release, and of the one before."""

    nginx: Nginx
    slugs: Path
    port: int

    def get(self, path: str, *headers: str) -> bytes:
        return self.nginx.get(HOST, path, *headers)

    def site(self, *statics: Static, **values: str) -> Site:
        settings = router_settings({k.replace("_", "-"): v for k, v in values.items()}, {})
        return Site(1, (HOST,), at(self.port), statics=statics, settings=settings)

    def folders(self, name: str) -> tuple[SlugFolder, ...]:
        return tuple(SlugFolder(self.slugs / slug, name) for slug in ("1-new", "1-old"))

    def by_app(self, path: str) -> bool:
        """Whether the application answered, and not a file."""
        answer = self.get(path)
        return status_of(answer) == 200 and b'"port"' in body_of(answer)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture(scope="module", params=list(SERVERS))
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    """/static, kept for 30 days with fingerprints, and /docs; two slugs and somebody else's."""
    with SERVERS[request.param]() as nginx, application() as app:
        slugs = nginx.settings.state / "slugs"
        new, old = slugs / "1-new", slugs / "1-old"
        _write(slugs / "2-other" / "secret", b"other's")
        _write(new / "secret", b"the app's code")
        _write(new / "app/static/app.js", SCRIPT)
        _write(new / "app/static/packed.css", SCRIPT)
        _write(new / "app/static/packed.css.gz", gzip.compress(b"packed"))
        _write(new / "app/static/app.3f2a9c1b.js", b"new")
        _write(new / "app/static/report.20240101.txt", b"a date")
        _write(new / "app/static/.env", b"secret")
        _write(new / "app/static/.git/config", b"secret")
        _write(new / "app/static/a b/\u00fc.txt", b"umlaut")
        _write(new / "docs/index.html", b"<h1>Docs</h1>")
        _write(new / "docs/guide/index.html", b"<h1>Guide</h1>")
        _write(old / "app/static/app.0a1b2c3d.js", b"old")
        _write(old / "app/static/app.js", b"old")
        links = {"absolute": "/etc/passwd", "relative": "../../secret", "other": "../../../2-other"}
        for name, target in links.items():
            (new / "app/static" / name).symlink_to(target)
        (new / "app/static/inside.js").symlink_to("app.js")
        (old / "app/static/was").symlink_to("../../../1-new/secret")
        one = Served(nginx, slugs, app.server_port)
        statics = (
            Static("/docs", one.folders("docs")[:1], "no-cache"),
            Static("/static", one.folders("app/static"), "max-age=2592000", hashed=True),
        )
        nginx.proxy.apply(one.site(*statics, gzip="on"))
        yield one


def test_a_file_is_served_without_the_app(served: Served) -> None:
    """With its type, its age, and the headers of every answer."""
    answer = served.get("/static/app.js")
    assert status_of(answer) == 200
    assert body_of(answer) == SCRIPT
    assert re.search(rb"\r\nContent-Type: (application|text)/javascript; charset=utf-8\r\n", answer)
    assert b"\r\nCache-Control: max-age=2592000\r\n" in answer
    assert re.search(rb"\r\nX-Request-Id: [0-9a-f]{32}\r\n", answer)


def test_files_are_served_on_when_instances_were_drained(served: Served) -> None:
    """As after each deploy: what serves the files is no instance that has to go."""
    assert served.nginx.proxy.drain(60)
    assert body_of(served.get("/static/app.js")) == SCRIPT


def test_names_may_have_spaces_and_umlauts(served: Served) -> None:
    """As browsers write them."""
    assert body_of(served.get("/static/a%20b/%C3%BC.txt")) == b"umlaut"


@pytest.mark.parametrize(
    "path", ["//static/app.js", "/static%2Fapp.js", "/%73tatic//app.js", "/static/./app.js"]
)
def test_a_path_may_be_written_in_other_ways(served: Served, path: str) -> None:
    """What they come to is one file."""
    assert body_of(served.get(path)) == SCRIPT


def test_a_file_of_the_release_before_is_still_there(served: Served) -> None:
    """For pages that were loaded then; the present release goes first."""
    assert body_of(served.get("/static/app.0a1b2c3d.js")) == b"old"
    assert body_of(served.get("/static/app.js")) == SCRIPT


@pytest.mark.parametrize(
    ("name", "cached"),
    [
        ("app.3f2a9c1b.js", "max-age=31536000, immutable"),
        ("app.0a1b2c3d.js", "max-age=31536000, immutable"),
        ("report.20240101.txt", "max-age=2592000"),
        ("app.js", "max-age=2592000"),
    ],
)
def test_names_with_a_fingerprint_are_kept_for_a_year(
    served: Served, name: str, cached: str
) -> None:
    """A date is none."""
    assert f"\r\nCache-Control: {cached}\r\n".encode() in served.get(f"/static/{name}")


def test_a_folder_is_its_index_or_the_app(served: Served) -> None:
    """Never a listing."""
    assert body_of(served.get("/docs/")) == b"<h1>Docs</h1>"
    assert body_of(served.get("/docs/guide/")) == b"<h1>Guide</h1>"
    for path in ("/docs", "/docs/guide", "/static/", "/static/a%20b/", "/static/a%20b"):
        assert served.by_app(path), path


def test_what_is_no_file_is_the_app_s(served: Served) -> None:
    """Its own page tells visitors that there is nothing; and names that only begin alike."""
    for path in ("/static/missing.js", "/staticx/app.js", "/", "/static/app.js/more"):
        assert served.by_app(path), path


@pytest.mark.parametrize(
    "path",
    [
        "/static/../secret",
        "/static/../../secret",
        "/static/%2e%2e/secret",
        "/static/%2e%2e/%2e%2e/secret",
        "/static/..%2f..%2fsecret",
        "/static/%2e%2e%2f%2e%2e%2fsecret",
        "/static..%2f..%2fsecret",
        "/static../secret",
        "/static/..%5c..%5csecret",
        "/static/..\\..\\secret",
        "/static/..;/..;/secret",
        "/static/%252e%252e/%252e%252e/secret",
        "/static//../../secret",
        "//static/..//../secret",
        "/static/./../../secret",
        "/static/a%20b/../../../secret",
        "/static/..%c0%af..%c0%afsecret",
        "/static/app.js%00.html",
        "/static/%00/../../secret",
        "/static/x%0a/../../../secret",
        "/static/absolute",
        "/static/relative",
        "/static/other/secret",
        "/static/inside.js",
        "/static/was",
        "/static/.env",
        "/static/.git/config",
        "/static/%2eenv",
        "/static/a%20b/../.env",
        "/static/.env%0a",
        "/static//.env",
    ],
)
def test_no_path_leads_out(served: Served, path: str) -> None:
    """By dots, encoded or not, NULs, backslashes, links to anywhere, or to names with a dot."""
    answer = served.get(path)
    body = body_of(answer)
    assert status_of(answer) in {400, 404} or b'"port"' in body
    hidden = (b"secret\n", b"root:", b"the app's code", b"other's", SCRIPT)
    assert not any(word in body for word in hidden)
    assert body != b"secret"


def test_a_part_of_a_file_can_be_asked_for(served: Served) -> None:
    """RFC 9110, 14."""
    answer = served.get("/static/app.js", "Range: bytes=4-6")
    assert status_of(answer) == 206
    assert body_of(answer) == SCRIPT[4:7]
    assert status_of(served.get("/static/app.js", "Range: bytes=99999-")) == 416


def test_an_unchanged_file_is_not_sent_again(served: Served) -> None:
    """By its ETag."""
    tag = re.search(rb'\r\nETag: ("[^"]+")\r\n', served.get("/static/app.js"))
    assert tag is not None
    again = served.get("/static/app.js", f"If-None-Match: {tag[1].decode()}")
    assert status_of(again) == 304
    assert body_of(again) == b""
    assert status_of(served.get("/static/app.js", 'If-None-Match: "other"')) == 200


def test_a_precompressed_file_goes_to_those_who_take_it(served: Served) -> None:
    """And caches learn that it depends."""
    packed = served.get("/static/packed.css", "Accept-Encoding: gzip, br")
    assert gzip.decompress(body_of(packed)) == b"packed"
    assert b"\r\nContent-Encoding: gzip\r\n" in packed
    assert b"\r\nVary: Accept-Encoding\r\n" in packed
    assert body_of(served.get("/static/packed.css")) == SCRIPT


def test_other_methods_change_nothing(served: Served) -> None:
    """HEAD has no body, POST to a file is refused, to another path it is the app's."""
    close = f"HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    head = served.nginx.raw(f"HEAD /static/app.js {close}".encode())
    assert (status_of(head), body_of(head)) == (200, b"")
    assert f"\r\nContent-Length: {len(SCRIPT)}\r\n".encode() in head
    assert status_of(served.nginx.raw(f"POST /static/app.js {close}".encode())) == 405
    assert status_of(served.nginx.raw(f"POST /static/missing {close}".encode())) == 200


@pytest.fixture
def other(served: Served) -> Iterator[Served]:
    """The same server, whose site a test changes."""
    former = (served.nginx.settings.state / "nginx/sites/1.conf").read_text()
    yield served
    path = served.nginx.settings.state / "nginx/sites/1.conf"
    assert former != path.read_text()
    statics = (
        Static("/docs", served.folders("docs")[:1], "no-cache"),
        Static("/static", served.folders("app/static"), "max-age=2592000", hashed=True),
    )
    served.nginx.proxy.apply(served.site(*statics, gzip="on"))


def test_files_at_the_top_go_before_the_app(other: Served) -> None:
    """What is none is the app's, names with a dot too."""
    static = Static("/", other.folders("app/static"), "no-cache")
    other.nginx.proxy.apply(other.site(static))
    assert body_of(other.get("/app.js")) == SCRIPT
    assert b"\r\nCache-Control: no-cache\r\n" in other.get("/app.js")
    assert other.by_app("/")
    assert other.by_app("/.env")
    assert other.by_app("/.well-known/other")


def test_guards_hold_for_files(other: Served) -> None:
    """Nobody who may not see the app sees its files."""
    static = Static("/static", other.folders("app/static"), "no-cache")
    other.nginx.proxy.apply(other.site(static, deny="127.0.0.1"))
    assert status_of(other.get("/static/app.js")) == 403


def test_a_closed_site_shows_no_file(other: Served) -> None:
    """Nor does one that is stopped."""
    static = Static("/static", other.folders("app/static"), "no-cache")
    for site in (
        Site(1, (HOST,), at(other.port), closed=True, statics=(static,)),
        Site(1, (HOST,), (), statics=(static,)),
    ):
        other.nginx.proxy.apply(site)
        assert status_of(other.get("/static/app.js")) == 503
        assert other.nginx.proxy.drain(60)
        assert status_of(other.get("/")) == 503


def test_caches_are_told_that_a_folder_s_text_comes_in_two_forms(other: Served) -> None:
    """One that keeps the compressed form must not give it to who takes none."""
    slug = other.slugs / "1-folder"
    _write(slug / "page.html", b"<p>page</p>" * 500)
    other.nginx.proxy.apply(Site(1, (HOST,), (), Folder(slug, StaticFiles("."))))
    for headers, is_packed in ((("Accept-Encoding: gzip",), True), ((), False)):
        answer = other.get("/page.html", *headers)
        assert (b"\r\nContent-Encoding: gzip\r\n" in answer) == is_packed
        assert b"\r\nVary: Accept-Encoding\r\n" in answer
