"""Paths of one host that other apps answer: which app gets a request, and whose rules apply."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from paas.adapters.proxy.access_log_file import router_log
from paas.domain.builds.buildpacks import StaticFiles
from paas.domain.routing.paths import PathRoute
from paas.domain.routing.router_settings import router_settings
from paas.domain.routing.sites import Folder, Site, SlugFolder, Static
from tests.contract.proxy.haproxy_server import SERVERS, Haproxy
from tests.contract.proxy.nginx_server import (
    WEBSOCKET,
    AppServer,
    Nginx,
    application,
    body_of,
    read_answer,
    status_of,
)
from tests.endpoints import at
from tests.waiting import wait_for

HOST = "a.localhost"
PATHS = (
    PathRoute(HOST, "/api", 2),
    PathRoute(HOST, "/api/v2", 3, strip=False),
    PathRoute(HOST, "/shop/old.1", 3),
    PathRoute(HOST, "/files", 4),
    PathRoute(HOST, "/nobody", 9),
)
BODY = b"x" * 100_000


@dataclass(frozen=True)
class Paths:
    """App 1 has the host, 2 and 3 have paths of it, 4 is a folder of files, 9 is not deployed."""

    server: Nginx
    slugs: Path
    apps: dict[str, AppServer]

    def get(self, path: str, *headers: str) -> bytes:
        return self.server.get(HOST, path, *headers)

    def asked(self, path: str, *headers: str) -> str:
        """Which app answers, and the path that it is asked for; or the status."""
        before = {name: len(app.paths) for name, app in self.apps.items()}
        status = status_of(self.get(path, *headers))
        found = [(n, app.paths[before[n] :]) for n, app in self.apps.items()]
        return next((f"{name} {paths[0]}" for name, paths in found if paths), str(status))

    def site(self, number: int, **values: str) -> Site:
        """The site of app 2 or 3."""
        settings = router_settings({k.replace("_", "-"): v for k, v in values.items()}, {})
        name = {2: "api", 3: "other"}[number]
        port = at(self.apps[name].server_port)
        statics = (Static("/static", (SlugFolder(self.slugs / "2-1", "static"),), "no-cache"),)
        return Site(
            number, (f"{name}.localhost",), port, settings=settings, statics=statics, by_path=True
        )


@pytest.fixture(scope="module", params=list(SERVERS))
def paths(request: pytest.FixtureRequest) -> Iterator[Paths]:
    with (
        SERVERS[request.param]() as server,
        application() as root,
        application() as api,
        application() as other,
    ):
        slugs = server.settings.state / "slugs"
        for name in ("2-1/static/app.js", "4-1/index.html", "4-1/200.html", "4-1/dir/app.js"):
            (slugs / name).parent.mkdir(parents=True, exist_ok=True)
            (slugs / name).write_text(name)
        one = Paths(server, slugs, {"root": root, "api": api, "other": other})
        server.proxy.apply(one.site(2))
        server.proxy.apply(one.site(3))
        folder = Folder(slugs / "4-1", StaticFiles(".", "200.html"))
        server.proxy.apply(Site(4, ("files.localhost",), (), folder, by_path=True))
        # What app 1 has of settings and files is not for the paths.
        settings = router_settings({"rate-limit": "100/s", "header.X-Root": "1"}, {})
        statics = (Static("/api/static", (SlugFolder(slugs / "4-1", "dir"),), "no-cache"),)
        hosts = (HOST, "b.localhost")
        server.proxy.apply(
            Site(1, hosts, at(root.server_port), paths=PATHS, settings=settings, statics=statics)
        )
        yield one


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/", "root /"),
        ("/apix", "root /apix"),
        ("/API/x", "root /API/x"),
        ("/x/api/y", "root /x/api/y"),
        ("/api;x/y", "root /api;x/y"),
        ("/shop", "root /shop"),
        ("/shop/old/x", "root /shop/old/x"),
        ("/shop/oldx1/x", "root /shop/oldx1/x"),
        ("/api", "api /"),
        ("/api?q=/x/", "api /?q=/x/"),
        ("/api/", "api /"),
        ("/api/x/y?q=1&q=%2F", "api /x/y?q=1&q=%2F"),
        ("/api/a%2Fb%20c//d/", "api /a%2Fb%20c//d/"),
        ("/api/a//x", "api /a//x"),
        ("/api/v2x", "api /v2x"),
        ("/api/v2", "other /api/v2"),
        ("/api/v2?q", "other /api/v2?q"),
        ("/api/v2/x%2Fy", "other /api/v2/x%2Fy"),
        ("/shop/old.1", "other /"),
        ("/shop/old.1/x", "other /x"),
        ("/nobody/x", "404"),
    ],
)
def test_the_longest_path_decides(paths: Paths, path: str, asked: str) -> None:
    """By whole segments; what follows reaches the app as it was sent."""
    assert paths.asked(path) == asked


@pytest.mark.parametrize(
    "path",
    [
        "//api/x",
        "/%61pi/x",
        "/api%2Fx",
        "/%2Fapi/x",
        "/./api/x",
        "/%2e/api/x",
        "/api/%762/x",
        "/api//v2/x",
        "/api/./v2",
        "/api%2Fv2",
        "/x/../api/x",
        "/x/%2e%2e/api/x",
        "/x/..%2Fapi/x",
        "/api/v2/../x",
        "/api/../api/x",
        "/api/x/%2e%2e/y",
        "/api/x/..%2f..%2f..%2fv2",
        "/shop//old.1/x",
        "/shop/old%2E1/x",
        "/api/%zz",
        "/api/%00",
    ],
)
def test_a_path_in_another_form_is_refused(paths: Paths, path: str) -> None:
    """An app that decodes it, or the proxy before it, must not find another app's path in it."""
    assert paths.asked(path) == "400"


@pytest.mark.parametrize("path", ["/api/../x", "/api/%2e%2e/x", "/api/..%2fx"])
def test_no_path_leads_out_of_an_app(paths: Paths, path: str) -> None:
    """It is the host's, or refused."""
    assert paths.asked(path) in {"400", f"root {path}"}


def test_paths_are_those_of_one_host(paths: Paths) -> None:
    """The app's other hosts have none, and the apps keep their own hosts."""
    assert b"root" not in paths.server.get("b.localhost", "/api/x")
    assert json.loads(body_of(paths.server.get("b.localhost", "/api/x")))["port"] == (
        paths.apps["root"].server_port
    )
    seen = paths.server.seen("api.localhost", "X-Forwarded-Prefix: /evil")
    assert "x-forwarded-prefix" not in seen


@pytest.mark.parametrize(("path", "prefix"), [("/api/x", "/api"), ("/api/v2/x", None)])
def test_the_app_is_told_what_it_does_not_see(paths: Paths, path: str, prefix: str | None) -> None:
    """And of its client as at its own host; nothing of that comes from outside."""
    spoofed = [
        f"{name}: 6.6.6.6"
        for name in ("X-Forwarded-Prefix", "X-Forwarded-For", "X-Real-IP", "X-Forwarded-Proto")
    ]
    spoofed += ["X-Paas-Host: evil", "X-Paas-Uri: /evil", "X-Paas-Upstream: paas_1"]
    answer = paths.server.get(f"{HOST}:8000", path, *spoofed)
    seen = json.loads(body_of(answer))["headers"]
    assert seen.get("x-forwarded-prefix") == prefix
    assert seen["host"] == f"{HOST}:8000"
    assert (seen["x-forwarded-for"], seen["x-real-ip"]) == ("127.0.0.1", "127.0.0.1")
    assert seen["x-forwarded-proto"] == "http"
    told = re.findall(rb"\r\nX-Request-Id: ([0-9a-f]{32})\r\n", answer)
    assert told == [seen["x-request-id"].encode()]
    assert b"X-Root" not in answer


def test_a_path_of_an_app_that_is_gone_is_no_way_to_another(paths: Paths) -> None:
    """The proxy's own headers from outside lead nowhere."""
    answer = paths.get("/nobody/x", "X-Paas-Upstream: paas_1", "X-Paas-Host: b.localhost")
    assert status_of(answer) == 404
    assert b'"port"' not in answer


def test_bodies_and_websockets_pass(paths: Paths) -> None:
    """As at the app's own host."""
    head = f"POST /api/up HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n"
    sized = f"{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY
    chunked = f"{head}Transfer-Encoding: chunked\r\n\r\n{len(BODY):x}\r\n".encode() + BODY
    for request in (sized, chunked + b"\r\n0\r\n\r\n"):
        assert json.loads(body_of(paths.server.raw(request)))["bytes"] == len(BODY)
    with paths.server.connect() as connection:
        connection.sendall(WEBSOCKET.replace(b"/ws", b"/api/ws"))
        assert status_of(read_answer(connection)) == 101
        connection.sendall(b"frame")
        assert connection.recv(100) == b"frame"


def test_files_are_found_by_the_path_that_the_app_sees(paths: Paths) -> None:
    """Those of an app with a process, and those of an app that is a folder."""
    assert body_of(paths.get("/api/static/app.js")) == b"2-1/static/app.js"
    assert paths.asked("/api/static/none") == "api /static/none"
    assert paths.get("/api/static/none", "X-Forwarded-Host: x").count(b'"/api"') == 1
    assert body_of(paths.get("/files")) == b"4-1/index.html"
    assert body_of(paths.get("/files/deep/link")) == b"4-1/200.html"


def test_what_is_logged_is_the_path_that_was_asked_for(paths: Paths) -> None:
    """In the log of the app that answers, with the client and the host."""
    answer = paths.get("/api/logged?q=1", "User-Agent: x")
    id = json.loads(body_of(answer))["headers"]["x-request-id"]
    log = router_log(paths.server.settings, 2)
    wait_for(lambda: id in log.read_text(), what="the line")
    (line,) = [line for line in log.read_text().splitlines() if id in line]
    assert 'path="/api/logged?q=1"' in line
    assert f"host={HOST} status=200" in line
    assert f'upstream="127.0.0.1:{paths.apps["api"].server_port}" client=127.0.0.1' in line
    assert id not in router_log(paths.server.settings, 1).read_text()


def test_rules_are_those_of_the_app_that_answers(paths: Paths) -> None:
    """Its limits, addresses and logins, its maintenance; not those of the host's app."""
    site = paths.site(2, deny="127.0.0.1")
    paths.server.proxy.apply(site)
    assert paths.asked("/api/x") == "403"
    assert paths.asked("/api/v2/x") == "other /api/v2/x"
    assert paths.asked("/x") == "root /x"

    logins = router_settings({}, {"alice": "$2b$05$abc"})
    paths.server.proxy.apply(replace(site, settings=logins))
    assert paths.asked("/api/x") == "401"
    assert paths.asked("/x") == "root /x"

    paths.server.proxy.apply(paths.site(2, rate_limit="1/m", rate_limit_burst="0"))
    assert [paths.asked("/api/x") for _ in range(2)] == ["api /x", "429"]

    paths.server.proxy.apply(Site(2, ("api.localhost",), (), closed=True, by_path=True))
    answer = paths.get("/api/x", "Accept: application/json")
    assert status_of(answer) == 503
    id = re.search(rb"\r\nX-Request-Id: ([0-9a-f]{32})\r\n", answer)
    assert id is not None
    assert id[1] in body_of(answer)

    paths.server.proxy.remove(2)
    assert paths.asked("/api/x") == "404"
    paths.server.proxy.apply(paths.site(2))
    assert paths.asked("/api/x") == "api /x"


@pytest.mark.differs(
    "a path of a domain that is routed to [another app](how-to/paths.md)",
    nginx="`underscores-in-headers` and `trusted-proxies` of the app that has the domain apply",
    haproxy="those of the app that the path is routed to apply",
)
def test_what_is_read_before_the_path_is_the_hosts_with_nginx(paths: Paths) -> None:
    """Headers with underscores, and the address from a balancer."""
    settings = {"underscores_in_headers": "on", "trusted_proxies": "127.0.0.1"}
    paths.server.proxy.apply(paths.site(2, **settings))
    answer = paths.get("/api/x", "X_Own: 1", "X-Forwarded-For: 192.0.2.7")
    seen = json.loads(body_of(answer))["headers"]
    client = "192.0.2.7" if isinstance(paths.server, Haproxy) else "127.0.0.1"
    assert seen["x-forwarded-for"] == client
    assert ("x_own" in seen) == isinstance(paths.server, Haproxy)
    paths.server.proxy.apply(paths.site(2))


def test_a_closed_host_keeps_its_paths(paths: Paths) -> None:
    """They are other apps', which run on; and without them the host's app has all again."""
    port = at(paths.apps["root"].server_port)
    paths.server.proxy.apply(Site(1, (HOST,), port, closed=True, paths=PATHS))
    assert paths.asked("/x") == "503"
    assert paths.asked("/api/x") == "api /x"
    paths.server.proxy.apply(Site(1, (HOST,), port))
    assert paths.asked("/api/x") == "root /api/x"
