"""Each command of the table in the reference asks for the permission of its row, and for no other.

The commands run as users type them, on a real store. A new command fails here until it has a row,
and words to run it with.
"""

import io
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest

from paas.domain.apps.apps import Actor, App, Role
from paas.domain.apps.permissions import Permission
from paas.domain.git import access
from paas.domain.values.errors import EXIT_NO_APP, PaasError
from paas.domain.values.names import AppName
from paas.entrypoints.cli import git
from paas.entrypoints.cli.command_table import COMMANDS, root
from paas.entrypoints.cli.local import LocalCaller
from paas.entrypoints.cli.session import Session
from paas.wiring.services import Services, all_services
from tests.fakes.world import World

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "access.md"
NAMES = {str(command.name) for command in COMMANDS}
# What each command is run with, beside -a shop.
WORDS: dict[str, str] = {
    "apps:clone": "copy",
    "apps:destroy": "--confirm shop",
    "apps:info": "",
    "apps:lock": "",
    "apps:rename": "other",
    "apps:unlock": "",
    "builder:set": "build-dir web",
    "buildpacks": "",
    "buildpacks:add": "python",
    "buildpacks:clear": "",
    "buildpacks:remove": "python",
    "buildpacks:set": "python",
    "builds": "",
    "builds:cache:purge": "",
    "builds:cancel": "",
    "builds:info": "",
    "builds:output": "",
    "certs": "",
    "certs:add": "",
    "certs:auto": "on",
    "certs:info": "",
    "certs:remove": "",
    "checks:report": "",
    "checks:set": "start-limit 60",
    "config": "",
    "config:export": "",
    "config:get": "A",
    "config:import": "",
    "config:set": "A=1",
    "config:unset": "A",
    "cron": "",
    "cron:resume": "",
    "cron:run": "nightly",
    "cron:suspend": "",
    "diff": "v1 v2",
    "disk": "",
    "domains": "",
    "domains:add": "www.example.org",
    "domains:clear": "",
    "domains:redirect": "www.example.org example.org",
    "domains:remove": "www.example.org",
    "domains:verify": "",
    "drains": "",
    "drains:add": "syslog://logs.example.org:514",
    "drains:remove": "syslog://logs.example.org:514",
    "git:from-archive": "https://example.org/a.tar.gz",
    "git:info": "",
    "git:set": "deploy-branch main",
    "git:sync": "https://example.org/a.git",
    "http-auth": "",
    "http-auth:add-user": "guest",
    "http-auth:remove-user": "guest",
    "logs": "",
    "maintenance": "",
    "maintenance:custom-page": "--clear",
    "maintenance:off": "",
    "maintenance:on": "",
    "nginx:report": "",
    "nginx:set": "hsts off",
    "open": "",
    "ps": "",
    "ps:restart": "",
    "ps:scale": "web=1",
    "ps:start": "",
    "ps:stop": "web",
    "ps:type": "web=standard-1x",
    "ps:wait": "",
    "quota:report": "",
    "releases": "",
    "releases:info": "v1",
    "releases:output": "v1",
    "releases:retry": "",
    "resource:limit": "memory=512m",
    "resource:limit-clear": "",
    "resource:report": "",
    "rollback": "",
    "run": "true",
    "run:detached": "true",
    "run:list": "",
    "run:stop": "run.1",
    "sandbox:report": "",
    "static": "",
    "static:add": "/static static",
    "static:remove": "/static",
    "storage": "",
    "storage:add": "/app/data",
    "storage:remove": "/app/data --confirm shop",
}
# It runs these, from the user's computer.
ON_A_COMPUTER = {"config:edit": ("config:export", "config:import")}
# A second use of a command, and what git asks for, with what the reference says of them.
OTHER_USES = {
    "certs:auto (to see the state)": Permission.VIEW,
    access.RECEIVE_PACK: Permission.DEPLOY,
    "git-upload-pack": Permission.DEPLOY,
    f"{access.LFS_TRANSFER} upload": Permission.DEPLOY,
    f"{access.LFS_TRANSFER} download": Permission.DEPLOY,
}
ADMINS = {
    "doctor": "",
    "domains:set-global": "example.net",
    "proxy": "",
    "proxy:set": "nginx",
    "sandbox:set": "user-namespaces=on",
    "quota:set": "disk=1g",
    "server:rotate-key": "",
}


def rows() -> dict[str, Permission]:
    """The permission of each command, as the table has it."""
    found = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", REFERENCE.read_text(), re.MULTILINE)
    return {
        name: Permission(permission)
        for permission, commands in found
        for name in re.findall(r"`([^`]+)`", commands)
        if name in NAMES
    }


def said_at_the_end() -> tuple[set[str], set[str]]:
    """The commands that are about no existing app, and those for admins."""
    parts = REFERENCE.read_text().rpartition("\n\n")[2].split("These are for admins:")
    any_app, admins = (NAMES.intersection(re.findall(r"`([^`]+)`", part)) for part in parts)
    return any_app, admins


@dataclass(frozen=True, slots=True)
class Asked(Actor):
    """Notes what is asked for. lacking: what a role has taken from the owner, or None."""

    lacking: Permission | None = None
    asked: set[Permission] = field(default_factory=set, compare=False)

    def may(self, to: Permission, app: App) -> bool:
        """As any user, without what is lacking."""
        self.asked.add(to)
        return to is not self.lacking and Actor.may(self, to, app)


class Server:
    """Alice has the app shop, bob none, and carol is an admin."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch) -> None:
        self.world = world
        self._patch = patch
        self.services: Services = all_services(world.adapters)
        alice = world.user("alice")
        world.user("bob")
        world.user("carol", Role.ADMIN)
        world.app("shop", alice)
        world.push()

    def actor(self, name: str, lacking: Permission | None = None) -> Asked:
        """One of them."""
        return Asked(self.world.actor(name).user, lacking)

    def run(self, use: str, actor: Actor) -> int:
        """The exit status of one of the uses, 0 if it gets as far as the fakes do."""
        self._patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"A=1\n")))
        session = self.session(actor)
        command, _, word = use.partition(" ")
        try:
            if command not in NAMES:
                git.service(session, use, AppName("shop"), {})
            else:
                words = "" if word.startswith("(") else {**WORDS, **ADMINS}[command]
                root.main(args=[command, *words.split()], obj=session, standalone_mode=False)
        except PaasError as error:
            return error.exit_code
        except click.exceptions.Exit as ended:
            return ended.exit_code
        return session.status

    def session(self, actor: Actor) -> Session:
        """For one command, about shop unless it names another."""
        caller = LocalCaller()
        return Session(self.services, actor, lambda: False, caller, {}, default_app="shop")

    def content(self) -> list[str]:
        """Everything in the store."""
        with closing(sqlite3.connect(self.world.folder / "state.db")) as connection:
            return list(connection.iterdump())


@pytest.fixture
def server(world: World, monkeypatch: pytest.MonkeyPatch) -> Server:
    """One on which nothing else happens."""
    return Server(world, monkeypatch)


def test_each_command_has_a_row_and_words() -> None:
    """Or is about no app, or for admins."""
    any_app, admins = said_at_the_end()
    assert set(rows()) | any_app | admins == NAMES
    assert set(rows()) == set(WORDS) | set(ON_A_COMPUTER)
    assert admins == set(ADMINS) | {"server:status"}
    for command, runs in ON_A_COMPUTER.items():
        assert {rows()[each] for each in runs} == {rows()[command]}


USES = {**{name: rows()[name] for name in WORDS}, **OTHER_USES}


@pytest.mark.parametrize("use", USES)
def test_what_a_command_asks_for(server: Server, use: str) -> None:
    """The permission of its row; beside it at most to see the app, which is a part of each."""
    owner = server.actor("alice")
    assert server.run(use, owner) != EXIT_NO_APP
    assert USES[use] in owner.asked
    assert owner.asked <= {USES[use], Permission.VIEW}


@pytest.mark.parametrize("use", USES)
def test_who_may_use_it(server: Server, use: str) -> None:
    """For others, and for an owner without the permission, there is no app; an admin may."""
    before = server.content()
    for refused in (server.actor("bob"), server.actor("alice", USES[use])):
        assert server.run(use, refused) == EXIT_NO_APP
    assert server.content() == before
    assert server.run(use, server.actor("carol")) != EXIT_NO_APP


@pytest.mark.parametrize("command", [*ADMINS, "server:status"])
def test_what_is_for_admins(server: Server, command: str) -> None:
    """A member is refused, with the reason."""
    before = server.content()
    session, words = server.session(server.actor("bob")), ADMINS.get(command, "").split()
    with pytest.raises(PaasError) as caught:
        root.main(args=[command, *words], obj=session, standalone_mode=False)
    assert caught.value.reference == "admins-only"
    assert server.content() == before
