"""The defaults that each Node.js instance starts with."""

from functools import partial

import pytest

from tests.unit.buildpacks.profiles import environment_after

started_with = partial(environment_after, "node")


def test_defaults() -> None:
    """As many workers as cores, up to 4; nothing of the script's own is left."""
    env = started_with()
    assert 1 <= int(env["WEB_CONCURRENCY"]) <= 4
    assert not any(name.startswith("_paas") for name in env)


@pytest.mark.parametrize(
    ("memory_mib", "each_mib", "workers"),
    [
        ("256", "", "1"),
        ("512", "", "1"),
        ("512", "256", None),
        ("511", "256", "1"),
        ("256", "x[$(id)]", "1"),
        ("x[$(id)]", "512", None),
        ("99999", "1", None),
    ],
)
def test_workers_fit_the_limit_of_memory(
    memory_mib: str, each_mib: str, workers: str | None
) -> None:
    """One per WEB_MEMORY, but never more than without a limit; nonsense is ignored."""
    free = int(started_with()["WEB_CONCURRENCY"])
    expected = workers or str(min(free, 2) if memory_mib == "512" else free)
    found = started_with(MEMORY_AVAILABLE=memory_mib, WEB_MEMORY=each_mib)
    assert found["WEB_CONCURRENCY"] == expected


def test_a_config_var_wins() -> None:
    """It overrides any limit."""
    assert started_with(WEB_CONCURRENCY="9", MEMORY_AVAILABLE="256")["WEB_CONCURRENCY"] == "9"
