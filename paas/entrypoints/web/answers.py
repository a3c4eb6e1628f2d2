"""Answers of the web process itself. git shows text/plain where the refs are refused."""

from flask import Response

_MARK = " !     "
LOG_IN = (
    f"{_MARK}Log in with a token as the password, and any user name.\n"
    f"{_MARK}Create one: paas tokens:create\n"
)


def words(status: int, text: str) -> Response:
    """A refusal in a sentence."""
    return refusal(status, f"{_MARK}{text}\n")


def refusal(status: int, text: str) -> Response:
    """A refusal in lines that are marked already."""
    headers = {"Cache-Control": "no-cache"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="paas", charset="UTF-8"'
    return Response(text, status, mimetype="text/plain", headers=headers)
