"""A browser at the dashboard of a world in memory."""

import re
from collections.abc import Mapping
from functools import cache

from flask import Flask
from werkzeug.test import TestResponse

from paas.domain.people.origins import Origin
from paas.entrypoints.web.dashboard.app import Place, make_dashboard
from paas.wiring.services import all_services
from tests.unit.web.api_world import Api

HOST = "dashboard.example.com"
_PROOF = re.compile(r'name="proof" value="([0-9a-f]{64})"')


@cache
def _dashboard(api: Api, *, secure: bool) -> Flask:
    """Made once, since each compiles all templates."""
    return make_dashboard(api.asking, Place(HOST, secure=secure))


class Browser:
    """Keeps cookies, and sends forms as they are on the page that it was at last."""

    def __init__(self, api: Api, *, secure: bool = True) -> None:
        self.api = api
        self.app = _dashboard(api, secure=secure)
        self._client = self.app.test_client()
        self.base = f"{'https' if secure else 'http'}://{HOST}"
        self.proof = ""

    def get(self, path: str, headers: Mapping[str, str] = {}) -> TestResponse:
        """A page."""
        sent = {"X-Real-IP": "192.0.2.1", **headers}
        answer = self._client.get(path, base_url=self.base, headers=sent)
        if found := _PROOF.search(answer.text):
            self.proof = found[1]
        return answer

    def post(
        self,
        path: str,
        fields: Mapping[str, str] = {},
        headers: Mapping[str, str] = {},
        proof: str | None = None,
    ) -> TestResponse:
        """A form of our own page. proof: another one than it has."""
        sent = {
            "X-Real-IP": "192.0.2.1",
            "Origin": self.base,
            "Sec-Fetch-Site": "same-origin",
            **headers,
        }
        data = {"proof": self.proof if proof is None else proof, **fields}
        return self._client.post(path, base_url=self.base, headers=sent, data=data)

    def link(self, user: str) -> str:
        """The path of a link that logs that user in."""
        services = all_services(self.api.world.adapters)
        secret = services.web_sessions.make_link(self.api.actor(user), Origin("192.0.2.1"))
        return f"/login/{secret.reveal()}"

    def become(self, who: str) -> "Browser":
        """As somebody whose session was opened elsewhere."""
        self._client.set_cookie("__Host-paas_session", who, domain=HOST, secure=True)
        return self

    def log_in(self, user: str) -> "Browser":
        """With a link."""
        path = self.link(user)
        self.get(path)
        answer = self.post(path)
        assert answer.status_code == 303, answer.text
        self.get("/")
        return self
