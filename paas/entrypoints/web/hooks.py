"""Where webhooks of git servers arrive: POST /hooks/ID. The gate verifies them."""

from dataclasses import dataclass, field
from pathlib import Path

from flask import Blueprint, Flask, Response, request

from paas.domain.git.webhooks import BODY_MAX_BYTES, HEADER_MAX, HEADERS
from paas.entrypoints.web import gate
from paas.entrypoints.web.answers import words
from paas.entrypoints.web.places import Places

PREFIX = "/hooks/"
_AT_ONCE = 8
_ALL = "all"


@dataclass(frozen=True, slots=True)
class Hooks:
    """Passes webhooks on to the gate at that socket; few at a time, since each is in memory."""

    gate_socket: Path
    places: Places = field(default_factory=lambda: Places(_AT_ONCE))

    def arrived(self, id: str) -> Response:
        """The answer to a webhook."""
        if (request.content_length or 0) > BODY_MAX_BYTES:
            return words(413, "The webhook is too large.")
        if not self.places.take(_ALL):
            return words(503, "Too many webhooks arrive at once; send it again.")
        try:
            body = request.stream.read(BODY_MAX_BYTES + 1)
            if len(body) > BODY_MAX_BYTES:
                return words(413, "The webhook is too large.")
            return self._passed_on(id, body)
        finally:
            self.places.free(_ALL)

    def _passed_on(self, id: str, body: bytes) -> Response:
        headers = {
            name: value[:HEADER_MAX]
            for name in HEADERS
            if (value := request.headers.get(name)) is not None
        }
        asked = {"hook": id, "headers": headers, "address": request.headers.get("X-Real-IP", "")}
        try:
            status, text = gate.deliver(self.gate_socket, asked, body)
        except gate.GateDownError:
            return words(503, "The platform's gate does not answer; send it again.")
        return words(status, text)


def make_hooks(hooks: Hooks) -> Flask:
    """The application below /hooks/, at every host of the web process."""
    app = Flask(__name__, static_folder=None)
    noun = Blueprint("hooks", __name__)

    @noun.post(f"{PREFIX}<id>")
    def arrived(id: str) -> Response:
        return hooks.arrived(id) if id.isascii() and id.isalnum() else nothing(None)

    @app.errorhandler(404)
    @app.errorhandler(405)
    def nothing(_error: object) -> Response:
        return words(404, "There is no such webhook.")

    app.register_blueprint(noun)
    return app
