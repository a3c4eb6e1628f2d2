"""A browser at the dashboard: logs in with a link, keeps the cookies, and loads pages."""

import http.client
import re
import socket
import ssl
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from benchmarks.commands import BenchError
from benchmarks.server import Server

_PROOF = re.compile(rb'name="proof" value="([0-9a-f]+)"')
_LIMIT_S = 30.0


class Browser:
    """Each page is asked for on a new connection. context: for TLS; None: over HTTP."""

    def __init__(self, server: Server, link: str, context: ssl.SSLContext | None = None) -> None:
        self._port = server.http_port if context is None else server.https_port
        self._context = context
        self._host = urlsplit(link).hostname or ""
        self._cookies = SimpleCookie()
        path = urlsplit(link).path
        proof = _PROOF.search(self._ask("GET", path))
        if proof is None:
            raise BenchError("The dashboard's link does not show a form.")
        self._ask("POST", path, f"proof={proof[1].decode()}")

    def get(self, path: str) -> bytes:
        """A page. Raises BenchError if it is not that of somebody who has logged in."""
        page = self._ask("GET", path)
        if b"/logout" not in page:
            raise BenchError("The dashboard does not show its first page.")
        return page

    def _ask(self, method: str, path: str, form: str | None = None) -> bytes:
        connection = http.client.HTTPConnection(self._host, self._port)
        connection.sock = socket.create_connection(("127.0.0.1", self._port), _LIMIT_S)
        if self._context is not None:
            connection.sock = self._context.wrap_socket(connection.sock, server_hostname=self._host)
        cookies = "; ".join(f"{one.key}={one.value}" for one in self._cookies.values())
        headers = {"Host": self._host, "Cookie": cookies}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, form, headers)
            answer = connection.getresponse()
            for header in answer.msg.get_all("Set-Cookie") or []:
                self._cookies.load(header)
            return answer.read()
        finally:
            connection.close()
