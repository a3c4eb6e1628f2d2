"""Requests of the web process to the gate: what is one, and what is not."""

import pytest

from paas.entrypoints.gate.web import OperationRequest, WebRequest
from paas.entrypoints.gate.web import parse as any_request
from paas.entrypoints.gate.wire import BadRequestError

WHOLE: dict[str, object] = {
    "service": "git-receive-pack",
    "half": "refs",
    "app": "shop",
    "token": "paas_x",
    "address": "2001:db8::1",
    "protocol": "",
}


def parse(raw: object) -> WebRequest:
    """A request for git."""
    found = any_request(raw)
    assert isinstance(found, WebRequest)
    return found


def test_a_request_is_read() -> None:
    """The token prints as stars; who it stands for is not known yet."""
    found = parse({**WHOLE, "protocol": "version=2"})
    assert (found.service, found.half, found.app) == ("git-receive-pack", "refs", "shop")
    assert (str(found.token), found.token.reveal()) == ("****", "paas_x")
    assert (found.origin.address, found.origin.key, found.protocol) == (
        "2001:db8::1",
        None,
        "version=2",
    )
    assert parse(WHOLE).protocol is None


@pytest.mark.parametrize(
    "change",
    [
        {"service": "git-upload-archive"},
        {"service": "git-lfs-transfer"},
        {"service": "sh"},
        {"half": ""},
        {"half": "both"},
        {"token": None},
        {"token": 1},
        {"address": ""},
        {"address": "unix:"},
        {"protocol": "version=2\n"},
        {"protocol": "v" * 65},
        {"user": "alice"},
        {"argv": ["config:set"]},
        {"app": None},
    ],
)
def test_what_is_none(change: dict[str, object]) -> None:
    """Nobody is spoken for, and nothing but the two services is run."""
    with pytest.raises(BadRequestError):
        parse({**WHOLE, **change})


@pytest.mark.parametrize("raw", [None, [], "git", {}, {"service": "git-receive-pack"}])
def test_what_lacks_a_field(raw: object) -> None:
    """It is no request."""
    with pytest.raises(BadRequestError):
        parse(raw)


OPERATION: dict[str, object] = {
    "operation": "apps:info",
    "arguments": {"app": "shop"},
    "token": "paas_x",
    "address": "192.0.2.1",
}


def test_an_operation_is_read() -> None:
    """Its arguments are for the operation to look at."""
    found = any_request(OPERATION)
    assert isinstance(found, OperationRequest)
    assert (found.asks_for, dict(found.arguments)) == ("apps:info", {"app": "shop"})
    assert (str(found.token), found.origin.address) == ("****", "192.0.2.1")


@pytest.mark.parametrize(
    "change",
    [
        {"operation": None},
        {"arguments": []},
        {"token": 1},
        {"address": "unix:"},
        {"user": "alice"},
        {"service": "git-receive-pack"},
    ],
)
def test_what_is_no_operation(change: dict[str, object]) -> None:
    """Nobody is named but by a token, and git is another request."""
    with pytest.raises(BadRequestError):
        any_request({**OPERATION, **change})
