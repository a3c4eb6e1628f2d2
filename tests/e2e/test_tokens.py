"""Tokens over the real sshd: whom they stand for, what they do not allow, and how they end."""

import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.e2e.server import Finished, Repository, Server, User, git_environment, run
from tests.e2e.tiny import tiny
from tests.waiting import wait_for

PAAS = Path(sys.executable).with_name("paas")
SEND = ("-o", "SendEnv=PAAS_TOKEN")


class Pipeline:
    """A pipeline of CI: the way in is the key of a user without apps; what it may, a token says."""

    def __init__(self, server: Server, key: User) -> None:
        self.server = server
        self.key = key
        self.made: list[str] = []
        self.said: list[str] = []

    def token(self, user: User, *options: str) -> str:
        """A new token of a user's, which is all that is printed on stdout."""
        done = user.ssh("tokens:create", *options)
        token = done.stdout.removesuffix("\n")
        assert re.fullmatch(r"paas_[0-9A-Za-z]{46}", token)
        assert f"Created the token {token[5:13]}" in done.stderr
        self.made.append(token)
        self.said.append(done.stderr)
        return token

    def ssh(self, token: str | None, *words: str) -> Finished:
        """A command with the token in the environment."""
        env = {**git_environment(), **({} if token is None else {"PAAS_TOKEN": token})}
        argv = [*self.key.ssh_argv(*SEND), "paas@127.0.0.1", shlex.join(words)]
        return self._noted(run(argv, env=env, check=False))

    def push(self, token: str, repository: Repository, app: str) -> Finished:
        """git push with the token in the environment."""
        env = {**self.key.git_env(), "PAAS_TOKEN": token}
        env["GIT_SSH_COMMAND"] += f" {shlex.join(SEND)}"
        argv = ["git", "push", self.key.git_url(app), "main"]
        return self._noted(run(argv, cwd=repository.path, env=env, check=False, timeout_s=150))

    def _noted(self, done: Finished) -> Finished:
        self.said += [done.stdout, done.stderr]
        return done


@pytest.fixture(scope="module")
def ci(server: Server) -> Iterator[Pipeline]:
    """Afterwards, none of its tokens is in any file of the server, or in anything that was said."""
    made = Pipeline(server, server.user("ci"))
    yield made
    for listed in (["tokens", "--json"], ["audit", "--json"], ["server:status"], ["doctor"]):
        made.said.append(server.paas(*listed, check=False).stdout)
    secrets = [token[13:43] for token in made.made]
    assert secrets
    for said in made.said:
        assert not any(secret in said for secret in secrets), said
    for folder, _, names in os.walk(server.root):
        for path in (Path(folder, name) for name in names):
            with suppress(FileNotFoundError):  # removed meanwhile
                if path.is_file() and not path.is_symlink():
                    content = path.read_bytes()
                    assert not any(secret.encode() in content for secret in secrets), path


def app_of(user: User, name: str) -> str:
    """A new app of a user's."""
    user.ssh("apps:create", name)
    return name


def test_whom_it_stands_for(server: Server, alice: User, ci: Pipeline) -> None:
    """Its user, within its limits; the key is only the way in. In what is listed, it has a name."""
    shop, other = app_of(alice, "tokened"), app_of(alice, "untokened")
    token = ci.token(alice, "--app", shop, "--role", "deployer", "--note", "CI of shop")
    assert ci.ssh(None, "auth:whoami").stdout == "ci\n"
    assert ci.ssh(token, "auth:whoami").stdout == "alice\n"
    assert json.loads(ci.ssh(token, "auth:whoami", "--json").stdout)["token"] == token[5:13]
    assert json.loads(ci.ssh(None, "auth:whoami", "--json").stdout)["token"] is None
    assert ci.ssh(None, "ps", "-a", shop).returncode == 20
    assert ci.ssh(token, "ps", "-a", shop).returncode == 0
    assert ci.ssh(token, "ps", "-a", other).returncode == 20
    assert ci.ssh(token, "config:set", "-a", shop, "COLOUR=red").returncode == 0
    assert '"user": "alice"' in server.paas("releases", "-a", shop, "--json").stdout
    for words, why in (
        (["apps:destroy", "-a", shop, "--confirm", shop], "This token makes you a deployer"),
        (["apps:create", "another"], "limited to an app or a role"),
        (["tokens:create"], "limited to an app or a role"),
        (["keys"], "limited to an app or a role"),
        (["users"], "Only an admin"),
    ):
        refused = ci.ssh(token, *words)
        assert (refused.returncode, refused.stdout) == (1, ""), words
        assert why in refused.stderr
    listed = alice.ssh("tokens").stdout
    assert re.search(rf"{token[5:13]} +alice +CI of shop +{shop} +deployer .* 127\.0\.0\.1", listed)
    assert token[5:13] not in ci.key.ssh("tokens").stdout
    assert f"token:{token[5:13]} SHA256:" in server.paas("audit", "-a", shop, "--json").stdout


def test_a_viewer_s_token(alice: User, ci: Pipeline) -> None:
    """It sees the names of config vars, and changes nothing."""
    shop = app_of(alice, "viewed")
    alice.ssh("config:set", "-a", shop, "COLOUR=red")
    token = ci.token(alice, "--role", "viewer")
    shown = ci.ssh(token, "config", "-a", shop)
    assert "COLOUR" in shown.stdout
    assert "red" not in shown.stdout
    refused = ci.ssh(token, "config:set", "-a", shop, "COLOUR=blue")
    assert "This token makes you a viewer of viewed" in refused.stderr


def test_a_token_that_is_not_valid(server: Server, alice: User, ci: Pipeline) -> None:
    """Refused, each with its own words; never taken for the user of the key."""
    token = ci.token(alice, "--expires", "1h")
    assert ci.ssh(token, "auth:whoami").stdout == "alice\n"
    with closing(sqlite3.connect(server.state / "state.db")) as database, database:
        database.execute(
            "UPDATE tokens SET expires_at = '2026-01-01T00:00:00+00:00' WHERE prefix = ?",
            (token[5:13],),
        )
    revoked = ci.token(alice)
    alice.ssh("tokens:revoke", revoked[5:13])
    for text, why in (
        (token, "expired on 2026-01-01 at 00:00 UTC"),
        (revoked, "is not known here: it was revoked"),
        ("", "it is not a token"),
        (f"{revoked[:-1]}_", "it is not a token"),
    ):
        for words in (
            ["auth:whoami"],
            ["apps:create", "tokenless"],
            ["git-receive-pack", "tokenless"],
        ):
            refused = ci.ssh(text, *words)
            assert (refused.returncode, refused.stdout) == (1, ""), (why, words)
            assert why in refused.stderr
    assert "expired" in alice.ssh("tokens").stdout
    assert "tokenless" not in server.paas("apps").stdout
    tried = map(json.loads, server.paas("audit", "--user", "ci", "--json").stdout.splitlines())
    reasons = {event["error"] for event in tried if event["command"] == "apps:create"}
    assert reasons == {"token-expired", "token-unknown", "token-form"}
    whole = alice.ssh("tokens:revoke", token, check=False)
    assert (whole.returncode, token[13:] in whole.stderr) == (2, False)


def test_a_push(server: Server, alice: User, ci: Pipeline, tmp_path: Path) -> None:
    """It deploys under the user's name. No command line that runs meanwhile has the token in it."""
    shop = app_of(alice, "pushed")
    token = ci.token(alice, "--app", shop, "--role", "deployer")
    repository = Repository.of(tmp_path / "shop", tiny())
    before_it_is_sent(repository, f"cat /proc/[0-9]*/cmdline > {tmp_path}/cmdlines 2>&1 || true")
    assert ci.push(token, repository, "untokened-new").returncode != 0
    pushed = ci.push(token, repository, shop)
    assert pushed.returncode == 0, pushed.stderr
    assert b"receive-pack" in (tmp_path / "cmdlines").read_bytes()
    assert token.encode() not in (tmp_path / "cmdlines").read_bytes()
    assert server.get(shop).text == "v1"
    assert '"user": "alice"' in server.paas("releases", "-a", shop, "--json").stdout
    assert '"via": "token:' in server.paas("audit", "-a", shop, "--json").stdout
    assert "untokened-new" not in server.paas("apps").stdout


def test_a_token_that_is_revoked_during_a_push(
    server: Server, alice: User, ci: Pipeline, tmp_path: Path
) -> None:
    """The hook asks again: nothing is deployed."""
    shop = app_of(alice, "cut-off")
    token = ci.token(alice, "--app", shop)
    repository = Repository.of(tmp_path / "shop", tiny())
    before_it_is_sent(repository, f"exec {server.root}/bin/paas tokens:revoke {token[5:13]}")
    pushed = ci.push(token, repository, shop)
    assert pushed.returncode != 0
    assert "is not known here: it was revoked" in pushed.stderr
    assert server.paas("releases", "-a", shop, "--json").stdout.strip() == "[]"


def test_what_waits_ends_with_the_token(alice: User, ci: Pipeline) -> None:
    """A followed log of a token that is revoked."""
    shop = app_of(alice, "followed")
    token = ci.token(alice, "--app", shop)
    argv = [*ci.key.ssh_argv(*SEND), "paas@127.0.0.1", f"logs --tail -a {shop}"]
    env = {**git_environment(), "PAAS_TOKEN": token}
    logs = subprocess.Popen(argv, env=env, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: token[5:13] in used_tokens(alice), what="the use of the token")
        alice.ssh("tokens:revoke", token[5:13])
        _, said = logs.communicate(timeout=150)
    finally:
        logs.kill()
        logs.communicate()
    ci.said.append(said)
    assert "is not known here: it was revoked" in said
    assert logs.returncode == 1, logs


def used_tokens(user: User) -> set[str]:
    """The prefixes of a user's tokens that have been used."""
    listed = json.loads(user.ssh("tokens", "--json").stdout)
    return {token["prefix"] for token in listed if token["last_used"]}


def before_it_is_sent(repository: Repository, script: str) -> None:
    """Have git run this when the server has let the push in, and has got nothing (githooks(5))."""
    hook = repository.path / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{script}\n")
    hook.chmod(0o755)


def test_the_end_of_its_user_and_app(server: Server, ci: Pipeline) -> None:
    """It goes with either; a team's access goes with the membership."""
    tess = server.user("tess")
    shop = app_of(tess, "short-lived")
    of_app, of_user = ci.token(tess, "--app", shop), ci.token(tess)
    assert ci.ssh(of_app, "ps", "-a", shop).returncode == 0
    tess.ssh("apps:destroy", "-a", shop, "--confirm", shop)
    assert "is not known here" in ci.ssh(of_app, "apps").stderr
    assert ci.ssh(of_user, "auth:whoami").stdout == "tess\n"
    server.paas("users:remove", "tess")
    assert "is not known here" in ci.ssh(of_user, "auth:whoami").stderr


def test_the_client_sends_it(server: Server, alice: User, ci: Pipeline) -> None:
    """From a laptop; root on the server is root whatever its environment has."""
    token = ci.token(alice)
    words = ["auth:whoami", "--server", f"paas@127.0.0.1:{server.ssh_port}"]
    env = {**ci.key.git_env(), "PAAS_TOKEN": token}
    assert run([str(PAAS), *words], env=env).stdout == "alice\n"
    del env["PAAS_TOKEN"]
    assert run([str(PAAS), *words], env=env).stdout == "ci\n"
    env = {**os.environ, "PAAS_TOKEN": token}
    assert run([str(server.root / "bin/paas"), "auth:whoami"], env=env).stdout == "root\n"
