"""Which paths the proxy may answer for load balancers, so that none is taken from an app."""

import pytest

from paas.domain.routing.health import HEALTH_PATH, health_path
from paas.settings import Settings
from paas.settings_rules import problem


@pytest.mark.parametrize("text", ["", HEALTH_PATH, "/.well-known/up", "/.well-known/a/b.c_d~e-f"])
def test_paths_that_are_taken(text: str) -> None:
    """Below /.well-known/; or none."""
    assert health_path(text) == text
    assert problem(Settings(health_path=text)) is None


@pytest.mark.parametrize(
    "text",
    [
        *("/", "/health", "/.well-known", "/.well-known/", "/.well-known/a/", "/.well-known//a"),
        *("/.well-known/../a", "/.well-known/a/..", "/.well-known/.a", "/.well-known/a b"),
        *("/.well-known/a\n", "/.well-known/%41", "/.well-known/a;b", "/.well-known/a{b"),
        *("/.well-known/acme-challenge", "/.well-known/acme-challenge/x", "/.Well-Known/a"),
        "/.well-known/" + "a" * 200,
    ],
)
def test_paths_that_are_refused(text: str) -> None:
    """An app's own, a challenge's, and what a proxy's file could take for something else."""
    with pytest.raises(ValueError, match=r"a path (below|outside) /\.well-known"):
        health_path(text)
    assert "health_path takes a path" in (problem(Settings(health_path=text)) or "")
