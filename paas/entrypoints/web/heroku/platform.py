"""The platform, as an endpoint sees it: operations of the gate, for whose token came."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

from flask import g, request

from paas.entrypoints.web import gate
from paas.entrypoints.web.asking import Asking, Operate, TooManyError
from paas.entrypoints.web.guesses import Guesses
from paas.entrypoints.web.heroku.errors import (
    TOO_MANY,
    UNAUTHORIZED,
    UNAVAILABLE,
    ApiError,
    invalid,
    of_failure,
)
from paas.entrypoints.web.places import Places
from paas.entrypoints.web.relayed import base_of_request

BODY_MAX_BYTES = 1024**2
_BEARER = "bearer"
# In flask.g: what the user should know, for a header of the answer.
WARNINGS = "warnings"


class Store(Protocol):
    """Has the gate store an archive: see web.gate.store. Raises RefusedError or GateDownError."""

    def __call__(self, secret: str, pieces: Iterator[bytes]) -> None: ...


@dataclass(frozen=True, slots=True)
class Platform:
    """domain: the server's. git_base: a URL, without a path. places: requests of each address.

    guesses: of tokens, at all entrances. streams_base: the URL below which streams are.
    rendezvous: the host and port for attended processes.
    """

    operate: Operate
    store: Store
    domain: str
    git_base: str
    places: Places = field(default_factory=Places)
    guesses: Guesses = field(default_factory=Guesses)
    streams_base: str = ""
    rendezvous: str = ""

    def stream_url(self, secret: str | None) -> str | None:
        """Where the stream of a secret is read."""
        return None if secret is None else f"{self.own_base}/streams/{secret}"

    @property
    def own_base(self) -> str:
        """The URL below which streams and uploads are, for the client of this request."""
        return base_of_request(self.streams_base)

    def ask(self, operation: str, **arguments: object) -> Any:
        """The value of an operation, for the user of this request's token. Raises ApiError."""
        token, address = token_of_request(), request.headers.get("X-Real-IP", "")
        asking = Asking(self.operate, self.places, self.guesses)
        try:
            answer = asking.ask(operation, arguments, token, address)
        except TooManyError as many:
            again = {} if many.wait_s is None else {"Retry-After": str(many.wait_s)}
            raise ApiError(TOO_MANY, many.words, headers=again) from many
        except gate.FailedError as failed:
            raise of_failure(failed) from failed
        except gate.GateDownError as error:
            why = "The platform's gate does not answer; try again in a moment."
            raise ApiError(UNAVAILABLE, why) from error
        g.setdefault(WARNINGS, []).extend(answer.warnings)
        return answer.value


def warn(text: str) -> None:
    """Tell the user something with the answer."""
    g.setdefault(WARNINGS, []).append(text)


def token_of_request() -> str:
    """The token: ``Bearer TOKEN``, or Basic with it as the password. Raises ApiError."""
    login = request.authorization
    token = None
    if login is not None and login.type == _BEARER:
        token = login.token
    elif login is not None and login.type == "basic":
        token = login.password
    if not token:
        raise ApiError(
            UNAUTHORIZED,
            "Invalid credentials provided: a token is needed. Create one: paas tokens:create",
        )
    return token


def body() -> dict[str, Any]:
    """The JSON object that was sent; an empty one if nothing was. Raises ApiError."""
    raw = request.stream.read(BODY_MAX_BYTES + 1)
    if len(raw) > BODY_MAX_BYTES:
        raise invalid(f"The body is larger than {BODY_MAX_BYTES // 1024} KiB.")
    if not raw.strip():
        return {}
    try:
        found = json.loads(raw, parse_constant=_no_number, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise invalid("The body is not valid JSON.") from error
    if not isinstance(found, dict):
        raise invalid("The body is not a JSON object.")
    return found


def takes(given: Mapping[str, Any], *names: str) -> None:
    """Raises ApiError if something was sent that this server does not know."""
    for name in given:
        if name not in names:
            raise invalid(f"This server does not know the parameter {name[:40]!r}.")


def _no_number(_text: str) -> NoReturn:
    raise ValueError("That is not a number.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Raises ValueError if it has a name twice: which one would count?"""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("A name is there twice.")
    return found
