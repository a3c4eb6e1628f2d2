"""Names from outside: what is taken and what is refused."""

import pytest

from paas.domain.values.errors import EXIT_USAGE, PaasError
from paas.domain.values.names import (
    app_name,
    assignment,
    branch_name,
    process_type,
    user_name,
    var_name,
    var_value,
)

HOSTILE = ["", "..", "-rf", "a;id", "$(id)", "`id`", "a/b", "a\n", "a b", "a\0", "\x1b[31m", "é"]


@pytest.mark.parametrize(
    "text", [*HOSTILE, "a" * 31, "Shop", "1shop", "shop-", "root", "git", "www"]
)
def test_bad_app_names_are_refused(text: str) -> None:
    """An app's name is a DNS label and none that the platform needs itself."""
    with pytest.raises(PaasError) as caught:
        app_name(text)
    assert caught.value.exit_code == EXIT_USAGE
    assert "\n" not in caught.value.message
    assert "\x1b" not in caught.value.message


@pytest.mark.parametrize("text", ["a", "shop", "a1", "my-shop-2", "a" * 30])
def test_good_app_names(text: str) -> None:
    """Letters, digits and inner dashes, up to 30."""
    assert app_name(text) == text


@pytest.mark.parametrize("text", [*HOSTILE, "root", "paas", "cron", "Alice", "a" * 33, ".alice"])
def test_bad_user_names_are_refused(text: str) -> None:
    """It goes into authorized_keys, and none may pass for the operator or the platform."""
    with pytest.raises(PaasError):
        user_name(text)


@pytest.mark.parametrize("text", [*HOSTILE, "../x", "a.b", "a" * 64])
def test_bad_process_types_are_refused(text: str) -> None:
    """A process type goes into file names."""
    with pytest.raises(PaasError):
        process_type(text)


@pytest.mark.parametrize("text", [*HOSTILE, "A-B", "1X", "A B", "PORT", "A" * 201])
def test_bad_config_names_are_refused(text: str) -> None:
    """A config var is a shell variable, and not one that the platform sets."""
    with pytest.raises(PaasError):
        var_name(text)


@pytest.mark.parametrize(
    "value", ["", " a ", "a\nb", "%(ENV_X)s", "$HOME", "\\", "é", "x" * 65_536]
)
def test_values_pass_as_they_are(value: str) -> None:
    """Any text up to 64 KiB."""
    assert var_value(var_name("A"), value) == value


def test_values_have_a_limit() -> None:
    """64 KiB, counted in UTF-8; no NUL, no half of a surrogate pair, which JSON can have."""
    for value in ("x" * 65_537, "é" * 40_000, "a\0b", "\ud800"):
        with pytest.raises(PaasError):
            var_value(var_name("A"), value)


def test_assignment_splits_at_the_first_equals() -> None:
    """A=B=C is A with the value B=C."""
    assert assignment("A=B=C") == ("A", "B=C")
    for text in ("A", "=B", "A-B=1"):
        with pytest.raises(PaasError):
            assignment(text)


@pytest.mark.parametrize("text", [*sorted(set(HOSTILE) - {"a/b"}), "a..b", "a.lock", "a//b", "a/"])
def test_bad_branches_are_refused(text: str) -> None:
    """A deploy branch is a plain one."""
    with pytest.raises(PaasError):
        branch_name(text)
