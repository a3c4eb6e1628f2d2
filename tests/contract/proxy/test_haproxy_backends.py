"""HAProxy has three backends for each app: for requests that may be repeated, for others, and one
with a costly filter for those that may have trailers. They act as one.
"""

import csv
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from paas.adapters.certificates.files import CertificateDirectory
from paas.adapters.certificates.reader import X509Reader
from paas.adapters.proxy.haproxy.conf import main_file, sites_directory
from paas.domain.routing.router_settings import router_settings
from paas.domain.routing.sites import Certificate, Site
from tests.authority import Authority
from tests.contract.proxy.haproxy_server import Haproxy
from tests.contract.proxy.http2_client import Http2Client, asking, secure_connection
from tests.contract.proxy.nginx_server import application, body_of, read_all, status_of
from tests.endpoints import at
from tests.waiting import wait_for

NAME = "a.example.com"
HOST = f"Host: {NAME}\r\nConnection: close\r\n"
HEAD = f"POST /p HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n".encode()
CHUNKED = HEAD + b"\r\n5\r\nhello\r\n0\r\n\r\n"


def statistics(haproxy: Haproxy, kind: int) -> Iterator[dict[str, str]]:
    """HAProxy's counts of each frontend (1) or backend (2)."""
    (pid,) = haproxy.master.workers().present
    text = haproxy.master.worker(pid).call(f"show stat -1 {kind} -1").lstrip("# ")
    return csv.DictReader(text.splitlines())


def count_of(haproxy: Haproxy, frontend: str, column: str) -> int:
    """One of that frontend's: ``dreq``, the requests refused; ``scur``, the open connections."""
    return sum(int(row[column]) for row in statistics(haproxy, 1) if row["pxname"] == frontend)


def requests_of(haproxy: Haproxy) -> dict[str, int]:
    """How many requests each of the apps' backends has had; without the platform's own."""
    rows = statistics(haproxy, 2)
    own = {"paas_files", "paas_http2", "paas_visitors"}
    return {row["pxname"]: int(row["stot"]) for row in rows if row["pxname"] not in own}


def answer_of(haproxy: Haproxy, method: str, *headers: tuple[str, str], body: bytes = b"") -> str:
    """The status of the answer over HTTP/2."""
    with secure_connection(haproxy, NAME, "h2") as channel:
        client = Http2Client(channel)
        client.request(((":method", method), *asking(*headers, host=NAME)[1:]), body)
        return client.answer()[0]


def test_only_a_request_that_may_have_trailers_passes_the_filter(haproxy: Haproxy) -> None:
    """It takes 30 us, so one without a body does not pass it, nor one with a length."""
    files = CertificateDirectory(haproxy.settings.state / "certs")
    files.write("1-00000001", X509Reader().read(Authority().bundle(NAME), datetime.now(UTC)))
    paths = files.paths("1-00000001")
    assert paths
    site = Site(1, (NAME,), (), certificates=(Certificate(*paths, (NAME,)),))
    with application() as app:
        haproxy.proxy.apply(replace(site, endpoints=at(app.server_port)))
        haproxy.proxy.apply(Site(2, ("b.example.com",), at(app.server_port)))
        of_b = HOST.replace(NAME, "b.example.com")
        length = f"{of_b}Content-Length: 5\r\n\r\nhello"
        assert status_of(haproxy.get("b.example.com")) == 200
        assert status_of(haproxy.raw(f"HEAD / HTTP/1.1\r\n{of_b}\r\n".encode())) in {200, 501}
        assert status_of(haproxy.raw(f"POST / HTTP/1.1\r\n{length}".encode())) == 200
        assert answer_of(haproxy, "GET") == "200"
        assert answer_of(haproxy, "POST", ("content-length", "5"), body=b"hello") == "200"
        assert answer_of(haproxy, "POST", ("content-length", "0")) == "200"
        found = requests_of(haproxy)
        none = {"paas_1_trailers": 0, "paas_2_trailers": 0}
        # Only a GET is sent over a connection that is kept.
        assert found == {"paas_1": 1, "paas_1_once": 2, "paas_2": 1, "paas_2_once": 2} | none
        assert answer_of(haproxy, "POST", body=b"hello") == "200"
        chunked = CHUNKED.replace(NAME.encode(), b"b.example.com")
        assert status_of(haproxy.raw(chunked)) == 200
        assert requests_of(haproxy) == found | {"paas_1_trailers": 1, "paas_2_trailers": 1}


def test_streams_that_are_reset_at_once_are_refused_without_much_work(haproxy: Haproxy) -> None:
    """After the first 300 of a second, none is looked at any further.

    HAProxy 2.8 and later end the connection before all have come; 2.6 cannot.
    """

    def has_dealt_with_all() -> bool:
        looked_at = count_of(haproxy, "https", "dreq") + requests_of(haproxy)["paas_1"]
        return looked_at >= 2_000 or not count_of(haproxy, "https", "scur")

    with application() as app:
        files = CertificateDirectory(haproxy.settings.state / "certs")
        files.write("1-00000001", X509Reader().read(Authority().bundle(NAME), datetime.now(UTC)))
        paths = files.paths("1-00000001")
        assert paths
        shown = (Certificate(*paths, (NAME,)),)
        haproxy.proxy.apply(Site(1, (NAME,), at(app.server_port), certificates=shown))
        before, began = requests_of(haproxy)["paas_1"], time.monotonic()
        with secure_connection(haproxy, NAME, "h2") as channel:
            client = Http2Client(channel)
            for _ in range(2_000):
                stream = client.h2.get_next_available_stream_id()
                client.h2.send_headers(stream, list(asking(host=NAME)), end_stream=True)
                client.h2.reset_stream(stream)
            with suppress(OSError):
                client.flush()
            wait_for(has_dealt_with_all)
        let_through = 300 * (time.monotonic() - began)
        assert requests_of(haproxy)["paas_1"] - before < 1_000 + let_through
        assert answer_of(haproxy, "GET") == "200"


def test_an_upload_in_chunks_is_waited_for(haproxy: Haproxy) -> None:
    """Its instance is drained when it has ended, and all go to the new one meanwhile."""
    with application() as one, application() as two:
        site = Site(1, (NAME,), at(one.server_port))
        haproxy.proxy.apply(site)
        workers = haproxy.workers()
        with haproxy.connect() as upload:
            upload.sendall(HEAD + b"\r\n5\r\nhello\r\n")
            wait_for(lambda: requests_of(haproxy)["paas_1_trailers"] == 1)
            haproxy.proxy.apply(replace(site, endpoints=at(two.server_port)))
            assert not haproxy.proxy.drain(0.3)
            assert status_of(haproxy.raw(CHUNKED)) == status_of(haproxy.get(NAME)) == 200
            assert (one.count, two.count) == (0, 2)
            upload.sendall(b"0\r\n\r\n")
            assert status_of(read_all(upload)) == 200
        assert haproxy.proxy.drain(60)
        assert (one.count, two.count) == (1, 2)
        assert haproxy.workers() == workers


def test_a_drained_instance_is_forgotten_in_all(haproxy: Haproxy) -> None:
    """Also one that was sent away and has had no request at all."""
    with application() as one, application() as two:
        for app in (one, two, one, two):
            haproxy.proxy.apply(Site(1, (NAME,), at(app.server_port)))
        assert haproxy.proxy.drain(60)
        (pid,) = haproxy.master.workers().present
        left = {(i.backend, i.name, i.up) for i in haproxy.master.worker(pid).instances()}
        name = f"s{two.server_port}"
        endings = ("", "_once", "_trailers")
        assert left == {(f"paas_1{ending}", name, True) for ending in endings}


def test_a_limit_is_one_for_all_requests(haproxy: Haproxy) -> None:
    """A client that sends in chunks has no second share."""
    limited = router_settings({"rate-limit": "1r/m", "rate-limit-burst": "1"}, {})
    with application() as app:
        haproxy.proxy.apply(Site(1, (NAME,), at(app.server_port), settings=limited))
        answers = [haproxy.get(NAME), haproxy.raw(CHUNKED), haproxy.get(NAME), haproxy.raw(CHUNKED)]
        assert [status_of(answer) for answer in answers] == [200, 200, 429, 429]


def test_a_visitor_stays_with_an_instance_whatever_is_sent(haproxy: Haproxy) -> None:
    """The cookie of the one backend means the same to the other."""
    sticky = router_settings({"sticky-sessions": "on"}, {})
    with application() as one, application() as two:
        ports = (one.server_port, two.server_port)
        haproxy.proxy.apply(Site(1, (NAME,), at(*ports), settings=sticky))
        answer = haproxy.get(NAME)
        cookie = answer.lower().partition(b"set-cookie: ")[2].partition(b";")[0]
        assert cookie.startswith(b"paas_instance=")
        port = body_of(answer).partition(b",")[0]
        again = CHUNKED.replace(b"\r\n\r\n", b"\r\nCookie: " + cookie + b"\r\n\r\n", 1)
        for _ in range(4):
            assert body_of(haproxy.raw(again)).partition(b",")[0] == port


def test_an_answer_to_chunks_is_compressed(haproxy: Haproxy) -> None:
    """Beside another filter HAProxy wants to be told of the one that compresses."""
    gzip = router_settings({"gzip": "on"}, {})
    with application() as app:
        haproxy.proxy.apply(Site(1, (NAME,), at(app.server_port), settings=gzip))
        asked = CHUNKED.replace(b"/p", b"/json").replace(
            b"\r\n\r\n", b"\r\nAccept-Encoding: gzip\r\n\r\n", 1
        )
        assert b"content-encoding: gzip" in haproxy.raw(asked).lower()


def test_an_upgrade_takes_the_shared_file_and_the_sites_at_once(haproxy: Haproxy) -> None:
    """The shared file sends requests to backends that only the new files of the sites have."""
    with application() as app:
        site = Site(1, (NAME,), at(app.server_port))
        haproxy.proxy.restore([site])
        workers = haproxy.workers()
        # As a version before this one left them.
        own = sites_directory(haproxy.settings) / "1.cfg"
        own.write_text(
            f"backend paas_1\n    server s{app.server_port} 127.0.0.1:{app.server_port}\n"
        )
        main_file(haproxy.settings).write_text("defaults\n    mode http\n")
        haproxy.proxy.renew()
        assert haproxy.workers() == workers
        assert status_of(haproxy.raw(CHUNKED)) == 200
        haproxy.proxy.restore([site])
        assert haproxy.workers() != workers
        assert status_of(haproxy.raw(CHUNKED)) == 200
        assert haproxy.proxy.serves(site)
