"""What is said of want of memory."""

from paas.domain.values.memory import killed_for_memory, shortage


def test_the_limit_is_told_where_there_is_one() -> None:
    """Else it was the server that had no more."""
    assert shortage(512) == "the limit is 512 MiB"
    assert shortage(0) == "the server has no more"
    assert killed_for_memory("release", 512) == (
        "release was killed by the memory limit: it needs more than 512 MiB"
    )
    assert killed_for_memory("release", 0) == (
        "release was killed because the server has no more memory"
    )
