"""Errors as Heroku has them: a status, an id, and a sentence, always as JSON."""

from collections.abc import Mapping

from flask import Response, jsonify

from paas.domain.values.errors import EXIT_NO_APP
from paas.entrypoints.web.asking import TOKEN_REFUSALS
from paas.entrypoints.web.gate import FailedError

UNAUTHORIZED, FORBIDDEN, NOT_FOUND = "unauthorized", "forbidden", "not_found"
CONFLICT, INVALID, TOO_MANY = "conflict", "invalid_params", "rate_limit"
TOO_LARGE = "payload_too_large"
UNAVAILABLE, INTERNAL = "service_unavailable", "internal_server_error"
STATUS: Mapping[str, int] = {
    UNAUTHORIZED: 401,
    FORBIDDEN: 403,
    NOT_FOUND: 404,
    CONFLICT: 409,
    TOO_LARGE: 413,
    INVALID: 422,
    TOO_MANY: 429,
    INTERNAL: 500,
    UNAVAILABLE: 503,
}
# Which of these an error of the platform is, by its reference; INVALID otherwise.
_IDS: Mapping[str, str] = {
    **dict.fromkeys(TOKEN_REFUSALS, UNAUTHORIZED),
    **dict.fromkeys(
        ("admins-only", "needs-role", "not-allowed", "pipeline-owner", "token-limited"), FORBIDDEN
    ),
    **dict.fromkeys(
        (
            "no-builds",
            "no-such-build",
            "no-pipeline",
            "no-such-certificate",
            "no-such-datastore",
            "not-attached",
            "no-such-domain",
            "no-such-drain",
            "no-such-key",
            "no-such-pipeline",
            "no-such-release",
            "no-such-token",
            "no-such-upload",
            "no-such-user",
        ),
        NOT_FOUND,
    ),
    **dict.fromkeys(("app-busy", "app-locked", "build-busy", "build-ended"), CONFLICT),
    **dict.fromkeys(("too-many-commands", "too-many-sessions"), TOO_MANY),
    **dict.fromkeys(("disk-full", "disk-read-only", "store-locked"), UNAVAILABLE),
    "internal-error": INTERNAL,
}


class ApiError(Exception):
    """An answer that is an error. resource: what does not exist. hint: our own command to try."""

    def __init__(
        self,
        id: str,
        message: str,
        *,
        resource: str | None = None,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.id = id
        self.message = message
        self.headers = dict(headers or {})
        self.fields = {"id": id, "message": message}
        self.fields |= {} if resource is None else {"resource": resource}
        self.fields |= {} if hint is None else {"hint": hint}

    @property
    def response(self) -> Response:
        """The answer."""
        answer = jsonify(self.fields)
        answer.status_code = STATUS[self.id]
        answer.headers.update(self.headers)
        if self.id == UNAUTHORIZED:
            answer.headers["WWW-Authenticate"] = 'Basic realm="paas", charset="UTF-8"'
        return answer


def of_failure(failed: FailedError) -> ApiError:
    """What an operation's error is for a client."""
    if failed.exit_code == EXIT_NO_APP:
        return ApiError(NOT_FOUND, "Couldn't find that app.", resource="app")
    if failed.reference == "token-form":
        return ApiError(UNAUTHORIZED, "Invalid credentials provided: that is not a token.")
    return ApiError(_IDS.get(failed.reference, INVALID), failed.message, hint=failed.hint)


def not_found(resource: str, message: str | None = None) -> ApiError:
    """Something of that kind that does not exist, or not for this user."""
    return ApiError(NOT_FOUND, message or f"Couldn't find that {resource}.", resource=resource)


def invalid(message: str) -> ApiError:
    """What a client sent is not what belongs there."""
    return ApiError(INVALID, message)
