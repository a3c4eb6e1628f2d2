"""Names from outside are accepted as they are, within their limits, or refused."""

from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from paas.domain.routing.hosts import HOST_MAX, host_name, parents, wildcards_over
from paas.domain.values.errors import PaasError
from paas.domain.values.names import (
    APP_NAME_MAX,
    RESERVED_APP_NAMES,
    RESERVED_USER_NAMES,
    VAR_NAME_MAX,
    VAR_VALUE_MAX_BYTES,
    app_name,
    assignment,
    branch_name,
    printable,
    process_type,
    shown,
    user_name,
    var_name,
    var_value,
)
from tests.unit.properties.texts import ANYTHING, texts

# The validator, the longest name, and all characters that may be in one.
LOWER, UPPER, DIGITS = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
KINDS: list[tuple[Callable[[str], str], int, str]] = [
    (app_name, APP_NAME_MAX, LOWER + DIGITS + "-"),
    (user_name, 32, LOWER + DIGITS + "._-"),
    (process_type, 63, LOWER + UPPER + DIGITS + "_-"),
    (var_name, VAR_NAME_MAX, LOWER + UPPER + DIGITS + "_"),
    (branch_name, 100, LOWER + UPPER + DIGITS + "._/-"),
    (host_name, HOST_MAX, LOWER + DIGITS + "-.*"),
]
# Digits, letters and line ends that a careless pattern takes for those of ASCII.
NEARLY = "aZ09._-/*\n\r\0 \u0663\xb2\u017f\u212a\xe9\xdf"


# What passes but for a character more somewhere, most often at the end.
NEARLY_VALID = st.builds(
    lambda start, more, end: start + more + end,
    st.from_regex(r"[a-z]{1,3}(?:[a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True),
    st.text(st.sampled_from(NEARLY), max_size=2),
    st.just("") | st.text(st.sampled_from(LOWER), max_size=70),
)

each_kind = pytest.mark.parametrize(
    ("validate", "longest", "allowed"), KINDS, ids=[kind[0].__name__ for kind in KINDS]
)


@each_kind
@given(text=texts(NEARLY) | NEARLY_VALID)
def test_a_name_is_kept_or_refused(
    validate: Callable[[str], str], longest: int, allowed: str, text: str
) -> None:
    """Nothing is repaired; no character outside the list and no name over the limit passes."""
    try:
        name = validate(text)
    except PaasError as error:
        assert error.exit_code == 2
        assert error.message.isprintable()
        return
    assert name == text
    assert 0 < len(name) <= longest
    assert set(name) <= set(allowed)


@each_kind
@given(data=st.data())
def test_the_limit_is_exact(
    validate: Callable[[str], str], longest: int, allowed: str, data: st.DataObject
) -> None:
    """The longest name is accepted, and one character more is not."""
    if validate is host_name:
        longest_name = ".".join(["a" * 61] * 4) + ".comab"
    else:
        letters = st.text(st.sampled_from(LOWER), min_size=longest, max_size=longest)
        longest_name = data.draw(letters)
    assert len(longest_name) == longest
    assert validate(longest_name) == longest_name
    with pytest.raises(PaasError):
        validate(longest_name + "a")


@given(texts("A1_=\n\0 é"))
def test_an_assignment_is_split_at_the_first_sign(text: str) -> None:
    """Name and value together are what was written."""
    try:
        name, value = assignment(text)
    except PaasError as error:
        assert error.exit_code == 2
        return
    assert f"{name}={value}" == text


@given(st.text(ANYTHING, max_size=40), st.integers(-2, 2))
def test_the_limit_of_a_value_is_exact(text: str, more: int) -> None:
    """It counts bytes, and any text has a size or is refused."""
    valid = var_name("A")
    size_bytes = len(text.encode("utf-8", "surrogatepass"))
    padded = "x" * (VAR_VALUE_MAX_BYTES + more - size_bytes) + text
    try:
        assert var_value(valid, padded) == padded
    except PaasError as error:
        assert error.reference == "config-value"
    else:
        assert "\0" not in text


@each_kind
@given(st.data())
def test_a_name_ends_with_its_last_character(
    validate: Callable[[str], str], longest: int, allowed: str, data: st.DataObject
) -> None:
    """A line end or a blank before or behind a valid name is not overlooked."""
    name = data.draw(st.text(st.sampled_from(LOWER), min_size=1, max_size=9))
    mark = data.draw(st.sampled_from(["\n", "\r\n", "\0", " ", "\u2028"]))
    assume(name not in RESERVED_APP_NAMES | RESERVED_USER_NAMES)
    assert validate(name) == name
    for text in (name + mark, mark + name):
        with pytest.raises(PaasError):
            validate(text)


@given(
    st.lists(
        st.sampled_from([1, 2, 62, 63, 64]).map(lambda length: "a" * length), min_size=1, max_size=5
    )
)
def test_the_limit_of_a_label_is_exact(labels: list[str]) -> None:
    """63 characters each, and 253 in all, as DNS has it."""
    host = ".".join(labels)
    try:
        assert host_name(host) == host
        is_valid = True
    except PaasError:
        is_valid = False
    assert is_valid == (max(map(len, labels)) <= 63 and len(host) <= HOST_MAX)


@given(texts("a.-*0"))
def test_wildcards_over_a_host_have_it(text: str) -> None:
    """The names above a host are its ends, the closest first, and hosts themselves."""
    try:
        host = host_name(text)
    except PaasError:
        return
    above = parents(host)
    assert above == sorted(above, key=len, reverse=True)
    assert all(host.endswith("." + name) and host_name(name) == name for name in above)
    assert wildcards_over(host) == ["*." + name for name in above]


@given(st.text(ANYTHING, max_size=200))
def test_shown_text_cannot_move_the_cursor(text: str) -> None:
    """In a message, and as a line, it has no control character and can be encoded."""
    assert shown(text).isprintable()
    assert printable(text).replace("\t", "").isprintable()
    assert len(shown(text)) <= 60 * len(r"\U0010ffff") + 2
    (shown(text) + printable(text)).encode()
