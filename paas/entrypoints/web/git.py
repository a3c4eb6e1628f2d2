"""git's smart HTTP protocol (gitprotocol-http(5)): each half of a service is a request."""

from dataclasses import dataclass, field
from pathlib import Path

from flask import Response, request
from werkzeug.datastructures import Authorization

from paas.entrypoints.gate_client.become import EXCHANGE, REFS
from paas.entrypoints.web import gate, guesses
from paas.entrypoints.web.answers import LOG_IN, refusal, words
from paas.entrypoints.web.bodies import pieces
from paas.entrypoints.web.exchange import FLUSH, Exchange, Streams
from paas.entrypoints.web.guesses import Guesses
from paas.entrypoints.web.places import PER_ADDRESS, Places

RECEIVE_PACK = "git-receive-pack"
UPLOAD_PACK = "git-upload-pack"
# What a body may have beside a pack: the names of refs, or which commits a clone has already.
_COMMANDS_BYTES = 16 * 1024**2
_PROTOCOL_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class GitHttp:
    """Answers git's requests by way of the gate at that socket. max_push_bytes: of a pack."""

    gate_socket: Path
    max_push_bytes: int
    places: Places = field(default_factory=Places)
    guesses: Guesses = field(default_factory=Guesses)

    def refs(self, name: str) -> Response:
        """The refs of an app's repository, with which a push or a clone begins."""
        service = request.args.get("service", "")
        if service not in (RECEIVE_PACK, UPLOAD_PACK):
            return words(403, "git of version 1.6.6 or later is needed here.")
        return self._answer(service, REFS, name)

    def exchange(self, name: str, service: str) -> Response:
        """A push, or what a clone or fetch asks for."""
        if request.mimetype != f"application/x-{service}-request":
            return words(415, "This is for git.")
        if (request.content_length or 0) > self._limit_bytes:
            most = self.max_push_bytes // 1024**2
            return words(413, f"A push may be {most} MiB large, not more (setting max_push_mib).")
        return self._answer(service, EXCHANGE, name)

    @property
    def _limit_bytes(self) -> int:
        return self.max_push_bytes + _COMMANDS_BYTES

    def _answer(self, service: str, half: str, name: str) -> Response:
        login, address = request.authorization, request.headers.get("X-Real-IP", "")
        if not _has_password(login):
            return refusal(401, LOG_IN)
        token = str(login.password) if login else ""
        if wait_s := self.guesses.wait_s(address, token):
            return words(429, guesses.words(wait_s))
        if not self.places.take(address):
            return words(429, f"{PER_ADDRESS} requests come from your address; try again later.")
        asked = {
            "service": service,
            "half": half,
            "app": name,
            "token": token,
            "address": address,
            "protocol": request.headers.get("Git-Protocol", "")[:_PROTOCOL_CHARACTERS],
        }
        begun = False
        try:
            answer = self._begin(asked)
            begun = True
            self.guesses.accepted(token)
        except gate.RefusedError as refused:
            if refused.status == 401:
                self.guesses.refused(address, token)
            return refusal(refused.status, refused.words)
        except gate.GateDownError:
            return words(503, "The platform's gate does not answer; try again in a moment.")
        finally:
            if not begun:
                self.places.free(address)
        kind = "advertisement" if half == REFS else "result"
        headers = {"Cache-Control": "no-cache"}
        return Response(answer, mimetype=f"application/x-{service}-{kind}", headers=headers)

    def _begin(self, asked: dict[str, str]) -> Exchange:
        """Have the gate start git. Raises RefusedError or GateDownError."""
        service, address = asked["service"], asked["address"]
        with Streams() as streams:
            own = (streams.input, streams.output, streams.complaints)
            running = gate.ask(self.gate_socket, asked, own)
        gzipped = request.headers.get("Content-Encoding", "") in ("gzip", "x-gzip")
        sent = asked["half"] == EXCHANGE
        body = pieces(request.stream, limit_bytes=self._limit_bytes, gzipped=gzipped)
        return Exchange(
            running,
            streams,
            body if sent else iter(()),
            head=b"" if sent else _announced(service, asked["protocol"]),
            explains=sent and service == RECEIVE_PACK,
            done=lambda: self.places.free(address),
        )


def _has_password(login: Authorization | None) -> bool:
    return login is not None and login.type == "basic" and bool(login.password)


def _announced(service: str, protocol: str) -> bytes:
    """What precedes the refs, but in version 2 of the protocol."""
    if service == UPLOAD_PACK and "version=2" in protocol.split(":"):
        return b""
    line = f"# service={service}\n".encode()
    return f"{len(line) + 4:04x}".encode() + line + FLUSH
