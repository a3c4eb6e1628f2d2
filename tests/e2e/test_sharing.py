"""Several people on one server, each with a key: roles, teams, and what is gone with whom."""

import json
import subprocess
from collections.abc import Callable, Mapping

import pytest

from tests.e2e.server import Repository, Server, User
from tests.e2e.tiny import tiny
from tests.waiting import wait_for

EXIT_NO_APP = 20
Make = Callable[[Mapping[str, str | bytes]], Repository]


@pytest.fixture(scope="module")
def ada(server: Server) -> User:
    """An admin."""
    ada = User(server, "ada")
    server.paas("keys:add", "ada", "--admin", stdin=ada.public_key)
    return ada


def test_the_first_hour_of_three_people(server: Server, ada: User, repository: Make) -> None:
    """An admin, a developer who joins, and a contractor who sees one app for a week."""
    shop = repository(tiny("ada's"))
    ada.push(shop, "three-shop")
    ada.push(repository(tiny("billing")), "three-billing")

    dev, cleo = User(server, "dev"), User(server, "cleo")
    ada.ssh("keys:add dev", stdin=dev.public_key)
    assert dev.ssh("auth:whoami").stdout == "dev\n"
    assert dev.ssh("apps --json").stdout == "[]\n"
    unknown = dev.ssh("logs -a three-shop", check=False)
    assert unknown.returncode == EXIT_NO_APP
    ada.ssh("access:add three-shop dev")
    shop.commit({"serve.py": tiny("dev's")["serve.py"]})
    dev.push(shop, "three-shop")
    assert server.get("three-shop").text == "dev's"
    dev.ssh("config:set -a three-shop SECRET=canary")
    refused = dev.ssh("apps:destroy three-shop --confirm three-shop", check=False)
    assert refused.returncode == 1, refused
    assert "You are a deployer of three-shop; this is for owners." in refused.stderr
    assert "Ask ada" in refused.stderr

    ada.ssh("keys:add cleo", stdin=cleo.public_key)
    ada.ssh("access:add three-shop @cleo", check=False)  # there is no such team
    ada.ssh("access:add three-shop cleo --role viewer")
    assert "web" in cleo.ssh("ps -a three-shop").stdout
    shown = cleo.ssh("config -a three-shop").stdout
    assert "SECRET" in shown
    assert "canary" not in shown
    assert "canary" not in cleo.ssh("config -a three-shop --json").stdout
    for words in ("config:get SECRET -a three-shop", "config:export -a three-shop"):
        assert cleo.ssh(words, check=False).returncode == 1
    for words in ("ps:restart -a three-shop", "run -a three-shop id", "rollback -a three-shop"):
        assert "You are a viewer" in cleo.ssh(words, check=False).stderr
    pushed = cleo.push(shop, "three-shop", check=False)
    assert "You are a viewer of three-shop" in pushed.stdout
    assert cleo.ssh("ps -a three-billing", check=False).returncode == EXIT_NO_APP
    missing, hidden = (
        cleo.ssh(f"ps -a {name}", check=False).stderr.replace(name, "NAME")
        for name in ("three-nothing", "three-billing")
    )
    assert missing == hidden

    ada.ssh("users:remove cleo")
    assert cleo.ssh("auth:whoami", check=False).returncode == 255
    assert "cleo" not in ada.ssh("access three-shop").stdout
    releases = json.loads(ada.ssh("releases -a three-shop --json").stdout)
    assert "dev" in {release["user"] for release in releases}


def test_a_team_owns_an_app(server: Server, ada: User, repository: Make) -> None:
    """Whoever joins may do everything with it, whoever leaves nothing; it never loses its owner."""
    tom, tina = server.user("tom"), server.user("tina")
    ada.ssh("teams:create painters")
    ada.ssh("teams:add painters tom")
    tom.ssh("apps:create team-site --owner @painters")
    tom.push(repository(tiny("ours")), "team-site")
    assert tina.ssh("access team-site", check=False).returncode == EXIT_NO_APP
    ada.ssh("teams:add painters tina")
    assert tina.ssh("access team-site").stdout.split() == ["@painters", "owner"]
    tina.ssh("ps:restart -a team-site")
    assert "only owner" in ada.ssh("teams:destroy painters", check=False).stderr
    ada.ssh("teams:remove painters tina")
    assert tina.ssh("ps -a team-site", check=False).returncode == EXIT_NO_APP
    tom.ssh("apps:transfer team-site tina")
    assert tina.ssh("access team-site").stdout.split() == ["tina", "owner", "@painters", "deployer"]
    assert "only owner" in ada.ssh("users:remove tina", check=False).stderr
    tom.ssh("ps:restart -a team-site")
    tina.ssh("access:remove team-site @painters")
    assert tom.ssh("ps -a team-site", check=False).returncode == EXIT_NO_APP


def test_an_app_that_root_makes_belongs_to_nobody(server: Server) -> None:
    """It is said with the command that shares it, which works."""
    made = server.paas("apps:create", "nobodys")
    assert "belongs to nobody" in made.stderr
    assert "paas access:add nobodys NAME --role owner" in made.stderr
    user = server.user("newowner")
    assert user.ssh("apps:info nobodys", check=False).returncode == EXIT_NO_APP
    server.paas("access:add", "nobodys", "newowner", "--role", "owner")
    assert json.loads(user.ssh("apps:info nobodys --json").stdout)["owner"] == "newowner"
    server.paas("apps:create", "given", "--owner", "newowner")
    assert "given" in user.ssh("apps").stdout


def test_what_waits_ends_with_the_access(server: Server, ada: User, repository: Make) -> None:
    """A followed log and an open shell of somebody who may no longer have them; others stay."""
    ada.push(repository(tiny("waits")), "wait-shop")
    eve, ida = server.user("eve"), server.user("ida")
    for name in ("eve", "ida"):
        ada.ssh(f"access:add wait-shop {name}")
    shell = _start(eve, "run -a wait-shop 'echo begun; exec sleep 600'")
    logs = _start(eve, "logs --tail -a wait-shop")
    stays = _start(ida, "run -a wait-shop 'echo begun; exec sleep 600'")
    try:
        for begun in (shell, stays):
            assert begun.stdout is not None
            assert begun.stdout.readline() == "begun\n"
        ada.ssh("access:update wait-shop eve --role viewer")
        _, said = shell.communicate(timeout=150)
        assert "You are a viewer of wait-shop" in said
        assert shell.returncode == 1, shell
        assert logs.poll() is None
        ada.ssh("users:remove eve")
        _, said = logs.communicate(timeout=150)
        assert "'eve' no longer exists" in said
        assert stays.poll() is None

        def users() -> list[str]:
            rows = json.loads(ada.ssh("run:list -a wait-shop --json").stdout)
            return [row["user"] for row in rows]

        wait_for(lambda: users() == ["ida"], what="the end of eve's record")
    finally:
        for process in (shell, logs, stays):
            process.kill()
            process.communicate()


def _start(user: User, command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*user.ssh_argv(), "paas@127.0.0.1", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
