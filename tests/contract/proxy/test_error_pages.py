"""What a proxy says itself, in place of an app."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.proxy.error_pages import PAGES
from paas.domain.builds.buildpacks import StaticFiles
from paas.domain.routing.router_settings import router_settings
from paas.domain.routing.sites import Folder, Site
from tests.contract.proxy.haproxy_server import SERVERS
from tests.contract.proxy.nginx_server import Nginx, application, body_of, read_all, status_of
from tests.endpoints import at
from tests.ports import free_port
from tests.waiting import wait_for

HOST = "a.localhost"
JSON = "Accept: application/json"
BROWSER = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture(scope="module", params=list(SERVERS))
def nginx(request: pytest.FixtureRequest) -> Iterator[Nginx]:
    with SERVERS[request.param]() as server:
        yield server


def chunks(body: bytes) -> bytes:
    """A body without the framing of its chunks."""
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        whole, body = whole + body[: int(size, 16)], body[int(size, 16) + 2 :]
    return whole


def said(answer: bytes) -> str:
    """The text of an answer that may be chunked."""
    body = body_of(answer)
    return (chunks(body) if b"\r\nTransfer-Encoding: chunked\r\n" in answer else body).decode()


def request_id(answer: bytes) -> str:
    """The answer's X-Request-Id; there is one."""
    (found,) = re.findall(rb"(?i)\r\nX-Request-Id: ([0-9a-f]{32})\r\n", answer)
    return str(found.decode())


def failing(status: int, **more: object) -> Site:
    """A site whose requests end with that status."""
    settings = router_settings({"proxy-read-timeout": "1s"}, {})
    ports = {502: (free_port(),), 503: ()}.get(status, ())
    return Site(1, (HOST,), at(*ports), settings=settings, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [502, 503])
def test_a_page_says_what_is_wrong_and_the_id_of_the_request(nginx: Nginx, status: int) -> None:
    """The id is that of the log, too; nothing is loaded from elsewhere, nobody keeps the page."""
    nginx.proxy.apply(failing(status))
    answer = nginx.get(HOST, f"/of-{status}", BROWSER)
    assert status_of(answer) == status
    assert answer.startswith(
        {502: b"HTTP/1.1 502 Bad Gateway\r\n", 503: b"HTTP/1.1 503 Service "}[status]
    )
    assert b"\r\nCache-Control: no-store\r\n" in answer
    assert b"\r\nContent-Type: text/html; charset=utf-8\r\n" in answer
    text = said(answer)
    assert f"<code>{request_id(answer)}</code>" in text
    assert not re.search(r"https?:|src=|href=|@import|url\(", text)
    log = nginx.settings.state / "logs/1/router.log"
    wait_for(lambda: f"request_id={request_id(answer)}" in log.read_text())


def test_an_app_that_was_never_deployed_says_so(nginx: Nginx) -> None:
    """Config alone is no app yet: 404, and what its owner types."""
    nginx.proxy.apply(Site(1, (HOST,), (), deployed=False))
    answer = nginx.get(HOST, "/any", BROWSER)
    assert status_of(answer) == 404
    assert "<h1>Nothing is deployed here yet</h1>" in said(answer)
    assert "git push deploy main" in said(answer)
    assert b"Retry-After" not in answer
    programs = json.loads(said(nginx.get(HOST, "/", JSON)))
    assert (programs["status"], programs["error"]) == (404, "Nothing is deployed here yet")
    nginx.proxy.apply(Site(1, (HOST,), ()))
    assert status_of(nginx.get(HOST)) == 503


REFUSED: dict[int, tuple[dict[str, str], str]] = {
    400: ({}, "GET /%00"),
    401: ({}, "GET /"),
    403: ({"deny": "127.0.0.1"}, "GET /"),
    405: ({}, "TRACE /"),
    413: ({"client-max-body-size": "1"}, "POST /"),
    429: ({"rate-limit": "2r/m", "rate-limit-burst": "0"}, "GET /"),
}


@pytest.mark.parametrize("status", sorted(REFUSED))
def test_a_refusal_has_a_page_as_well(nginx: Nginx, status: int) -> None:
    """In the two forms, without a body for HEAD, with the id that its line in the log has."""
    values, line = REFUSED[status]
    users = {"alice": "$2b$05$x"} if status == 401 else {}
    with application() as app:
        site = Site(1, (HOST,), at(app.server_port), settings=router_settings(values, users))
        nginx.proxy.apply(site)
        if status == 429:
            nginx.get(HOST)

        def refused(line: str, accept: str = BROWSER) -> bytes:
            more = f"Host: {HOST}\r\nConnection: close\r\nContent-Length: 2\r\n{accept}\r\n\r\n{{}}"
            answer = nginx.raw(f"{line} HTTP/1.1\r\n{more}".encode())
            assert status_of(answer) == status
            assert b"\r\nCache-Control: no-store\r\n" in answer
            assert not re.search(rb"(?i)\r\nserver: \S*[0-9/]", answer)
            assert (b"\r\nRetry-After: 30\r\n" in answer) == (status == 429)
            assert (b"\r\nWWW-Authenticate: Basic" in answer) == (status == 401)
            return answer

        answer = refused(line)
        assert f"<h1>{PAGES[str(status)].title}</h1>" in said(answer)
        assert f"<code>{request_id(answer)}</code>" in said(answer)
        if status in {401, 403, 429}:
            assert body_of(refused("HEAD /")) == b""
        if line.endswith("/"):
            programs = json.loads(said(refused(line, JSON)))
            assert (programs["status"], programs["error"]) == (status, PAGES[str(status)].title)
        log = nginx.settings.state / "logs/1/router.log"
        if line.endswith("/"):  # where nginx cannot read the path it knows no app
            wait_for(lambda: f"request_id={request_id(answer)}" in log.read_text())
            (logged,) = [li for li in log.read_text().splitlines() if request_id(answer) in li]
            assert f"method={line.split()[0]} " in logged


def test_headers_that_are_too_large_are_told_from_a_bad_request(nginx: Nginx) -> None:
    """HAProxy cannot where they fit no buffer: it does not know then that it is a request."""
    with application() as app:
        nginx.proxy.apply(Site(1, (HOST,), at(app.server_port)))
        answer = nginx.get(HOST, "/", *(f"Cookie: {n}={'x' * 7000}" for n in range(20)))
        if nginx.has_pages_for_people_alone:
            assert status_of(answer) == 431
            assert "delete those of this site" in said(answer)
        else:
            assert status_of(answer) == 400


def test_below_a_wildcard_a_refusal_has_a_page_as_well(nginx: Nginx) -> None:
    """Also where the host is what is refused; the page's own address opens no way to the app."""
    with application() as app:
        nginx.proxy.apply(Site(1, (HOST, "*.w.localhost"), at(app.server_port)))
        for path in ("/", "/.paas-error/400.html"):
            answer = nginx.get("a<b.w.localhost", path)
            assert status_of(answer) in {400, 404}
            assert "<h1>" in said(answer)
            assert not app.count


def test_a_folder_of_files_has_a_page_for_what_is_not_there(nginx: Nginx) -> None:
    """A refused visitor gets a page that says so, not one that says there is nothing."""
    slug = nginx.settings.state / "slugs" / "folder"
    slug.mkdir(parents=True)
    (slug / "index.html").write_text("home")
    folder = Folder(slug, StaticFiles("."))
    nginx.proxy.apply(Site(1, (HOST,), (), folder))
    for path in ("/missing", "/.env"):
        answer = nginx.get(HOST, path)
        assert status_of(answer) == 404
        assert "Page not found" in said(answer)
        assert request_id(answer) in said(answer)
    denied = router_settings({"deny": "127.0.0.1"}, {})
    nginx.proxy.apply(Site(1, (HOST,), (), folder, settings=denied))
    answer = nginx.get(HOST)
    assert status_of(answer) == 403
    assert "Access denied" in said(answer)


def test_an_app_that_takes_too_long(nginx: Nginx) -> None:
    """504, for a POST as for a GET."""
    with application() as app:
        settings = router_settings({"proxy-read-timeout": "1s"}, {})
        nginx.proxy.apply(Site(1, (HOST,), at(app.server_port), settings=settings))
        close = f"HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        answer = nginx.raw(f"POST /slow {close}".encode())
        assert status_of(answer) == 504
        assert "The app took too long" in said(answer)


@pytest.mark.parametrize("status", [502, 503])
def test_programs_get_json(nginx: Nginx, status: int) -> None:
    """Where they ask for it, and not for HTML."""
    nginx.proxy.apply(failing(status))
    answer = nginx.get(HOST, "/", JSON)
    assert status_of(answer) == status
    assert b"\r\nContent-Type: application/json" in answer
    assert json.loads(said(answer)) == {
        "status": status,
        "error": PAGES[str(status)].title,
        "request_id": request_id(answer),
    }
    for accept in (BROWSER, "Accept: */*", "Accept: text/html, application/json"):
        assert "<h1>" in said(nginx.get(HOST, "/", accept))
    assert json.loads(said(nginx.get(HOST, "/", "Accept: application/problem+json")))


@pytest.mark.differs(
    "an app's own page for 502 and 504",
    nginx="for people; programs get JSON",
    haproxy="for programs too, and up to 12 KiB",
)
def test_an_app_has_pages_of_its_own(nginx: Nginx) -> None:
    """For people; as they are, without our markers being read in them; never through a link."""
    folder = nginx.settings.state / "slug"
    folder.mkdir()
    own = '<p>mine <!--# echo var="request_id" --></p>'
    (folder / "502.html").write_text(own)
    (folder / "504.html").symlink_to("/etc/passwd")
    pages: dict[int, Path] = {502: folder / "502.html"}
    nginx.proxy.apply(failing(502, error_pages=pages))
    answer = nginx.get(HOST)
    assert (status_of(answer), said(answer)) == (502, own)
    for_programs = nginx.get(HOST, "/", JSON)
    if nginx.has_pages_for_people_alone:
        assert json.loads(said(for_programs))["status"] == 502
    else:
        assert said(for_programs) == own
        assert b"\r\nContent-Type: text/html" in for_programs
    nginx.proxy.apply(failing(502, error_pages={502: folder / "504.html"}))
    assert "root:" not in said(nginx.get(HOST))


def test_an_app_s_own_answers_are_passed_on(nginx: Nginx) -> None:
    """Whatever their status, and with our id of the request in place of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nginx.proxy.apply(Site(1, (HOST,), at(listener.getsockname()[1])))
        for status in (500, 502, 503, 504):
            with nginx.connect() as client:
                client.sendall(f"GET / HTTP/1.0\r\nHost: {HOST}\r\n\r\n".encode())
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    head = f"HTTP/1.1 {status} Own\r\nX-Request-Id: mine\r\n"
                    connection.sendall(f"{head}Content-Length: 3\r\n\r\nown".encode())
                    answer = read_all(client)
            assert (status_of(answer), said(answer)) == (status, "own")
            assert request_id(answer)


def test_maintenance_is_shown_to_everybody(nginx: Nginx) -> None:
    """Before a login, and to addresses that may not come."""
    settings = router_settings({"deny": "127.0.0.1"}, {"alice": "$2b$05$x"})
    nginx.proxy.apply(Site(1, (HOST,), (), closed=True, settings=settings))
    answer = nginx.get(HOST)
    assert status_of(answer) == 503
    assert "being worked on" in said(answer)
    assert b"\r\nRetry-After: 60\r\n" in answer
    assert json.loads(said(nginx.get(HOST, "/", JSON)))["error"] == "Maintenance"


def test_nobody_sees_the_pages_themselves(nginx: Nginx) -> None:
    """Their address is the proxy's own."""
    nginx.proxy.apply(failing(503))
    assert status_of(nginx.get(HOST, "/.paas-error/maintenance.html")) == 404


def test_a_mistyped_name_is_told(nginx: Nginx) -> None:
    """With 404; and the name that was asked for stands nowhere in the page."""
    answer = nginx.get("shpo.localhost", "/<script>", BROWSER)
    assert status_of(answer) == 404
    assert "There is no app here" in said(answer)
    assert "script" not in said(answer)
    assert b"\r\nConnection: close\r\n" in answer
    assert request_id(answer)
    assert json.loads(said(nginx.get("shpo.localhost", "/", JSON)))["status"] == 404


@pytest.mark.parametrize("host", ["127.0.0.1", "203.0.113.7:8080", "[::1]", "[::1]:80", "_", "1"])
def test_an_address_gets_no_answer(nginx: Nginx, host: str) -> None:
    """Scanners learn nothing."""
    assert nginx.get(host) == b""
    assert nginx.raw(b"GET / HTTP/1.0\r\n\r\n") == b""
