"""The arguments of operations: what is taken, and what is refused by name."""

import pytest

from paas.domain.values.errors import EXIT_USAGE, PaasError
from paas.entrypoints.operations.shapes import (
    APP,
    FLAG,
    NUMBER,
    PAIRS,
    TEXT,
    TEXTS,
    optional,
    read,
)

SHAPE = {"app": APP, "values": optional(PAIRS), "unset": optional(TEXTS, default=[])}


def test_what_is_taken() -> None:
    """What may be left out has its default, also if it is null."""
    assert read(SHAPE, {"app": "shop"}) == {"app": "shop", "values": None, "unset": []}
    whole = {"app": 12, "values": {"A": "1"}, "unset": ["B"]}
    assert read(SHAPE, whole) == whole
    assert read(SHAPE, {"app": "shop", "unset": None})["unset"] == []


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"app": None},
        {"app": True},
        {"app": -1},
        {"app": 2**53 + 1},
        {"app": ["shop"]},
        {"app": "a\0b"},
        {"app": "shop", "values": {"A": 1}},
        {"app": "shop", "values": [["A", "1"]]},
        {"app": "shop", "unset": "A"},
        {"app": "shop", "unset": [None]},
        {"app": "shop", "user": "root"},
    ],
)
def test_what_is_refused(raw: dict[str, object]) -> None:
    """Wrong types, what is missing, and what nobody knows."""
    with pytest.raises(PaasError) as caught:
        read(SHAPE, raw)
    assert (caught.value.reference, caught.value.exit_code) == ("operation-arguments", EXIT_USAGE)


def test_texts_flags_and_numbers() -> None:
    """A number is not a flag, nor the other way round."""
    for argument, good, bad in ((TEXT, "a", 1), (FLAG, True, 1), (NUMBER, 1, True)):
        assert read({"it": argument}, {"it": good}) == {"it": good}
        with pytest.raises(PaasError):
            read({"it": argument}, {"it": bad})
