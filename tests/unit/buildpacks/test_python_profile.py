"""The defaults that each Python instance starts with."""

from functools import partial

import pytest

from tests.unit.buildpacks.profiles import environment_after

started_with = partial(environment_after, "python")


def test_defaults() -> None:
    """Without config vars: unbuffered, the app's Python first, trusting the proxy only."""
    env = started_with()
    assert env["PATH"] == "/app/.venv/bin:/usr/bin:/bin"
    assert env["PYTHONUNBUFFERED"] == "1"
    assert env["FORWARDED_ALLOW_IPS"] == "127.0.0.1"
    assert 1 <= int(env["WEB_CONCURRENCY"]) <= 4
    assert "GUNICORN_CMD_ARGS" not in env
    assert not any(name.startswith(("_paas", "BASH_FUNC")) for name in env)


@pytest.mark.parametrize(
    ("memory_mib", "workers"), [("128", "1"), ("256", "1"), ("511", "1"), ("x[$(id)]", None)]
)
def test_workers_fit_the_limit_of_memory(memory_mib: str, workers: str | None) -> None:
    """One for each 256 MiB, or the kernel ends one after another; nonsense counts for nothing."""
    expected = workers or started_with()["WEB_CONCURRENCY"]
    assert started_with(MEMORY_AVAILABLE=memory_mib)["WEB_CONCURRENCY"] == expected


def test_config_vars_win() -> None:
    """Every default can be replaced."""
    wanted = {"PYTHONUNBUFFERED": "0", "WEB_CONCURRENCY": "9", "FORWARDED_ALLOW_IPS": "*"}
    env = started_with(**wanted)
    assert {name: env[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", "--bind=127.0.0.1:5000"),
        ("--threads=4 --backlog=9", "--bind=127.0.0.1:5000 --threads=4 --backlog=9"),
        ("--bind=0.0.0.0:5000", "--bind=0.0.0.0:5000"),
        ("--threads 4 -b :5000", "--threads 4 -b :5000"),
    ],
)
def test_gunicorn_binds_loopback(given: str, expected: str) -> None:
    """Gunicorn listens on loopback unless its arguments say where."""
    assert started_with(PORT="5000", GUNICORN_CMD_ARGS=given)["GUNICORN_CMD_ARGS"] == expected
