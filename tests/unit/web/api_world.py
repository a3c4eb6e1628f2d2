"""The API on a world in memory: its endpoints, and the operations that they ask for."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from paas.domain.people.actors import Actor
from paas.domain.people.origins import Origin
from paas.domain.people.tokens import MARK, prefix_of
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.entrypoints.cli.recording import Recording
from paas.entrypoints.cli.web import holder_of
from paas.entrypoints.operations.call import Call
from paas.entrypoints.operations.perform import perform
from paas.entrypoints.web.asking import Asking
from paas.entrypoints.web.gate import FailedError, RefusedError, Value
from paas.entrypoints.web.git import GitHttp
from paas.entrypoints.web.heroku.app import make_api
from paas.entrypoints.web.heroku.platform import Platform
from paas.services.progress import Silent
from paas.wiring.services import all_services
from tests.fakes.world import World

ORIGIN = Origin("192.0.2.1", token="Ab12Cd34")


@dataclass
class OneReply:
    """operations.call.Reply: keeps the answer."""

    answer: dict[str, Any] = field(default_factory=dict)

    def send(self, answer: Mapping[str, object]) -> None:
        """Only the first counts, and it is JSON."""
        self.answer = self.answer or json.loads(json.dumps(answer))

    def wait(self) -> None:
        """Nobody counts."""

    def client_gone(self) -> bool:
        """As the gate has it."""
        return bool(self.answer)


class Api:
    """The API of a world. A token here is the name of a user; one with a dash is not valid."""

    def __init__(self, world: World, actors: Mapping[str, Actor] | None = None) -> None:
        self.world = world
        self._actors = dict(actors or {})
        self._services = all_services(world.adapters)
        platform = Platform(
            self.operate,
            self.store,
            "example.com",
            "https://git.example.com",
            streams_base="https://api.example.com",
        )
        git = GitHttp(world.folder / "none", 1024**2)
        self.asking = Asking(self.operate, platform.places, platform.guesses)
        self.app = make_api(platform, git)
        self.client: FlaskClient = self.app.test_client()

    def actor(self, name: str) -> Actor:
        """A user, with the limits of their token."""
        return self._actors.get(name) or self.world.actor(name)

    def operate(
        self, asked: Mapping[str, object], descriptors: tuple[int, int, int] | None = None
    ) -> Value:
        """As the gate does."""
        request = json.loads(json.dumps(asked))
        name = request["token"]
        if name.startswith("-"):
            raise FailedError("token-unknown", 1, "The token is not known here.", None)
        actor, origin = self._actors.get(name), ORIGIN
        if name.startswith(MARK):
            actor, origin = self._holder(name, request["operation"])
        actor = actor or self.world.actor(name)
        recording = Recording(self._services.audit, actor, origin, Silent())
        reply = OneReply()
        call = Call(self._services, actor, origin, recording, reply)
        perform(call, request["operation"], request["arguments"])
        match reply.answer:
            case {"error": error}:
                raise FailedError(
                    error["reference"], error["exit"], error["message"], error["hint"]
                )
        return Value(reply.answer["value"], reply.answer["warnings"])

    def _holder(self, token: str, operation: str) -> tuple[Actor, Origin]:
        """Whose a real token or link is."""
        try:
            prefix = prefix_of(Secret(token))
            actor = holder_of(self._services, Secret(token), ORIGIN, operation)
        except PaasError as error:
            raise FailedError(
                error.reference, error.exit_code, error.message, error.hint
            ) from error
        return actor, replace(ORIGIN, token=prefix)

    def store(self, secret: str, pieces: Iterator[bytes]) -> None:
        """As the gate does."""
        try:
            self._services.uploads.find(Secret(secret))
            self._services.uploads.receive(Secret(secret), pieces)
        except PaasError as error:
            raise RefusedError(
                413 if "too-large" in error.reference else 404, error.message
            ) from error

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        user: str = "alice",
        headers: Mapping[str, str] = {},
    ) -> TestResponse:
        """The answer to a request of that user."""
        sent = {"Authorization": f"Bearer {user}", "X-Real-IP": "192.0.2.1", **headers}
        data = None if body is None else json.dumps(body)
        return self.client.open(path, method=method, data=data, headers=sent)
