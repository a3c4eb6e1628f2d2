"""Every command that changes something leaves its two lines in the audit trail, and no secret.

The commands run as users type them, on a real store. A new command fails here until it has a row in
the table of recorded words, and words to run it with.
"""

import io
import json
import shlex
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress

import click
import pytest

from paas.domain.audit.events import State
from paas.domain.audit.views import AuditFilter
from paas.domain.audit.words import GO_ON, WORDS
from paas.domain.people.actors import Actor
from paas.domain.people.origins import Origin
from paas.domain.people.permissions import COMMANDS
from paas.domain.values.errors import PaasError, disk_full
from paas.domain.values.names import AppName
from paas.entrypoints.cli import git
from paas.entrypoints.cli.command_table import root
from paas.entrypoints.cli.local import LocalCaller
from paas.entrypoints.cli.recording import Recording
from paas.entrypoints.cli.session import Session
from paas.wiring.services import Services, all_services
from tests.fakes.world import ROOT, World

CANARY = "s3cretCanary"
KEY = f"SHA256:{'a' * 43}"
# What each is run with. CANARY is wherever a secret can be, also by mistake.
USES: dict[str, str] = {
    "access:add": "bob --role viewer",
    "access:remove": "bob",
    "access:update": "@web --role viewer",
    "addons:attach": f"--as STATS --url postgresql://me:{CANARY}@db.example.com/{CANARY}",
    "addons:create": "postgresql",
    "addons:destroy": f"postgresql-curly-1234 --confirm {CANARY}",
    "addons:detach": "STATS",
    "apps:clone": "copy",
    "apps:create": "other",
    "apps:destroy": f"shop --confirm {CANARY}",
    "apps:leave": "",
    "apps:lock": f"-m '{CANARY} of a reason'",
    "apps:rename": "other",
    "apps:transfer": "bob",
    "apps:unlock": "",
    "backups:key": "--confirm-saved",
    "backups:recover": "postgresql-curly-1234.20260101T000000Z --to '2026-01-01 10:00'",
    "backups:target": f"s3 my-backups --access-key {CANARY} --endpoint https://s3.example.com",
    "build-args:set": f"A={CANARY}",
    "build-args:unset": f"A {CANARY}",
    "build-secrets:set": f"A={CANARY} {CANARY}",
    "build-secrets:unset": f"A {CANARY}",
    "builder:set": "build-dir web",
    "buildpacks:add": f"https://me:{CANARY}@example.org/pack?k={CANARY}",
    "buildpacks:clear": "",
    "buildpacks:remove": f"https://{CANARY}@example.org/pack",
    "buildpacks:set": "python",
    "builds:cache:purge": f"--confirm {CANARY}",
    "builds:cancel": "",
    "certs:add": "",
    "certs:auto": "on",
    "certs:dns": "off",
    "certs:remove": "",
    "checks:set": "start-limit 60",
    "config:import": f"--unset {CANARY}",
    "config:set": f"A={CANARY} 'B={CANARY} x' {CANARY}",
    "config:unset": f"A {CANARY}",
    "cron:resume": "",
    "cron:run": "nightly",
    "cron:suspend": "",
    "doctor": "--fix",
    "docker:runtime": "--rebuild",
    "domains:add": "www.example.org",
    "domains:clear": "",
    "domains:redirect": "www.example.org example.org",
    "domains:remove": "www.example.org",
    "domains:set-global": "example.net",
    "domains:verify": "",
    "drains:add": f"https://me:{CANARY}@logs.example.org/{CANARY}?t={CANARY}",
    "notify:add": f"https://me:{CANARY}@hooks.example.org/{CANARY}?t={CANARY}",
    "notify:remove": f"https://me:{CANARY}@hooks.example.org/{CANARY}",
    "notify:test": f"https://me:{CANARY}@hooks.example.org/{CANARY}",
    "drains:remove": f"https://me:{CANARY}@logs.example.org/{CANARY}",
    "git:auth": "github.com --token-stdin",
    "git:deploy-key": "",
    "git:deploy-on-push": f"--from https://me:{CANARY}@example.org/a.git",
    "git:from-archive": f"https://me:{CANARY}@example.org/a.tar.gz?sig={CANARY}",
    "git:from-image": "redis:7",
    "git:load-image": "",
    "git:set": "deploy-branch main",
    "git:sync": f"https://me:{CANARY}@example.org/a.git main",
    "http-auth:add-user": "guest",
    "http-auth:remove-user": "guest",
    "keys:add": f"dora 'ssh-ed25519 {CANARY}'",
    "keys:remove": KEY,
    "maintenance:custom-page": "",
    "maintenance:off": "",
    "maintenance:on": "",
    "mysql:client": f"-c 'SELECT {CANARY}'",
    "mysql:credentials:rotate": "JAWSDB --force",
    "mysql:import": "mysql-curly-1234",
    "mysql:promote": "STATS",
    "mysql:backups:capture": "mysql-curly-1234",
    "mysql:backups:delete": f"b001 --confirm {CANARY}",
    "mysql:backups:restore": f"b001 --confirm {CANARY}",
    "mysql:backups:schedule": "--at '02:00 UTC'",
    "mysql:backups:unschedule": "mysql-curly-1234",
    "mysql:copy": f"DATABASE STATS --confirm {CANARY}",
    "mysql:reset": f"--confirm {CANARY}",
    "nginx:set": f"header-X-Key {CANARY}",
    "nodes:add": "root@10.0.0.2",
    "nodes:drain": "web-2",
    "nodes:end": "",
    "nodes:init": "--address 10.0.0.1",
    "nodes:remove": "web-2",
    "nodes:undrain": "web-2",
    "pg:backups:capture": "postgresql-curly-1234",
    "pg:backups:delete": f"b001 --confirm {CANARY}",
    "pg:backups:restore": f"b001 --confirm {CANARY}",
    "pg:backups:schedule": "--at '02:00 UTC'",
    "pg:backups:unschedule": "postgresql-curly-1234",
    "pg:copy": f"DATABASE STATS --confirm {CANARY}",
    "pg:import": f"--confirm {CANARY}",
    "pg:kill": "4711",
    "pg:reset": f"--confirm {CANARY}",
    "pg:follow": "DATABASE --as STATS",
    "pg:unfollow": "STATS",
    "pg:fork": "--to '10 min ago'",
    "pg:rehearse": "",
    "pg:extensions:install": "hstore",
    "pg:settings:set": "work_mem 8MB",
    "pg:settings:unset": "work_mem",
    "pg:upgrade": "--to 17",
    "addons:upgrade": "DATABASE postgresql:standard",
    "pg:connection-pooling:attach": "DATABASE --as POOL",
    "pg:credentials:rotate": "DATABASE --force",
    "pg:promote": "STATS",
    "pg:psql": f"-c 'SELECT {CANARY}'",
    "proxy:set": "nginx",
    "ports:add": "5433:tcp",
    "ports:remove": "5433:tcp",
    "ports:set": "web=8080",
    "registry:login": "ghcr.io alice",
    "registry:logout": "ghcr.io",
    "ps:restart": "",
    "ps:placement": "disk==ssd --spread zone",
    "ps:scale": "web=2 --spread zone",
    "ps:start": "",
    "ps:stop": "",
    "ps:type": "web=standard-1x",
    "quota:set": "disk=1g",
    "redis:cli": f"-c 'SET {CANARY} {CANARY}'",
    "redis:backups:capture": "redis-curly-1234",
    "redis:backups:delete": f"b001 --confirm {CANARY}",
    "redis:backups:restore": f"b001 --confirm {CANARY}",
    "redis:backups:schedule": "--at '02:00 UTC'",
    "redis:backups:unschedule": "redis-curly-1234",
    "redis:copy": f"REDIS STATS --confirm {CANARY}",
    "redis:credentials": "--reset --force",
    "pipelines:add": "line --stage production",
    "pipelines:create": "line --stage staging",
    "pipelines:destroy": "line",
    "pipelines:promote": "",
    "pipelines:remove": "",
    "previews:create": "topic --pr 12",
    "previews:destroy": "topic",
    "previews:disable": "",
    "previews:enable": f"--config A={CANARY} --expires 7d",
    "redis:import": "--confirm redis-curly-1234",
    "redis:maxmemory": "--policy allkeys-lru",
    "redis:promote": "STATS",
    "redis:reset": "--confirm redis-curly-1234",
    "releases:retry": "",
    "resource:limit": "memory=256m",
    "resource:limit-clear": "",
    "rollback": "v1",
    "run": f"-e TOKEN={CANARY} curl -H {CANARY}",
    "run:detached": f"-e TOKEN={CANARY} 'curl {CANARY}'",
    "run:stop": "run.1",
    "sandbox:set": "user-namespaces=on",
    "scheduler:set": "local",
    "server:rotate-key": "",
    "static:add": "/files public",
    "static:remove": "/files",
    "storage:add": "/app/data",
    "storage:remove": f"/app/data --confirm {CANARY}",
    "teams:add": "web bob",
    "teams:create": "web",
    "teams:destroy": "web",
    "teams:remove": "web bob",
    "dashboard:close": "",
    "dashboard:open": "",
    "tokens:create": f"--note {CANARY}",
    "tokens:revoke": "Ab12Cd34",
    "users:add": "dora",
    "users:remove": "bob",
    "users:set-role": "bob admin",
}
# It runs others, from the user's computer.
ON_A_COMPUTER = {"config:edit"}
NO_APP = {
    "apps:create",
    "backups:key",
    "backups:target",
    "certs:dns",
    "doctor",
    "domains:set-global",
    "keys:add",
    "keys:remove",
    "proxy:set",
}
NO_APP |= {"docker:runtime", "server:rotate-key", "tokens:revoke"}
NO_APP |= {"dashboard:close", "dashboard:open"}
NO_APP |= {"docker:runtime", "pipelines:destroy", "server:rotate-key", "tokens:revoke"}
NO_APP |= {name for name in USES if name.startswith(("nodes:", "teams:", "users:"))}


class Server:
    """Alice has the app shop, bob none; root runs the commands, unless told otherwise."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch) -> None:
        self.world = world
        self._patch = patch
        self.services: Services = all_services(world.adapters)
        world.app("shop", world.user("alice"))
        world.user("bob")
        world.push()

    def run(
        self, words: Sequence[str], actor: Actor = ROOT, *, default_app: str | None = "shop"
    ) -> PaasError | int:
        """How a command ends: its error, or exit status."""
        self._patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"A={CANARY}\n".encode())))
        session = self.session(actor, default_app)
        assert session.recording is not None
        try:
            with session.recording.until_end(lambda: session.status):
                root.main(args=[*words], obj=session, standalone_mode=False)
        except PaasError as error:
            return error
        except click.exceptions.Exit as ended:
            return ended.exit_code
        return session.status

    def session(self, actor: Actor, default_app: str | None = None) -> Session:
        """For one command."""
        origin = Origin(address="203.0.113.7", key=KEY)
        recording = Recording(self.services.audit, actor, origin, self.world.progress)
        return Session(
            self.services,
            actor,
            lambda: False,
            LocalCaller(),
            {},
            default_app=default_app,
            recording=recording,
        )

    def content(self) -> list[str]:
        """Everything in the store."""
        with closing(sqlite3.connect(self.world.folder / "state.db")) as connection:
            return list(connection.iterdump())

    def lines(self) -> list[dict[str, object]]:
        """The trail."""
        return [json.loads(raw) for raw in self.world.audit_trail.written]


@pytest.fixture
def server(world: World, monkeypatch: pytest.MonkeyPatch) -> Server:
    """One on which nothing else happens."""
    return Server(world, monkeypatch)


def test_every_changing_command_has_a_row_and_words() -> None:
    """Those that only read have none."""
    changing = {name for name, row in COMMANDS.items() if row.changes} - ON_A_COMPUTER
    assert set(WORDS) == changing
    assert set(USES) == changing


@pytest.mark.parametrize("command", USES)
def test_a_command_leaves_two_lines_without_a_secret(
    server: Server, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether it succeeds or not; also in what `audit` shows of them."""
    shop = server.world.store.apps.find("shop")
    assert shop is not None
    named = [] if command in NO_APP else ["-a", "shop"]
    server.run([command, *named, *shlex.split(USES[command])])
    first, last = server.lines()
    assert (first["command"], first["user"], first["via"]) == (command, "root", "root")
    assert first["address"] == "203.0.113.7"
    assert last["of"] == first["n"]
    assert last["result"] in list(State)
    if command not in NO_APP:
        assert (first["app"], first["app_id"]) == ("shop", shop.id)
    capsys.readouterr()
    for options in ([], ["--json"], ["--wide"]):
        assert server.run(["audit", *options], default_app=None) == 0
    shown = capsys.readouterr().out
    assert f'"command": "{command}"' in shown
    kept = b"".join(server.world.audit_trail.written).decode() + shown
    assert CANARY not in kept
    assert CANARY.lower() not in kept.lower()


@pytest.mark.parametrize("command", USES)
def test_without_a_trail_nothing_changes(server: Server, command: str) -> None:
    """A change that cannot be recorded is refused, before it changes anything."""
    server.world.audit_trail.failure = disk_full
    before, running = server.content(), dict(server.world.runtime.running)
    ended = server.run([command, *shlex.split(USES[command])])
    if command in GO_ON:
        warnings = [line for line in server.world.progress.lines if "not recorded" in line]
        assert len(warnings) == 1
        return
    assert isinstance(ended, PaasError)
    if ended.reference != "disk-full":
        assert ended.exit_code == 2  # it was not asked for as it should be
    assert server.content() == before
    assert server.world.runtime.running == running


@pytest.mark.parametrize(
    "words",
    [
        ["config"],
        ["ps:scale"],
        ["certs:auto"],
        ["doctor"],
        ["audit"],
        ["logs"],
        ["config:set", "--help"],
        ["config:set", "--no-such-option"],
    ],
)
def test_what_only_reads_leaves_none(server: Server, words: list[str]) -> None:
    """Also a use of a command that could change something, and its help."""
    with suppress(click.UsageError):
        server.run(words)
    assert server.lines() == []


def test_who_is_refused(server: Server) -> None:
    """An app that is not theirs, in their own words; its owner learns of it, they nothing."""
    bob, alice = server.world.actor("bob"), server.world.actor("alice")
    for name in ("shop", "nope"):
        ended = server.run(["ps:restart", "-a", name], bob, default_app=None)
        assert isinstance(ended, PaasError)
    first, end, other, _ = server.lines()
    assert (first["app"], first["app_id"], first["via"]) == ("shop", 1, KEY)
    assert (end["result"], end["error"], end["status"]) == ("refused", "no-such-app", 20)
    assert (other["app"], other["app_id"]) == ("nope", None)
    ids = [event.app_id for event in server.services.audit.latest(bob, AuditFilter(), 9)]
    assert ids == [None, None]
    assert len(server.services.audit.latest(alice, AuditFilter(app="shop"), 9)) == 1


@pytest.mark.parametrize(
    "words",
    [
        [CANARY.lower(), "A=1"],
        [CANARY, "A=1"],
        ["shop", "A=1"],
    ],
)
def test_a_word_in_the_place_of_the_app(server: Server, words: list[str]) -> None:
    """It may be a value; whether there is an app of that name is not told by leaving it out."""
    bob = server.world.actor("bob")
    server.run(["config:set", *words], bob, default_app=None)
    assert [line["app"] for line in server.lines()] == ["…", "…"]
    alice = server.world.actor("alice")
    server.run(["config:set", "shop", "A=1"], alice, default_app=None)
    assert server.lines()[-1]["app"] == "shop"


def test_names_at_the_end(server: Server) -> None:
    """What is made gets its id and its name; what is renamed its new name."""
    server.run(["apps:create"], default_app=None)
    server.run(["apps:rename", "quiet-otter-1234", "calm-otter"], default_app=None)
    server.run(["apps:destroy", "calm-otter", "--confirm", "calm-otter"], default_app=None)
    named = [(line["app"], line["app_id"]) for line in server.lines()]
    assert named == [
        (None, None),
        ("quiet-otter-1234", 2),
        ("quiet-otter-1234", 2),
        ("calm-otter", 2),
        ("calm-otter", 2),
        ("calm-otter", 2),
    ]


def test_git_asks_to_write(server: Server) -> None:
    """It is recorded if that makes an app, or is refused; of a push, its refs and commits."""
    bob, alice = server.world.actor("bob"), server.world.actor("alice")
    for service in ("git-receive-pack", "git-lfs-transfer upload"):
        for actor, name in ((alice, "shop"), (bob, "shop"), (bob, f"bobs-{service[4:7]}")):
            session = server.session(actor)
            assert session.recording is not None
            with suppress(PaasError), session.recording.until_end(lambda: 0):
                git.service(session, service, AppName(name), {})
    told = [(line["command"], line["app"], line.get("result")) for line in server.lines()]
    assert told == [
        ("git-receive-pack", "shop", None),
        ("git-receive-pack", "shop", "refused"),
        ("git-receive-pack", "bobs-rec", None),
        ("git-receive-pack", "bobs-rec", "done"),
        ("git-lfs-transfer upload", "shop", None),
        ("git-lfs-transfer upload", "shop", "refused"),
        ("git-lfs-transfer upload", "bobs-lfs", None),
        ("git-lfs-transfer upload", "bobs-lfs", "done"),
    ]


def test_a_push(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its end is the answer: what goes on in the background is not waited for."""
    old, new = "0" * 40, "b" * 40
    pushed = f"{old} {new} refs/heads/topic\n{new} {old} refs/heads/gone\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(pushed.encode())))
    session = server.session(server.world.actor("alice"))
    assert session.recording is not None
    with suppress(PaasError), session.recording.until_end(lambda: 0):
        git.hook(session, {"PAAS_APP": "shop", "PAAS_APP_ID": "1"})
    first, end = server.lines()
    assert first["command"] == "git push"
    assert first["words"] == [f"refs/heads/topic {new}", "refs/heads/gone deleted"]
    assert (end["of"], end["app_id"]) == (first["n"], 1)
    session.recording.answered()
    assert len(server.lines()) == 2


def test_who_is_turned_away(server: Server) -> None:
    """With a key that counts no more: what they wanted to change, and nothing of its words."""
    error = PaasError("key-expired", "The key expired.")
    for command in ("config:set", "git push", "git-receive-pack", "config", "no:such", None):
        recording = server.session(server.world.actor("bob")).recording
        assert recording is not None
        recording.turned_away(command, error)
    told = [(line["command"], line["user"], line.get("error")) for line in server.lines()]
    assert told == [
        (command, "bob", end)
        for command in ("config:set", "git push", "git-receive-pack")
        for end in (None, "key-expired")
    ]
    assert {line.get("result") for line in server.lines()} == {None, "refused"}
