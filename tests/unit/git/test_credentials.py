"""Private repositories: what is kept for an app, shown of it, and handed to its fetches."""

from pathlib import Path

import pytest

from paas.adapters.ssh.deploy_keys import new_deploy_key
from paas.domain.git.credentials import HostKey, host_key, host_token
from paas.domain.git.sources import GitSource, git_source, host_of
from paas.domain.values.errors import PaasError
from paas.entrypoints.fetcher.access import handed_over
from paas.services.deploys.imports import Building
from tests.fakes.world import ROOT, World

BY_SSH = GitSource("git@git.example.com:acme/shop.git", "main")


def test_a_deploy_key_is_made_once_and_replaced_when_asked(world: World) -> None:
    """Its private half goes to fetches alone, and it ends with the app."""
    app = world.app()
    first = world.git_credentials.deploy_key(ROOT, "shop")
    again = world.git_credentials.deploy_key(ROOT, "shop")
    assert (first.made, again.made, again.public) == (True, False, first.public)
    assert first.public.endswith(" shop@example.com")
    world.importer.commit = "d" * 40
    world.imports.sync(ROOT, "shop", BY_SSH, Building.NEVER, world.progress)
    assert world.importer.access is not None
    assert world.importer.access.key is not None
    private = world.importer.access.key.private.reveal()
    raw = (world.folder / "state.db").read_bytes() + _wal(world.folder)
    assert private.encode() not in raw
    assert world.git_credentials.deploy_key(ROOT, "shop", rotate=True).public != first.public
    world.git_credentials.remove_key(ROOT, "shop")
    with pytest.raises(PaasError, match="has no deploy key"):
        world.imports.sync(ROOT, "shop", BY_SSH, Building.NEVER, world.progress)
    world.git_credentials.deploy_key(ROOT, "shop")
    world.apps.destroy(ROOT, "shop", "shop", world.progress)
    assert world.store.git_credentials.key(app.id) is None


def _wal(folder: Path) -> bytes:
    path = folder / "state.db-wal"
    return path.read_bytes() if path.exists() else b""


def test_tokens_are_listed_without_their_text_and_belong_to_one_app(world: World) -> None:
    """One for each host, replaced by the next one."""
    world.app()
    other = world.app("blog")
    credentials = world.git_credentials
    credentials.set_token(ROOT, "shop", host_token("GitHub.com", None, "first"))
    credentials.set_token(ROOT, "shop", host_token("github.com:443", "me", "second"))
    credentials.set_token(ROOT, "shop", host_token("bitbucket.org", None, "third"))
    assert credentials.tokens(ROOT, "shop") == [
        ("bitbucket.org", "x-token-auth"),
        ("github.com", "me"),
    ]
    assert credentials.of(other).tokens == ()
    credentials.remove_token(ROOT, "shop", "github.com")
    with pytest.raises(PaasError, match="has no token for"):
        credentials.remove_token(ROOT, "shop", "github.com")


def test_a_host_key_is_shown_once_and_kept(world: World) -> None:
    """Until somebody has it forgotten."""
    app = world.app()
    world.git_credentials.deploy_key(ROOT, "shop")
    key = HostKey("[git.example.com]:2222", " ".join(new_deploy_key("x").public.split()[:2]))
    world.importer.host_keys = (key,)
    world.imports.sync(ROOT, "shop", BY_SSH, Building.NEVER, world.progress)
    assert any(key.fingerprint in line for line in world.progress.lines)
    assert world.git_credentials.of(app).host_keys == (key,)
    other = HostKey(key.host, " ".join(new_deploy_key("y").public.split()[:2]))
    world.git_credentials.learn(app, [other], world.progress)
    assert world.git_credentials.of(app).host_keys == (key,)
    world.git_credentials.forget_host(ROOT, "shop", "git.example.com:2222")
    with pytest.raises(PaasError, match="kept no host key"):
        world.git_credentials.forget_host(ROOT, "shop", "git.example.com:2222")


@pytest.mark.parametrize(
    ("host", "user", "token"),
    [
        ("https://github.com", None, "t"),
        ("github.com/acme", None, "t"),
        ("me@github.com", None, "t"),
        ("git..hub", None, "t"),
        ("github.com\n", None, "t"),
        ("github.com", "a:b", "t"),
        ("github.com", "-x", "t"),
        ("github.com", None, ""),
        ("github.com", None, "a b"),
        ("github.com", None, "secret\nhost=evil.example"),
    ],
)
def test_what_is_no_token_for_a_host_is_refused(host: str, user: str | None, token: str) -> None:
    """And what might be a secret is not repeated."""
    with pytest.raises(PaasError) as raised:
        host_token(host, user, token)
    assert raised.value.exit_code == 2
    assert "secret" not in raised.value.report


@pytest.mark.parametrize(
    "line",
    [
        "github.com ssh-ed25519 short",
        "github.com,evil ssh-ed25519 " + "A" * 68,
        "@cert-authority github.com ssh-ed25519 " + "A" * 68,
        "github.com ssh-ed25519 " + "A" * 67 + "=A",
        "* ssh-ed25519 " + "A" * 68,
    ],
)
def test_what_is_no_host_key_is_not_kept(line: str) -> None:
    """The fetching sandbox is distrusted."""
    assert host_key(line) is None


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("git@github.com:acme/shop.git", "github.com"),
        ("ssh://git@git.example.com:2222/shop.git", "git.example.com:2222"),
        ("https://git.example.com:8443/shop.git", "git.example.com:8443"),
    ],
)
def test_the_host_of_an_address(url: str, host: str) -> None:
    """With a port that it names."""
    assert git_source(url, None).url == url
    assert host_of(url) == host


@pytest.mark.parametrize(
    "url",
    [
        "git@-oProxyCommand=id:x.git",
        "ssh://-oProxyCommand=id/x",
        "ssh://git@h/$(id)",
        "git@h:x y",
        "git@h:../x",
        "git@h:-x",
        "a;b@h:x",
        "ssh://git:secret@h/x",
    ],
)
def test_addresses_by_ssh_that_are_refused(url: str) -> None:
    """Options, shell syntax and passwords."""
    with pytest.raises(PaasError) as raised:
        git_source(url, None)
    assert "secret" not in raised.value.report


def test_what_is_handed_over_is_in_files_of_one_user(tmp_path: Path) -> None:
    """In git-credential-store's form, and never in git's arguments or environment."""
    text = (
        b"""{"tokens": [["h:8443", "me", "p@ss/%"]], "key": "K1\\nK2\\n", "known_hosts": ["h k"]}"""
    )
    access = handed_over(text, tmp_path / "place")
    assert access.credentials is not None
    assert access.credentials.read_text() == "https://me:p%40ss%2F%25@h:8443\n"
    assert access.credentials.stat().st_mode & 0o777 == 0o600
    assert access.host_keys() == ["h k"]
    assert access.key is not None
    assert access.key.read_text() == "K1\nK2\n"
    assert "p@ss" not in str(access.settings) + str(access.environment)
