"""Hostile text: any characters, and those that a format's syntax is made of."""

import json
from typing import Any

from hypothesis import strategies as st

# Half a surrogate pair is included: JSON and undecodable bytes both lead to one.
ANYTHING = st.characters(exclude_categories=())
REPEATS_MAX = 2_000


def texts(syntax: str) -> st.SearchStrategy[str]:
    """Text in which the syntax's characters are frequent, or a piece of them repeats."""
    mixed = st.text(st.sampled_from(syntax) | ANYTHING, max_size=80)
    pieces = st.text(st.sampled_from(syntax), min_size=1, max_size=4)
    repeated = st.builds(
        lambda start, piece, times, end: start + piece * times + end,
        st.text(st.sampled_from(syntax), max_size=8),
        pieces,
        st.integers(0, REPEATS_MAX),
        st.text(st.sampled_from(syntax), max_size=8),
    )
    return st.text(st.sampled_from(syntax), max_size=80) | mixed | repeated


def files(syntax: str) -> st.SearchStrategy[bytes]:
    """The same as the content of a file, in each encoding that is taken, or as no text at all."""
    encodings = st.sampled_from(
        ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
    )
    encoded = st.builds(lambda text, name: text.encode(name, "replace"), texts(syntax), encodings)
    return encoded | st.binary(max_size=200)


def json_values(
    names: st.SearchStrategy[str], texts: st.SearchStrategy[str]
) -> st.SearchStrategy[Any]:
    """Values of JSON, nested a few levels deep."""
    scalars = (
        st.none()
        | st.booleans()
        | st.integers(-(10**16), 10**16)
        | st.floats(allow_nan=False, allow_infinity=False)
        | texts
    )
    return st.recursive(
        scalars,
        lambda below: st.lists(below, max_size=4) | st.dictionaries(names, below, max_size=4),
        max_leaves=12,
    )


def rendered(value: Any) -> st.SearchStrategy[str]:
    """The value as JSON, in one of the ways to write it."""
    return st.builds(
        lambda indent, ascii: json.dumps(value, indent=indent, ensure_ascii=ascii),
        st.sampled_from([None, 0, 2, "\t"]),
        st.booleans(),
    )
