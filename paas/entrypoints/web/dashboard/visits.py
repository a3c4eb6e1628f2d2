"""The platform, as a page sees it: operations of the gate, for whoever has logged in."""

from dataclasses import dataclass
from typing import Any

from flask import g, request

from paas.entrypoints.web import gate
from paas.entrypoints.web.asking import TOKEN_REFUSALS, Asking, TooManyError
from paas.entrypoints.web.dashboard.cookies import Cookies
from paas.entrypoints.web.heroku.errors import STATUS, of_failure

# In flask.g: what the user should know, for the page.
WARNINGS = "warnings"
DOWN = "The platform does not answer; try again in a moment."


class PageError(Exception):
    """A page that says what went wrong. hint: what to do about it."""

    def __init__(
        self, status: int, message: str, hint: str | None = None, wait_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.hint = hint
        self.wait_s = wait_s


class LoggedOutError(Exception):
    """There is no session, or it has ended."""


@dataclass(frozen=True, slots=True)
class Visits:
    """asking: for operations. cookies: where the session is."""

    asking: Asking
    cookies: Cookies

    def ask(self, operation: str, **arguments: object) -> Any:
        """The value of an operation, for the user of this session.

        Raises LoggedOutError or PageError.
        """
        token = self.cookies.session()
        if not token:
            raise LoggedOutError
        try:
            return self.ask_as(token, operation, **arguments)
        except RefusedError as refused:
            raise LoggedOutError from refused

    def ask_as(self, token: str, operation: str, **arguments: object) -> Any:
        """The same for a token. Raises RefusedError if it is not valid, or PageError."""
        address = request.headers.get("X-Real-IP", "")
        try:
            answer = self.asking.ask(operation, arguments, token, address)
        except TooManyError as many:
            raise PageError(429, many.words, wait_s=many.wait_s) from many
        except gate.FailedError as failed:
            if failed.reference in TOKEN_REFUSALS:
                raise RefusedError(failed.message, failed.hint) from failed
            status = STATUS[of_failure(failed).id]
            raise PageError(status, failed.message, failed.hint) from failed
        except gate.GateDownError as error:
            raise PageError(503, DOWN) from error
        g.setdefault(WARNINGS, []).extend(answer.warnings)
        return answer.value


class RefusedError(Exception):
    """A token or link that is not valid."""

    def __init__(self, message: str, hint: str | None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
