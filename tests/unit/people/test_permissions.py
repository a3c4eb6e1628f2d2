"""Each command asks for what its row of the table of permissions says, of everybody.

The commands run as users type them, on a real store, as each role and as nobody. A new command
fails here until it has a row, and words to run it with.
"""

import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import click
import pytest

from paas.domain.people.access import Grant, Holder, TeamName
from paas.domain.people.actors import Actor, Scope
from paas.domain.people.permissions import COMMANDS, GIT_SERVICES, AppRole, Need, Permission
from paas.domain.people.users import Role
from paas.domain.server.findings import REPAIR_COMMAND
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, UserName
from paas.entrypoints.cli import git
from paas.entrypoints.cli.command_table import COMMANDS as TYPED
from paas.entrypoints.cli.command_table import INTERNAL, root
from paas.entrypoints.cli.local import LocalCaller
from paas.entrypoints.cli.session import Session
from paas.entrypoints.gate.ssh import HOOK_COMMAND
from paas.wiring.services import Services, all_services
from tests.fakes.world import World

# What each command is run with, beside -a shop.
WORDS: dict[str, str] = {
    "access": "",
    "access:add": "newcomer",
    "access:remove": "vera",
    "access:update": "vera --role deployer",
    "addons": "",
    "addons:attach": "postgresql-curly-1234",
    "addons:create": "postgresql",
    "addons:destroy": "postgresql-curly-1234 --confirm postgresql-curly-1234",
    "addons:detach": "DATABASE",
    "addons:info": "",
    "apps:clone": "copy",
    "apps:destroy": "--confirm shop",
    "apps:info": "",
    "apps:leave": "",
    "apps:lock": "",
    "apps:rename": "other",
    "apps:transfer": "newcomer",
    "apps:unlock": "",
    "build-args:set": "A=1",
    "build-args:unset": "A",
    "build-secrets:set": "A=1",
    "build-secrets:unset": "A",
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
    "cron:history": "",
    "cron:resume": "",
    "cron:run": "nightly",
    "cron:suspend": "",
    "diff": "v1 v2",
    "disk": "",
    "docker:report": "",
    "domains": "",
    "domains:add": "www.example.org",
    "domains:clear": "",
    "domains:redirect": "www.example.org example.org",
    "domains:remove": "www.example.org",
    "domains:verify": "",
    "drains": "",
    "drains:add": "syslog://logs.example.org:514",
    "drains:remove": "syslog://logs.example.org:514",
    "git:auth": "",
    "git:deploy-key": "",
    "git:deploy-on-push": "--from https://example.org/a.git",
    "git:from-archive": "https://example.org/a.tar.gz",
    "git:from-image": "redis:7",
    "git:info": "",
    "git:load-image": "",
    "git:set": "deploy-branch main",
    "git:sync": "https://example.org/a.git",
    "http-auth": "",
    "http-auth:add-user": "guest",
    "http-auth:remove-user": "guest",
    "logs": "",
    "metrics": "",
    "notify": "",
    "notify:add": "https://hooks.example.org/path",
    "notify:remove": "https://hooks.example.org/path",
    "notify:test": "https://hooks.example.org/path",
    "maintenance": "",
    "maintenance:custom-page": "--clear",
    "maintenance:off": "",
    "maintenance:on": "",
    "mysql:client": "-c true",
    "mysql:credentials:rotate": "",
    "mysql:credentials:url": "",
    "mysql:backups": "",
    "mysql:backups:capture": "",
    "mysql:backups:delete": "b001",
    "mysql:backups:download": "b001",
    "mysql:backups:info": "b001",
    "mysql:backups:restore": "b001",
    "mysql:backups:schedule": "--at 02:00",
    "mysql:backups:schedules": "",
    "mysql:backups:unschedule": "",
    "mysql:copy": "DATABASE STATS",
    "mysql:export": "",
    "mysql:import": "",
    "mysql:reset": "",
    "mysql:info": "",
    "mysql:promote": "STATS",
    "mysql:wait": "",
    "nginx:report": "",
    "nginx:set": "hsts off",
    "open": "",
    "pg:connection-pooling:attach": "",
    "pg:credentials:rotate": "",
    "pg:blocking": "",
    "pg:bloat": "",
    "pg:cache-hit": "",
    "pg:extensions": "",
    "pg:extensions:install": "hstore",
    "pg:index-usage": "",
    "pg:settings": "",
    "pg:settings:set": "work_mem 8MB",
    "pg:settings:unset": "work_mem",
    "pg:table-size": "",
    "pg:upgrade": "--to 17",
    "pg:vacuum-stats": "",
    "addons:upgrade": "DATABASE postgresql:standard",
    "pg:credentials:url": "",
    "pipelines:add": "line --stage production",
    "pipelines:create": "line --stage staging",
    "pipelines:diff": "",
    "pipelines:promote": "",
    "pipelines:remove": "",
    "previews": "",
    "previews:create": "topic",
    "previews:destroy": "topic",
    "previews:disable": "",
    "previews:enable": "",
    "pg:backups": "",
    "pg:backups:capture": "",
    "pg:backups:delete": "b001",
    "pg:backups:download": "b001",
    "pg:backups:info": "b001",
    "pg:backups:restore": "b001",
    "pg:backups:schedule": "--at 02:00",
    "pg:backups:schedules": "",
    "pg:backups:unschedule": "",
    "pg:copy": "DATABASE STATS",
    "pg:diagnose": "",
    "pg:export": "",
    "pg:import": "",
    "pg:follow": "",
    "pg:fork": "",
    "pg:info": "",
    "pg:kill": "4711",
    "pg:locks": "",
    "pg:outliers": "",
    "pg:ps": "",
    "pg:reset": "",
    "pg:promote": "STATS",
    "pg:psql": "-c true",
    "pg:rehearse": "",
    "pg:unfollow": "STATS",
    "pg:wait": "",
    "ports": "",
    "ports:add": "5433:tcp",
    "ports:remove": "5433:tcp",
    "ports:set": "web=8080",
    "registry:login": "ghcr.io alice",
    "registry:logout": "ghcr.io",
    "ps": "",
    "ps:restart": "",
    "ps:placement": "disk==ssd",
    "ps:scale": "web=1",
    "ps:start": "",
    "ps:stop": "web",
    "ps:type": "web=standard-1x",
    "ps:wait": "",
    "quota:report": "",
    "redis:cli": "-c PING",
    "redis:credentials": "--reset",
    "redis:backups": "",
    "redis:backups:capture": "",
    "redis:backups:delete": "b001",
    "redis:backups:download": "b001",
    "redis:backups:info": "b001",
    "redis:backups:restore": "b001",
    "redis:backups:schedule": "--at 02:00",
    "redis:backups:schedules": "",
    "redis:backups:unschedule": "",
    "redis:copy": "REDIS STATS",
    "redis:export": "",
    "redis:import": "--confirm redis-quiet-otter-1234",
    "redis:info": "",
    "redis:maxmemory": "--policy allkeys-lru",
    "redis:promote": "STATS",
    "redis:reset": "--confirm redis-quiet-otter-1234",
    "redis:wait": "",
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
    "scheduler:report": "",
    "scheduler:set": "local",
    "static": "",
    "static:add": "/static static",
    "static:remove": "/static",
    "storage": "",
    "storage:add": "/app/data",
    "storage:remove": "/app/data --confirm shop",
}
# They run others, from the user's computer.
ON_A_COMPUTER = {"config:edit": ("config:export", "config:import")}
# Commands that are not about an app: what each is run with.
OTHER_WORDS: dict[str, str] = {
    "apps": "",
    "apps:create": "another",
    "audit": "",
    "audit:verify": "",
    "auth:whoami": "",
    "completion": "bash",
    "certs:dns": "off",
    "docker:runtime": "",
    "dashboard:close": "",
    "dashboard:open": "",
    "doctor": "",
    "domains:set-global": "example.net",
    "backups:key": "",
    "backups:target": "local",
    "backups:test": "",
    "help": "",
    "heroku:connect": "",
    "heroku:env": "",
    "heroku:proxy": "",
    "init": "",
    "keys": "",
    "keys:add": "{who}",
    "keys:remove": "SHA256:none",
    "nodes": "",
    "nodes:add": "root@10.0.0.2",
    "nodes:check": "",
    "nodes:drain": "web-2",
    "nodes:end": "",
    "nodes:info": "web-2",
    "nodes:init": "--address 10.0.0.1",
    "nodes:remove": "web-2",
    "nodes:undrain": "web-2",
    "proxy": "",
    "backups:recover": "",
    "proxy:set": "nginx",
    "quota:set": "-a shop disk=1g",
    "sandbox:set": "-a shop user-namespaces=on",
    "server:docker": "",
    "server:rotate-key": "",
    "server:status": "",
    "pipelines": "",
    "pipelines:destroy": "line",
    "pipelines:info": "line",
    "teams": "",
    "teams:add": "web newcomer",
    "teams:create": "other",
    "teams:destroy": "web",
    "teams:remove": "web tom",
    "tokens": "",
    "tokens:create": "",
    "tokens:revoke": "Ab12Cd34",
    "users": "",
    "users:add": "another",
    "users:remove": "newcomer",
    "users:set-role": "newcomer admin",
    "version": "",
}
# A second use of a command, which needs less than the first.
OTHER_USES = {
    "certs:auto (to see the state)": Permission.VIEW,
    "ps:scale (to see the formation)": Permission.VIEW,
}
ALL_WORDS = {**WORDS, **OTHER_WORDS}
NEEDS: dict[str, Permission | Need] = {
    **{name: COMMANDS[name].need for name in ALL_WORDS},
    **OTHER_USES,
    **{name: row.need for name, row in GIT_SERVICES.items()},
}
# What each of these people is for the app shop. The last use tokens, which are limited.
PEOPLE: dict[str, AppRole | None] = {
    "root": AppRole.OWNER,
    "carol": AppRole.OWNER,
    "alice": AppRole.OWNER,
    "dora": AppRole.DEPLOYER,
    "tom": AppRole.DEPLOYER,
    "vera": AppRole.VIEWER,
    "bob": None,
    "alice, token for viewing": AppRole.VIEWER,
    "alice, token for shop": AppRole.OWNER,
    "alice, token for another app": None,
    "carol, token for deploying": AppRole.DEPLOYER,
}
ADMINS = {"root", "carol"}
ALLOWED = "allowed"


class Server:
    """Alice owns shop, which dora, vera and the team web share; bob does not; carol is an admin."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch) -> None:
        self.world = world
        self._patch = patch
        self.services: Services = all_services(world.adapters)
        for name in ("alice", "bob", "dora", "newcomer", "tom", "vera"):
            world.user(name)
        world.user("carol", Role.ADMIN)
        app = world.app("shop", world.actor("alice"))
        now, store = world.clock.now(), world.store
        store.teams.create(TeamName("web"), now)
        store.teams.add_member(TeamName("web"), UserName("tom"))
        for holder, role in (("dora", "deployer"), ("vera", "viewer"), ("@web", "deployer")):
            store.grants.put(app.id, Grant(Holder(holder), AppRole(role)), now)
        self._scopes = {
            "token for viewing": Scope(None, AppRole.VIEWER),
            "token for shop": Scope(app.id, None),
            "token for another app": Scope(app.id + 1, None),
            "token for deploying": Scope(None, AppRole.DEPLOYER),
        }
        world.push()
        self._database, self._former = (world.folder / name for name in ("state.db", "former.db"))
        with (
            closing(sqlite3.connect(self._database)) as database,
            closing(sqlite3.connect(self._former)) as former,
        ):
            database.backup(former)

    def actor(self, who: str) -> Actor:
        """One of the people."""
        name, _, token = who.partition(", ")
        if name == "root":
            return Actor(None)
        return Actor(self.world.actor(name).user, self._scopes.get(token))

    def answer(self, use: str, who: str) -> str:
        """ALLOWED if it gets as far as the fakes do; else the reference of the refusal."""
        try:
            self._run(use, self.actor(who))
        except PaasError as error:
            refusals = {"needs-role", "no-such-app", "admins-only", "token-limited"}
            return error.reference if error.reference in refusals else ALLOWED
        except click.exceptions.Exit:
            pass
        return ALLOWED

    def _run(self, use: str, actor: Actor) -> None:
        self._patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"A=1\n")))
        command, _, word = use.partition(" ")
        session = self.session(actor, "shop" if command in WORDS else None)
        if use in GIT_SERVICES:
            git.service(session, use, AppName("shop"), {})
            return
        words = [] if word.startswith("(") else ALL_WORDS[command].format(who=actor.name).split()
        root.main(args=[command, *words], obj=session, standalone_mode=False)

    def session(self, actor: Actor, default_app: str | None = None) -> Session:
        """For one command."""
        caller = LocalCaller()
        return Session(self.services, actor, lambda: False, caller, {}, default_app=default_app)

    def content(self) -> list[str]:
        """Everything in the store."""
        with closing(sqlite3.connect(self._database)) as connection:
            return list(connection.iterdump())

    def put_back(self) -> None:
        """Have the store as it was at the beginning, whatever a use has changed."""
        with (
            closing(sqlite3.connect(self._former)) as former,
            closing(sqlite3.connect(self._database)) as database,
        ):
            former.backup(database)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all that changes nothing."""
    with pytest.MonkeyPatch.context() as patch:
        yield Server(World(tmp_path_factory.mktemp("shared")), patch)


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all that changes something."""
    with pytest.MonkeyPatch.context() as patch:
        yield Server(World(tmp_path_factory.mktemp("changing")), patch)


@pytest.fixture
def server(changing: Server) -> Server:
    """That one, with nothing changed."""
    changing.put_back()
    return changing


def expected(use: str, who: str) -> str:
    """The answer, by the table."""
    need, role = NEEDS[use], PEOPLE[who]
    if isinstance(need, Permission):
        if role is None:
            return "no-such-app"
        limited = {"apps:leave", "apps:clone", "git:deploy-on-push", "pipelines:create"}
        limited |= {"previews:enable"}
        if use in limited and "token" in who and role.may(need):
            return "token-limited"
        return ALLOWED if role.may(need) else "needs-role"
    if need is Need.ADMIN:
        return ALLOWED if who in ADMINS else "admins-only"
    if need is Need.ACCOUNT:
        return "token-limited" if "token" in who else ALLOWED
    return ALLOWED


def changes(use: str) -> bool:
    """Whether a use changes something, by the table."""
    rows = {**COMMANDS, **GIT_SERVICES}
    return use not in OTHER_USES and rows[use].changes


def test_each_command_has_a_row_and_words() -> None:
    """In the table of permissions; config:edit runs others."""
    assert set(COMMANDS) == {command.name for command in TYPED}
    assert set(COMMANDS) == set(ALL_WORDS) | set(ON_A_COMPUTER)
    for command, runs in ON_A_COMPUTER.items():
        assert {COMMANDS[each].need for each in runs} == {COMMANDS[command].need}
    assert {name for name in COMMANDS if isinstance(COMMANDS[name].need, Permission)} == set(
        WORDS
    ) | set(ON_A_COMPUTER)


@pytest.mark.parametrize("use", NEEDS)
def test_who_may_use_it(shared: Server, use: str) -> None:
    """What is refused changes nothing; for who may not see the app there is none."""
    before = shared.content()
    refused = [who for who in PEOPLE if expected(use, who) != ALLOWED]
    for who in refused:
        assert shared.answer(use, who) == expected(use, who), who
    assert shared.content() == before


@pytest.mark.parametrize("command", sorted(set(INTERNAL) - {HOOK_COMMAND}))
def test_what_is_for_the_server_itself(server: Server, command: str) -> None:
    """Whoever finds the name of such a command is refused; an admin may have doctor repair."""
    before = server.content()
    for who in set(PEOPLE) - {"root"} - (ADMINS if command == REPAIR_COMMAND else set()):
        with pytest.raises(PaasError) as caught:
            INTERNAL[command](server.session(server.actor(who)), ["1", "job", "2026-01-01"])
        assert caught.value.reference in {"not-allowed", "admins-only"}
    assert server.content() == before


READING = [use for use in NEEDS if not changes(use)]
CHANGING = [
    (use, who)
    for use in NEEDS
    if changes(use)
    for who in PEOPLE
    if expected(use, who) == ALLOWED and who != "root"
]


@pytest.mark.parametrize("use", READING)
def test_who_may_read(shared: Server, use: str) -> None:
    """Whatever else may be wrong with what they ask for."""
    for who in PEOPLE:
        if expected(use, who) == ALLOWED:
            assert shared.answer(use, who) == ALLOWED, who


@pytest.mark.parametrize(("use", "who"), CHANGING)
def test_who_may_change(server: Server, use: str, who: str) -> None:
    """Each with a store of their own."""
    assert server.answer(use, who) == ALLOWED
