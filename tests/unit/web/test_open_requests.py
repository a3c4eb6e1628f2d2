"""How many requests of one address the web process serves at once."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from werkzeug.test import Client

from paas.entrypoints.web.app import OPEN_PER_ADDRESS, limited


def test_an_address_has_a_share_of_the_threads() -> None:
    """Until its requests end, also those that fail; others are served meanwhile."""

    def serve(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/fails":
            raise ValueError("failed")
        start("200 OK", [])
        return iter([b"a", b"b"])

    app = limited(serve)
    client, other = Client(app), {"X-Real-IP": "192.0.2.2"}
    inside = [client.get("/", headers={"X-Real-IP": "192.0.2.1"}) for _ in range(OPEN_PER_ADDRESS)]
    refused = client.get("/", headers={"X-Real-IP": "192.0.2.1"})
    assert refused.status_code == 429
    assert "requests come from your address" in refused.text
    assert client.get("/", headers=other).status_code == 200
    for answer in inside:
        answer.close()
    for _ in range(OPEN_PER_ADDRESS + 1):
        with pytest.raises(ValueError, match="failed"):
            client.get("/fails", headers={"X-Real-IP": "192.0.2.1"})
    assert client.get("/", headers={"X-Real-IP": "192.0.2.1"}).text == "ab"
