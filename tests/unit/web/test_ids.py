"""UUIDs with numbers in them."""

import uuid

from paas.entrypoints.web.heroku import ids


def test_numbers_come_back() -> None:
    """From a UUID of version 8, of the same noun alone."""
    text = ids.numbered("release", 12, 5)
    assert uuid.UUID(text).version == 8
    assert ids.numbers("release", text) == (12, 5)
    assert ids.numbers("app", text) is None
    assert ids.numbers("release", str(uuid.uuid4())) is None
    assert ids.numbers("release", "v5") is None
    biggest = 2**31 - 1
    assert ids.numbers("release", ids.numbered("release", biggest, biggest)) == (biggest, biggest)


def test_an_app_by_either() -> None:
    """Its name stays a name; that of a UUID's form is still one, if the UUID is none of ours."""
    assert ids.app("shop") == "shop"
    assert ids.app(ids.numbered("app", 12)) == 12
    assert ids.app(ids.numbered("app", 12).upper()) == 12
    foreign = str(uuid.uuid4())
    assert ids.app(foreign) == foreign
