"""Sizes in words."""

import pytest

from paas.domain.values.sizes import size_words


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 KiB"),
        (1, "1 KiB"),
        (20_480, "20 KiB"),
        (1_048_576, "1.0 MiB"),
        (5 * 1024**3, "5.0 GiB"),
    ],
)
def test_sizes_in_words(size: int, words: str) -> None:
    """A small one is not shown as none."""
    assert size_words(size) == words
