"""What a proxy says itself, in place of an app."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.error_pages import PAGES
from paas.domain.router_settings import router_settings
from paas.domain.sites import Site
from tests.contract.haproxy_server import SERVERS
from tests.contract.nginx_server import (
    Nginx,
    application,
    body_of,
    free_port,
    read_all,
    status_of,
    wait_until,
)

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
    return Site(1, (HOST,), ports, settings=settings, **more)  # type: ignore[arg-type]


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
    wait_until(lambda: f"request_id={request_id(answer)}" in log.read_text())


def test_an_app_that_takes_too_long(nginx: Nginx) -> None:
    """504, for a POST as for a GET."""
    with application() as app:
        settings = router_settings({"proxy-read-timeout": "1s"}, {})
        nginx.proxy.apply(Site(1, (HOST,), (app.server_port,), settings=settings))
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
        nginx.proxy.apply(Site(1, (HOST,), (listener.getsockname()[1],)))
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
