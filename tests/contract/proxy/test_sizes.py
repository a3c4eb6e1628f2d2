"""Headers of many kilobytes, in requests and answers, and those with an underscore."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from paas.adapters.certificates.files import CertificateDirectory
from paas.adapters.certificates.reader import X509Reader
from paas.adapters.proxy.access_log_file import router_log
from paas.adapters.proxy.nginx.site_conf import CLEARED_HEADERS, SAID_HEADERS, look_alikes
from paas.domain.routing.router_settings import router_settings
from paas.domain.routing.sites import Certificate, Site
from tests.authority import Authority
from tests.contract.proxy.haproxy_server import SERVERS
from tests.contract.proxy.http2_client import Http2Client, asking, secure_connection
from tests.contract.proxy.nginx_server import Nginx, body_of, status_of
from tests.endpoints import at
from tests.waiting import wait_for

HOST, NAME = "plain.example.com", "a.example.com"
REFUSED = "refused: the app's answer is no HTTP, or its headers are larger than proxy-buffer-size"


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers with so many bytes of a header as the query says, and tells what came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/nonsense":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Nonsense\0: x\r\n\r\n")
            self.close_connection = True
            return
        count = int(self.path.partition("?")[2] or 0)
        told = {name.lower(): len(value) for name, value in self.headers.items()}
        values = {name.lower(): value for name, value in self.headers.items() if len(value) < 99}
        body = json.dumps({"sizes": told, "values": values}).encode()
        self.send_response(200)
        for number in range(400 if self.path == "/many" else 0):
            self.send_header(f"X-{number}", "1")
        for start in range(0, count, 8_000):
            self.send_header("X-Big", "x" * (min(8_000, count - start) - 9))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def big_application() -> Iterator[int]:
    """Its port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module", params=list(SERVERS))
def served(request: pytest.FixtureRequest) -> Iterator[tuple[Nginx, int]]:
    with SERVERS[request.param]() as proxy, big_application() as port:
        files = CertificateDirectory(proxy.settings.state / "certs")
        files.write("1-00000001", X509Reader().read(Authority().bundle(NAME), datetime.now(UTC)))
        paths = files.paths("1-00000001")
        assert paths
        shown = (Certificate(*paths, (NAME,)),)
        proxy.proxy.apply(Site(1, (NAME,), at(port), certificates=shown))
        proxy.proxy.apply(Site(2, (HOST,), at(port)))
        yield proxy, port


@pytest.mark.parametrize("size", [3_000, 7_000, 9_000, 15_000, 30_000])
def test_answers_with_headers_of_up_to_32_kib_pass(served: tuple[Nginx, int], size: int) -> None:
    """Ten cookies of 1 KB and long Link headers come to more than 8 KB."""
    assert status_of(served[0].get(HOST, f"/?{size}")) == 200


@pytest.mark.parametrize("path", ["/?70000", "/nonsense"])
def test_an_answer_that_is_refused_is_told_of_in_words(
    served: tuple[Nginx, int], path: str
) -> None:
    """502, and the app's log says that the proxy refused what the app answered, and why."""
    proxy, _ = served
    assert status_of(proxy.get(HOST, path)) == 502
    log = router_log(proxy.settings, 2)
    wait_for(lambda: f'path="{path}"' in log.read_text())
    line = next(line for line in log.read_text().splitlines() if f'path="{path}"' in line)
    assert "status=502" in line
    assert line.endswith(REFUSED)


def test_an_answer_that_passes_is_not_told_of(served: tuple[Nginx, int]) -> None:
    """Nor one that did not come."""
    proxy, _ = served
    proxy.proxy.apply(Site(3, ("down.example.com",), at(1)))
    assert status_of(proxy.get("down.example.com")) == 502
    proxy.get(HOST, "/?passes")
    proxy.get(HOST, "/?100")
    for app, path in ((3, "/"), (2, "/?100")):
        log = router_log(proxy.settings, app)
        wait_for(lambda log=log, path=path: f'path="{path}"' in log.read_text())  # type: ignore[misc]
        line = next(line for line in log.read_text().splitlines() if f'path="{path}"' in line)
        assert "refused" not in line


@pytest.mark.differs(
    "the headers of a response",
    nginx="`proxy-buffer-size`, 32 KiB",
    haproxy="62 KiB, whatever `proxy-buffer-size` says",
)
def test_the_size_is_a_setting(served: tuple[Nginx, int]) -> None:
    """With HAProxy it cannot be more than 32 KiB, which is reported."""
    proxy, port = served
    why = proxy.proxy.cannot("proxy-buffer-size", "64k")
    if why is not None:
        assert "32k" in why
        assert proxy.proxy.cannot("proxy-buffer-size", "16k") is None
        return
    for value, status in (("128k", 200), ("64k", 200), ("4k", 502)):
        settings = router_settings({"proxy-buffer-size": value}, {})
        proxy.proxy.apply(Site(4, ("set.example.com",), at(port), settings=settings))
        assert status_of(proxy.get("set.example.com", "/?40000")) == status
    proxy.proxy.remove(4)


@pytest.mark.parametrize("size", [8_000, 12_000, 16_000, 24_000, 31_000])
@pytest.mark.parametrize("protocol", ["http", "https", "h2"])
def test_requests_with_headers_of_up_to_32_kb_pass(
    served: tuple[Nginx, int], size: int, protocol: str
) -> None:
    """In one line: cookies of single sign-on."""
    status, sizes = _ask(served[0], protocol, "x" * size)
    assert status == 200
    assert sizes["cookie"] == size


@pytest.mark.differs(
    "the headers of a request",
    nginx="32 KiB each (HTTPS: 64 KiB), 96 KiB in all as they are sent; beyond that 431. Over "
    "HTTP/2 a single one over 64 KiB, or 256 KiB in all, closes the connection",
    haproxy="32 KiB in all; beyond that 431; from 62 KiB on 400, over HTTP/2 the connection is "
    "closed",
)
@pytest.mark.parametrize("protocol", ["http", "https", "h2"])
def test_larger_ones_are_refused_with_a_page(served: tuple[Nginx, int], protocol: str) -> None:
    """Not by the end of the connection, which over HTTP/2 carries other requests, too."""
    proxy, _ = served
    count = 32 if proxy.has_pages_for_people_alone else 14
    many = [(f"x-{number}", "x" * 4_000) for number in range(count)]
    assert _ask(proxy, protocol, "x", *many)[0] == 431
    if protocol == "http":
        assert _ask(proxy, protocol, "x" * 36_000)[0] == 431


@pytest.mark.parametrize("protocol", ["http", "https", "h2"])
def test_400_headers_pass_both_ways(
    served: tuple[Nginx, int], protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither proxy counts them: only their size is limited."""
    monkeypatch.setattr("http.client._MAXHEADERS", 1000)  # of the app's own, which is Python's
    many = [(f"x-{number}", "1") for number in range(400)]
    status, sizes = _ask(served[0], protocol, "x", *many)
    assert status == 200
    assert {name for name, _ in many} <= set(sizes)
    assert served[0].get(HOST, "/many").lower().count(b"\r\nx-") >= 400


def _ask(
    proxy: Nginx, protocol: str, cookie: str, *more: tuple[str, str]
) -> tuple[int, dict[str, int]]:
    """The status, and the size of each header that the app got."""
    headers = (("cookie", cookie), *more)
    lines = [f"{name}: {value}" for name, value in headers]
    if protocol == "h2":
        with secure_connection(proxy, NAME, "h2") as channel:
            client = Http2Client(channel)
            client.request(asking(*headers, host=NAME))
            status, body = client.answer()
        if status in {"closed", "reset"}:
            return 0, {}
    elif protocol == "https":
        head = ("GET / HTTP/1.1", f"Host: {NAME}", "Connection: close", *lines, "", "")
        with secure_connection(proxy, NAME, "http/1.1") as channel:
            channel.sendall("\r\n".join(head).encode())
            answer = b""
            while part := channel.recv(65536):
                answer += part
        status, body = str(status_of(answer)), body_of(answer)
    else:
        answer = proxy.get(HOST, "/", *lines)
        status, body = str(status_of(answer)), body_of(answer)
    if status != "200":
        assert b"too large" in body.lower() or b"large" in body.lower()
        return int(status), {}
    sizes: dict[str, int] = json.loads(body)["sizes"]
    return 200, sizes


def test_headers_with_underscores_are_a_setting(served: tuple[Nginx, int]) -> None:
    """They reach the app, and none that looks like one of the proxy's own does."""
    proxy, port = served
    settings = router_settings({"underscores-in-headers": "on"}, {})
    proxy.proxy.apply(Site(5, ("under.example.com",), at(port), settings=settings))
    alike = [other for name in (*CLEARED_HEADERS, *SAID_HEADERS) for other in look_alikes(name)]
    forged = [f"{name}: forged" for name in [*alike, "X.Forwarded.For", "x_forwarded_proto"]]
    got: dict[str, str] = {}
    for some in (forged[: len(forged) // 2], forged[len(forged) // 2 :]):
        answer = proxy.get("under.example.com", "/", "api_key: 1", *some)
        assert status_of(answer) == 200
        values = json.loads(body_of(answer))["values"]
        assert "forged" not in values.values()
        got |= values
    assert got["api_key"] == "1"
    assert got["x-forwarded-for"] == "127.0.0.1"
    values = json.loads(body_of(proxy.get(HOST, "/", "api_key: 1")))["values"]
    assert "api_key" not in values
    proxy.proxy.remove(5)
