"""The cookies of the dashboard, and the proofs in its forms that they come from its own pages.

A session is a token in a cookie that scripts cannot read, and nothing is kept here: sessions
outlive a restart of this process. The proof in a form is made of the cookie, so another site, which
cannot read that, cannot make one. Before a login, a random value takes the token's place.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from flask import Response, g, request

_SESSION, _VISIT = "paas_session", "paas_visit"
_HOST_ONLY = "__Host-"
_PROOF = b"form of the dashboard"
_SET = "visit"
_MAX = 200


@dataclass(frozen=True, slots=True)
class Cookies:
    """secure: whether the dashboard is at https; only then do browsers accept the stricter name."""

    secure: bool

    def session(self) -> str:
        """The token of the session; empty if there is none."""
        return request.cookies.get(self._name(_SESSION), "")[:_MAX]

    def proof(self) -> str:
        """What each form of this page has to carry."""
        return _proof(self.session() or self._visit())

    def is_proven(self, sent: str) -> bool:
        """Whether a form came from a page of ours, for this browser."""
        own = self.session() or request.cookies.get(self._name(_VISIT), "")
        return bool(own) and hmac.compare_digest(_proof(own).encode(), sent.encode())

    def log_in(self, answer: Response, token: str, seconds: int) -> None:
        """Keep a session in the browser."""
        self._set(answer, _SESSION, token, seconds)
        self._set(answer, _VISIT, "", 0)

    def log_out(self, answer: Response) -> None:
        """Forget it."""
        self._set(answer, _SESSION, "", 0)

    def finish(self, answer: Response) -> None:
        """Keep the value that the forms of this page were made of, if it is a new one."""
        if (visit := g.get(_SET)) is not None:
            self._set(answer, _VISIT, visit, None)

    def _visit(self) -> str:
        known: str = request.cookies.get(self._name(_VISIT), "") or g.get(_SET, "")
        if not known:
            known = secrets.token_urlsafe(32)
            setattr(g, _SET, known)
        return known

    def _name(self, name: str) -> str:
        return f"{_HOST_ONLY}{name}" if self.secure else name

    def _set(self, answer: Response, name: str, value: str, seconds: int | None) -> None:
        answer.set_cookie(
            self._name(name),
            value,
            max_age=seconds,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="Strict",
        )


def _proof(secret: str) -> str:
    return hmac.new(secret.encode("utf-8", "surrogatepass"), _PROOF, hashlib.sha256).hexdigest()
