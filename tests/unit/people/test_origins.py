"""Where a request came from, as its client tells it."""

import pytest

from paas.domain.people.origins import Origin, parse_origin
from paas.domain.values.secret import Secret
from paas.entrypoints.gate import wire

KEY = f"SHA256:{'a+/' * 14}a"


@pytest.mark.parametrize(
    ("found", "origin"),
    [
        ({}, Origin()),
        ({"address": "", "key": "", "login": ""}, Origin()),
        ({"address": "203.0.113.7", "key": KEY}, Origin("203.0.113.7", KEY)),
        ({"address": "203.0.113.7", "ca": KEY}, Origin("203.0.113.7", ca=KEY)),
        ({"address": "2001:DB8::7"}, Origin("2001:db8::7")),
        ({"address": "fe80::1%eth0"}, Origin("fe80::1")),
        ({"address": "UNKNOWN"}, Origin()),
        ({"login": "DOMAIN\\carol"}, Origin(login="DOMAIN\\carol")),
        ({"login": "carol\n"}, Origin()),
    ],
)
def test_origins(found: dict[str, object], origin: Origin) -> None:
    """What is not known is None; a login is information, so an odd one is left out."""
    assert parse_origin(found) == origin


BAD: list[object] = [
    {"address": "localhost"},
    {"address": "203.0.113.7\n"},
    {"address": "203.0.113.7 "},
    {"address": ["203.0.113.7"]},
    {"address": "1.2.3.4\udcff"},
    {"key": "SHA256:AAAA"},
    {"key": f"{KEY}\n"},
    {"key": f"MD5:{KEY}"},
    {"key": {"a": 1}},
    {"ca": "SHA256:AAAA"},
    {"else": "x"},
    {"token": "Ab12Cd34"},
    {"login": "carol"},
    "203.0.113.7",
    None,
]


@pytest.mark.parametrize("origin", BAD)
def test_nonsense_is_refused(origin: object) -> None:
    """So is a login of a user, and an address or a key of the operator."""
    request = {"argv": [], "user": "alice", "command": "apps", "env": {}, "origin": origin}
    with pytest.raises(wire.BadRequestError):
        wire.parse(request)


def test_the_operator_has_only_a_login() -> None:
    """And clients of former versions send no origin."""
    request: dict[str, object] = {"argv": ["apps"], "user": None, "command": None, "env": {}}
    assert wire.parse(request).origin == Origin()
    assert wire.parse({**request, "origin": {"login": "carol"}}).origin == Origin(login="carol")
    for origin in ({"address": "203.0.113.7"}, {"key": KEY}, {"ca": KEY}):
        with pytest.raises(wire.BadRequestError):
            wire.parse({**request, "origin": origin})


def test_a_token_of_a_request() -> None:
    """A text, also an empty one, of a user's; it is not shown by accident."""
    request: dict[str, object] = {"argv": [], "user": "alice", "command": "apps", "env": {}}
    assert wire.parse(request).token is wire.parse({**request, "token": None}).token is None
    for text in ("", "paas_x"):
        parsed = wire.parse({**request, "token": text})
        assert parsed.token == Secret(text)
        assert "paas_x" not in repr(parsed)
    bad: list[object] = [7, ["paas_x"], {}]
    for token in bad:
        with pytest.raises(wire.BadRequestError):
            wire.parse({**request, "token": token})
    with pytest.raises(wire.BadRequestError):
        wire.parse({**request, "user": None, "command": None, "token": "paas_x"})
