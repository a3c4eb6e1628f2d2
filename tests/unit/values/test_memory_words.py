"""The messages about a lack of memory."""

from paas.domain.values.memory import instance_killed_for_memory, killed_for_memory, shortage


def test_the_limit_is_told_where_there_is_one() -> None:
    """Else it was the server that had no more."""
    assert shortage(512) == "the limit is 512 MiB"
    assert shortage(0) == "the server has no more"
    assert killed_for_memory(512) == ("was killed by the memory limit: it needs more than 512 MiB")
    assert killed_for_memory(0) == ("was killed because the server has no more memory")
    assert instance_killed_for_memory(512).endswith("512 MiB (paas resource:limit)")
    assert instance_killed_for_memory(0) == killed_for_memory(0)
