"""Commit statuses: what each git server is told, and where."""

import pytest

from paas.domain.git.events import Forge
from paas.domain.git.statuses import CommitStatus, Outcome, status_request

COMMIT = "c" * 40
STATUS = CommitStatus(COMMIT, Outcome.FAILED, "shop", "failed: x", "https://shop.example.com")


@pytest.mark.parametrize(
    ("forge", "repository", "url", "host", "state"),
    [
        (
            Forge.GITHUB,
            "https://github.com/acme/shop.git",
            f"https://api.github.com/repos/acme/shop/statuses/{COMMIT}",
            "github.com",
            "failure",
        ),
        (
            Forge.GITHUB,
            "git@github.com:acme/shop.git",
            f"https://api.github.com/repos/acme/shop/statuses/{COMMIT}",
            "github.com",
            "failure",
        ),
        (
            Forge.GITHUB,
            "https://code.example.com/acme/shop",
            f"https://code.example.com/api/v3/repos/acme/shop/statuses/{COMMIT}",
            "code.example.com",
            "failure",
        ),
        (
            Forge.GITLAB,
            "https://gitlab.example.com:8443/acme/web/shop.git",
            f"https://gitlab.example.com:8443/api/v4/projects/acme%2Fweb%2Fshop/statuses/{COMMIT}",
            "gitlab.example.com:8443",
            "failed",
        ),
        (
            Forge.FORGEJO,
            "ssh://git@codeberg.org:2222/acme/shop.git",
            f"https://codeberg.org/api/v1/repos/acme/shop/statuses/{COMMIT}",
            "codeberg.org",
            "failure",
        ),
        (
            Forge.BITBUCKET,
            "https://bitbucket.org/acme/shop.git",
            f"https://api.bitbucket.org/2.0/repositories/acme/shop/commit/{COMMIT}/statuses/build",
            "bitbucket.org",
            "FAILED",
        ),
    ],
)
def test_where_it_goes(forge: Forge, repository: str, url: str, host: str, state: str) -> None:
    """To the server's own host, over HTTPS, whatever the repository's address is."""
    found = status_request(forge, repository, STATUS)
    assert found is not None
    assert (found.url, found.host, found.fields["state"]) == (url, host, state)
    assert "https://shop.example.com" in found.fields.values()


@pytest.mark.parametrize("forge", Forge)
def test_all_outcomes_have_states(forge: Forge) -> None:
    """Three different ones."""
    host = "bitbucket.org" if forge is Forge.BITBUCKET else "git.example.com"
    states = set()
    for outcome in Outcome:
        status = CommitStatus(COMMIT, outcome, "shop", "x" * 1_000, "https://shop.example.com")
        found = status_request(forge, f"https://{host}/acme/shop", status)
        assert found is not None
        assert len(found.fields["description"]) == 140
        states.add(found.fields["state"])
    assert len(states) == 3


@pytest.mark.parametrize(
    ("forge", "repository", "commit"),
    [
        (Forge.GITHUB, "https://github.com/acme", COMMIT),
        (Forge.GITHUB, "https://github.com/acme/shop", ""),
        (Forge.GITLAB, "https://git.example.com//shop", COMMIT),
        (Forge.BITBUCKET, "https://bitbucket.example.com/acme/shop", COMMIT),
    ],
)
def test_what_cannot_be_told(forge: Forge, repository: str, commit: str) -> None:
    """Nothing is sent then."""
    status = CommitStatus(commit, Outcome.PENDING, "shop", "x", "https://shop.example.com")
    assert status_request(forge, repository, status) is None
