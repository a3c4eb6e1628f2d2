"""Which words are recorded: nothing that may be a secret."""

import pytest

from paas.domain.audit.words import recorded


@pytest.mark.parametrize(
    ("command", "words", "expected"),
    [
        ("config:set", ["A=secret", "B=x=y"], "A B"),
        ("config:set", ["A=two", "words of a value"], "A …"),
        ("config:set", ["se cret=x"], "…"),
        ("config:unset", ["A", "secret", "OLD_KEY"], "A … OLD_KEY"),
        ("ps:scale", ["web=2", "worker+1"], "web=2 worker+1"),
        ("domains:add", ["*.example.com", "bücher.example"], "*.example.com bücher.example"),
        ("git:sync", ["https://me:secret@git.example/a.git?k=secret", "main"], None),
        ("git:sync", ["me:secret@git.example/a.git"], "…"),
        ("git:sync", ["https://[bad", "main"], "… main"),
        ("git:from-archive", ["-"], "-"),
        ("buildpacks:add", ["https://secret@example.com/pack#v1"], "https://example.com/pack"),
        ("drains:add", ["https://me:secret@logs.example:99/secret?t=secret"], None),
        ("drains:remove", ["d.5f0c6a0e-4f0e"], "d.5f0c6a0e-4f0e"),
        ("drains:remove", ["secret"], "…"),
        ("nginx:set", ["header-X-Key", "secret"], "header-X-Key"),
        ("http-auth:add-user", ["guest", "secret"], "guest"),
        ("keys:add", ["alice", "ssh-ed25519"], "alice"),
        ("tokens:revoke", ["paas_Ab12Cd34"], "paas_Ab12Cd34"),
        ("tokens:revoke", [f"paas_{'Ab12' * 11}Cd"], "…"),
        ("users:add", [f"x.paas_{'Ab12' * 11}Cd"], "…"),
        ("keys:add", ["ssh-ed25519 AAAA me"], "…"),
        ("run", ["bash", "-c", "echo secret"], "bash and 3 more"),
        ("run", ["TOKEN=secret bash"], "… and 1 more"),
        ("run", ["env"], "env"),
        ("run:detached", ["python -c secret"], "python and 2 more"),
        ("apps:lock", ["secret"], ""),
        ("no:such", ["secret"], ""),
        ("ps:restart", ["x" * 201], "…"),
    ],
)
def test_recorded_words(command: str, words: list[str], expected: str | None) -> None:
    """In the way of the command's row."""
    shown = " ".join(recorded(command, words, {}))
    assert "secret" not in shown
    if expected is not None:
        assert shown == expected


def test_a_url_keeps_what_says_where() -> None:
    """The repository; of a drain, the host alone."""
    source = "https://me:secret@git.example:8443/a.git?k=secret"
    assert recorded("git:sync", [source], {}) == ("https://git.example:8443/a.git",)
    assert recorded("drains:add", [source], {}) == ("https://git.example:8443",)


def test_options_by_name() -> None:
    """Their values only where they are known to be harmless."""
    options = {
        "--env": ["A=secret", "secret"],
        "--unset": ["OLD", "secret"],
        "--reason": ["secret"],
        "--confirm": ["secret"],
        "--force": [],
        "--user": ["alice"],
    }
    shown = " ".join(recorded("config:import", [], options))
    assert shown == "--confirm --env A … --force --reason --unset OLD … --user alice"


def test_there_is_a_limit() -> None:
    """A line does not grow with the command."""
    names = [f"N{number}" for number in range(99)]
    words = recorded("config:unset", names, {})
    assert words[-2:] == ("N49", "and 49 more")
