"""Commands that take an app's name before their settings, or none."""

import pytest

from paas.entrypoints.cli.session import app_and_pairs


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("shop", "memory=1g", "cpu=1"), ("shop", ("memory=1g", "cpu=1"))),
        (("memory=1g", "shop"), (None, ("memory=1g", "shop"))),
        (("shop",), ("shop", ())),
        (("",), ("", ())),
    ],
)
def test_the_first_word_may_name_the_app(
    words: tuple[str, ...], expected: tuple[str | None, tuple[str, ...]]
) -> None:
    """An empty one, as from an unset shell variable, names an app, too: one that there is not."""
    assert app_and_pairs(words) == expected
