"""Previews: which are made, of what, with which config, and when they go."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from paas.domain.audit.events import State
from paas.domain.audit.views import AuditFilter
from paas.domain.git.credentials import host_token
from paas.domain.git.events import Forge, What
from paas.domain.git.previews import PreviewOf, preview_names
from paas.domain.git.sources import GitSource
from paas.domain.git.webhooks import Webhook, delivery
from paas.domain.people.access import Holder
from paas.domain.people.actors import Actor, Scope
from paas.domain.people.permissions import AppRole, Permission
from paas.domain.server.quotas import Quota
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, BranchName, UserName, VarName, is_app_name
from paas.domain.values.secret import Secret
from paas.entrypoints.cli.command_table import root
from paas.entrypoints.cli.hooks import handler_of
from paas.entrypoints.cli.local import LocalCaller
from paas.entrypoints.cli.previews import expire
from paas.entrypoints.cli.session import Session
from paas.entrypoints.daemons.previews import AGAIN, PreviewTurns
from paas.entrypoints.gate.hooks import HookRequest
from paas.wiring.services import all_services
from tests.fakes.world import ROOT, World
from tests.unit.git.deliveries import known, signed
from tests.unit.git.pull_requests import NUMBER, pulled

SOURCE = "https://github.com/acme/shop.git"
COMMIT = "c" * 40
HOOK = Webhook("id", 1, GitSource(SOURCE, "main"), BranchName("main"), None, Secret("the-secret"))
WEEK = timedelta(days=7)
TOPIC = PreviewOf(BranchName("topic"))
PULL = PreviewOf(BranchName("topic"), NUMBER)
APP_JSON: dict[str, Any] = {
    "env": {
        "MAIL_FROM": {"description": "declared without a value: the parent's"},
        "COLOUR": "blue",
        "SESSION_KEY": {"generator": "secret"},
        "MODE": {"description": "overridden below"},
    },
    "formation": {"web": {"quantity": 2}},
    "cron": [{"command": "send-mails", "schedule": "@daily"}],
    "scripts": {"postdeploy": "echo seeded", "pr-predestroy": "echo cleaned up"},
    "environments": {"review": {"env": {"MODE": "review"}, "formation": {"web": {"quantity": 1}}}},
}


@pytest.mark.parametrize("forge", Forge)
@pytest.mark.parametrize("what", [What.OPENED, What.CLOSED])
def test_each_forge_s_pull_requests_are_read(forge: Forge, what: What) -> None:
    """Number, branch, commit, and whether the branch is in another repository."""
    for fork in (False, True):
        headers, body = pulled(forge, "the-secret", what, "topic", COMMIT, fork=fork)
        found = delivery(HOOK, known(headers), body)
        assert found.pushed is None
        (event,) = found.events
        assert (event.what, event.branch, event.pull_request) == (what, "topic", NUMBER)
        assert event.commit == ("" if forge is Forge.BITBUCKET else COMMIT)
        assert event.from_fork is fork or what is What.CLOSED
        with pytest.raises(PaasError, match="not signed"):
            delivery(HOOK, known(pulled(forge, "another", what, "topic", COMMIT)[0]), body)


@pytest.mark.parametrize(
    "found",
    [
        {"action": "opened", "number": "12", "pull_request": {"head": {}}},
        {"action": "opened", "number": True, "pull_request": {"head": {}}},
        {"action": "opened", "number": -1, "pull_request": {"head": {}}},
        {"action": "opened", "number": 1, "pull_request": None},
        {"action": "opened", "number": 1, "pull_request": {"head": {"ref": "x", "sha": "$(id)"}}},
    ],
)
def test_pull_requests_that_are_none(found: object) -> None:
    """A genuine webhook of another form is refused in words."""
    body = json.dumps(found).encode()
    headers = {
        "x-github-event": "pull_request",
        "x-hub-signature-256": f"sha256={signed('the-secret', body)}",
    }
    with pytest.raises(PaasError, match="or a pull request"):
        delivery(HOOK, headers, body)


@pytest.mark.parametrize(
    ("parent", "branch", "number", "expected"),
    [
        ("shop", "topic", None, ["shop-topic", "shop-topic-c367a9"]),
        ("shop", "topic", 12, ["shop-pr-12", "shop-pr-12-b3cfec"]),
        ("shop", "Fix/New_Login", None, ["shop-fix-new-login", "shop-fix-new-lo-27e72d"]),
        ("a-shop-with-a-very-long-name-x", "topic", 7, ["a-shop-with-a-very-long-n-pr-7"]),
        ("shop", "a/branch-of-which-the-name-is-long", None, ["shop-a-branch-o-0b6a85"]),
        ("shop", "___", None, ["shop-f93789"]),
    ],
)
def test_names(parent: str, branch: str, number: int | None, expected: list[str]) -> None:
    """All are names of apps; a shortened one has a hash, so that no two branches share it."""
    names = list(preview_names(AppName(parent), PreviewOf(BranchName(branch), number)))
    assert all(is_app_name(name) for name in names)
    assert names[: len(expected)] == expected


class Bench:
    """Alice's shop, whose previews are enabled and which is deployed on push; bob deploys it."""

    def __init__(self, folder: Path) -> None:
        self.world = world = World(folder, web=True)
        self.app = world.app("shop", world.user("alice"))
        world.user("bob")
        world.access.add(ROOT, "shop", Holder("bob"), AppRole.DEPLOYER)
        self.bob = world.actor("bob")
        for commit in ("a" * 40, COMMIT, "d" * 40):
            self.commits(commit, APP_JSON)
        world.config.set(
            ROOT,
            "shop",
            {VarName("MAIL_FROM"): "me@example.com", VarName("MODE"): "live", VarName("KEY"): "1"},
            world.progress,
        )
        world.push()
        world.importer.commit = COMMIT
        world.previews.enable(
            world.actor("alice"), "shop", {VarName("MAIL"): Secret("off-s3cret")}, WEEK
        )
        self.hook = world.deploy_on_push.set_up(self.bob, "shop", SOURCE, "main")
        self.handler = handler_of(all_services(world.adapters))
        self.answers: list[tuple[int, str]] = []

    def commits(self, commit: str, app_json: object) -> None:
        """What a commit has."""
        content = json.dumps(app_json).encode()
        self.world.repository.contents[commit, "app.json"] = content

    def send(self, what: What = What.OPENED, *, fork: bool = False, branch: str = "topic") -> int:
        """Deliver a webhook of GitHub's; the status of the answer."""
        secret = self.hook.secret.reveal()
        return self._deliver(*pulled(Forge.GITHUB, secret, what, branch, COMMIT, fork=fork))

    def send_deleted(self, branch: str) -> int:
        """The same for a branch that was deleted."""
        body = json.dumps({"ref": branch, "ref_type": "branch"}).encode()
        proof = signed(self.hook.secret.reveal(), body)
        headers = {"X-GitHub-Event": "delete", "X-Hub-Signature-256": f"sha256={proof}"}
        return self._deliver(headers, body)

    def _deliver(self, headers: dict[str, str], body: bytes) -> int:
        def answer(status: int, words: str) -> None:
            self.answers.append((status, words))

        request = HookRequest(self.hook.id, known(headers), "192.0.2.1")
        self.handler.deliver(request, body, answer, lambda _user: None)
        return self.answers[-1][0]

    def names(self) -> list[str]:
        """Of all apps."""
        return [app.name for app in self.world.store.apps.all()]

    def config(self, name: str) -> dict[str, str]:
        """Of an app, by its current release."""
        app = self.world.store.apps.find(name)
        assert app is not None
        release = self.world.store.releases.current(app)
        return {} if release is None else {k: v.reveal() for k, v in release.config.items()}


@pytest.fixture
def bench(in_memory: Path) -> Bench:
    """All of it."""
    return Bench(in_memory)


def test_a_pull_request_gets_an_app_of_its_own(bench: Bench) -> None:
    """From the chosen repository, as who set the webhook up; again with each push to it."""
    world = bench.world
    assert bench.send() == 202
    assert "http://shop-pr-12.example.com" in bench.answers[-1][1]
    assert bench.names() == ["shop", "shop-pr-12"]
    assert world.importer.asked[-1][0] == GitSource(SOURCE, "topic")
    app = world.store.apps.find("shop-pr-12")
    assert app is not None
    release = world.store.releases.current(app)
    assert release is not None
    assert release.user == "bob"
    event = world.audit.latest(ROOT, AuditFilter(), 1)[0]
    assert (event.command, event.app, event.state) == ("previews:create", "shop", State.DONE)
    assert event.words[:2] == ("topic", COMMIT)
    world.importer.commit = "d" * 40
    assert bench.send() == 202
    assert bench.names() == ["shop", "shop-pr-12"]
    assert len(world.store.builds.of_app(app.id)) == 2


def test_its_config_is_what_app_json_of_the_parent_declares(bench: Bench) -> None:
    """Not what the branch declares, nor all that the parent has; --config goes on top."""
    stolen = APP_JSON | {"env": {"KEY": {"required": False}, **APP_JSON["env"]}}
    bench.commits(COMMIT, stolen)
    bench.send()
    config = bench.config("shop-pr-12")
    generated = config.pop("SESSION_KEY")
    assert generated != bench.config("shop")["SESSION_KEY"]
    assert config == {
        "MAIL_FROM": "me@example.com",
        "COLOUR": "blue",
        "MODE": "review",
        "MAIL": "off-s3cret",
    }
    assert b"off-s3cret" not in (bench.world.folder / "state.db").read_bytes()


def test_environments_review_holds_for_it_alone(bench: Bench) -> None:
    """Formation and scripts; cron jobs do not run in it."""
    bench.send()
    world = bench.world
    for name, count, jobs in (("shop", 2, 1), ("shop-pr-12", 1, 0)):
        app = world.store.apps.find(name)
        assert app is not None
        slug = world.store.slugs.of_release(world.store.releases.current(app))
        assert slug is not None
        assert slug.manifest.formation == {"web": count}
        assert len(slug.manifest.cron) == jobs


def test_closing_removes_it_with_all_it_has(bench: Bench) -> None:
    """After scripts.pr-predestroy; in the log of the parent, the trail and the commit's status."""
    world = bench.world
    world.git_credentials.set_token(ROOT, "shop", host_token("github.com", None, "t0ken"))
    bench.send()
    assert bench.send(What.CLOSED) == 202
    assert bench.names() == ["shop"]
    assert [ran.command for ran in world.one_off.ran][-1] == "echo cleaned up"
    lines = [line.text for line in world.logs.tail(bench.app.id, 5)]
    assert any("shop-pr-12, the preview of pull request 12, was removed" in one for one in lines)
    assert world.audit.latest(ROOT, AuditFilter(), 1)[0].command == "previews:destroy"
    told = [(one.fields["context"], one.fields["state"]) for one, _ in world.commit_statuses.sent]
    assert told == [("paas/shop-pr-12", state) for state in ("pending", "success", "success")]
    assert bench.send(What.CLOSED) == 200  # there is nothing left
    assert bench.send() == 202  # reopened
    assert bench.names() == ["shop", "shop-pr-12"]


def test_a_pull_request_of_a_fork_gets_none(bench: Bench) -> None:
    """Strangers' code would get the config; the log says so."""
    assert bench.send(fork=True) == 200
    assert bench.names() == ["shop"]
    lines = [line.text for line in bench.world.logs.tail(bench.app.id, 3)]
    assert any("comes from a fork" in line for line in lines)


def test_an_app_of_that_name_is_never_touched(bench: Bench) -> None:
    """What a preview is called says nothing: the row says what is one."""
    world = bench.world
    world.app("shop-pr-12", world.actor("alice"))
    world.app("shop-topic", world.actor("alice"))
    assert bench.send(What.CLOSED) == 200
    assert bench.send_deleted("topic") == 200
    assert bench.send() == 202
    (made,) = {*bench.names()} - {"shop", "shop-pr-12", "shop-topic"}
    assert made.startswith("shop-pr-12-")
    assert bench.send(What.CLOSED) == 202
    assert bench.names() == ["shop", "shop-pr-12", "shop-topic"]


def test_a_branch(bench: Bench) -> None:
    """By hand, and from then on with each push; gone with the branch."""
    world = bench.world
    assert bench.send_deleted("topic") == 200
    found = world.previews.want(bench.bob, "shop", TOPIC)
    world.preview_deploys.deploy_wanted(bench.bob, found.app.id, world.progress)
    assert found.app.name == "shop-topic"
    assert len(world.store.builds.of_app(found.app.id)) == 1
    assert world.previews.find(bench.bob, "shop", TOPIC).result == "deployed"
    assert bench.send_deleted("topic") == 202
    assert bench.names() == ["shop"]
    with pytest.raises(PaasError, match="has no preview of the branch topic"):
        world.previews.find(bench.bob, "shop", TOPIC)


def test_without_a_repository_it_is_pushed_to(bench: Bench) -> None:
    """It is made, and nothing is fetched."""
    world = bench.world
    world.deploy_on_push.turn_off(ROOT, "shop")
    found = world.previews.want(bench.bob, "shop", TOPIC)
    world.preview_deploys.deploy_wanted(bench.bob, found.app.id, world.progress)
    assert world.preview_deploys.source(found.preview) is None
    assert world.importer.asked == []
    assert world.pushes.to_push(bench.bob, found.app.name, world.progress).id == found.app.id


def test_who_has_access_to_the_app_has_it_to_its_previews(bench: Bench) -> None:
    """From then to then; a token for the app is one for them, too."""
    world = bench.world
    found = world.previews.want(bench.bob, "shop", TOPIC)
    user = bench.bob.user
    assert found.app.owner == "alice"
    for scope, may in ((Scope(bench.app.id, None), True), (Scope(99, None), False)):
        assert Actor(user, scope).may(Permission.DEPLOY, found.app) is may
    changes: list[Callable[[], object]] = [
        lambda: world.access.add(ROOT, found.app.name, Holder("carol"), AppRole.OWNER),
        lambda: world.access.remove(ROOT, found.app.name, Holder("bob")),
        lambda: world.access.transfer(ROOT, found.app.name, Holder("bob")),
        lambda: world.access.leave(bench.bob, found.app.name),
    ]
    for change in changes:
        with pytest.raises(PaasError, match="is a preview of shop"):
            change()
    world.access.remove(ROOT, "shop", Holder("bob"))
    assert not bench.bob.may(Permission.VIEW, world.previews.listing(ROOT, "shop")[1][0].app)
    assert bench.send() == 403


def test_the_owner_s_quota(bench: Bench) -> None:
    """Holds for whoever wants one; the answer says so."""
    world = bench.world
    world.store.quotas.set_of_user(UserName("alice"), {Quota.APPS: 1})
    assert bench.send() == 403
    assert "the quota of 1 apps" in bench.answers[-1][1]
    assert bench.names() == ["shop"]
    assert world.audit.latest(ROOT, AuditFilter(), 1)[0].state is State.REFUSED


def test_they_are_off_until_the_owner_enables_them(bench: Bench) -> None:
    """A deployer cannot; when disabled again, those that there are stay until they are closed."""
    world = bench.world
    with pytest.raises(PaasError, match="You are a deployer"):
        world.previews.enable(bench.bob, "shop", {}, WEEK)
    bench.send()
    assert world.previews.disable(ROOT, "shop") == 1
    with pytest.raises(PaasError, match="not enabled"):
        world.previews.want(bench.bob, "shop", TOPIC)
    assert bench.send(What.CLOSED) == 202
    assert bench.send() == 200
    assert bench.names() == ["shop"]
    with pytest.raises(PaasError, match="not enabled"):
        world.previews.disable(ROOT, "shop")


def test_its_time(bench: Bench) -> None:
    """Counts from the last deploy; then it is removed, as are those of an app that is gone."""
    world = bench.world
    bench.send()
    assert world.preview_deploys.due() == []
    world.clock.sleep(WEEK.total_seconds() - 60)
    bench.send()
    world.clock.sleep(120)
    assert world.preview_deploys.due() == []
    world.clock.sleep(WEEK.total_seconds())
    ((app, preview, why),) = world.preview_deploys.due()
    assert (app.name, why) == ("shop-pr-12", "it was not deployed for its time")
    assert world.preview_deploys.remove(preview, why, world.progress)
    bench.send()
    world.apps.destroy(ROOT, "shop", "shop", world.progress)
    ((app, preview, why),) = world.preview_deploys.due()
    assert why == "the app is gone"
    assert not world.actor("alice").may(Permission.VIEW, app)
    assert world.preview_deploys.remove(preview, why, world.progress)
    assert bench.names() == []


def test_what_is_reopened_while_it_is_being_removed_stays(bench: Bench) -> None:
    """The last word counts."""
    world = bench.world
    bench.send()

    def reopened() -> None:
        world.previews.want(bench.bob, "shop", PULL)

    world.one_off.meanwhile = reopened
    preview = world.previews.find(ROOT, "shop", PULL)
    assert not world.preview_deploys.remove(preview, "closed", world.progress)
    assert bench.names() == ["shop", "shop-pr-12"]


def test_a_failed_deploy_is_told(bench: Bench) -> None:
    """In the list, the preview's log and the trail; the next one goes on."""
    world = bench.world
    world.importer.failure = PaasError("not-fetched", "It could not be fetched.")
    assert bench.send() == 202
    report = world.previews.listing(ROOT, "shop")[1][0]
    assert report.preview.result == "failed: It could not be fetched."
    assert world.audit.latest(ROOT, AuditFilter(), 1)[0].state is State.FAILED
    world.importer.failure = None
    assert bench.send() == 202
    assert world.previews.listing(ROOT, "shop")[1][0].preview.result == "deployed"


def test_it_fetches_with_what_its_parent_has(bench: Bench) -> None:
    """No key or token is copied."""
    world = bench.world
    world.git_credentials.set_token(ROOT, "shop", host_token("github.com", None, "t0ken"))
    bench.send()
    assert world.importer.access is not None
    assert [one.token.reveal() for one in world.importer.access.tokens] == ["t0ken"]
    assert world.git_credentials.tokens(ROOT, "shop-pr-12") == []


def test_the_monitor_has_each_removed_once_and_tries_again_later() -> None:
    """What cannot be removed does not start a process each minute."""
    due, removals = {1}, []
    turns = PreviewTurns(lambda: set(due), lambda: removals.append(set(due)), lambda _: None)
    for _ in range(3):
        turns.turn()
    assert removals == [{1}]
    due.add(2)
    turns.turn()
    assert removals == [{1}, {1, 2}]
    for _ in range(AGAIN):
        turns.turn()
    assert len(removals) == 3


def test_the_commands(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """What a pipeline uses, without a webhook; and what the monitor runs, with its audit line."""
    world = bench.world
    services = all_services(world.adapters)

    def typed(line: str) -> str:
        session = Session(services, ROOT, lambda: False, LocalCaller(), {}, default_app="shop")
        root.main(args=line.split(), obj=session, standalone_mode=False)
        return capsys.readouterr().out

    world.deploy_on_push.turn_off(ROOT, "shop")
    typed("previews:enable --config MAIL=off --expires 12h")
    made = json.loads(typed("previews:create topic --pr 12 --json"))
    assert (made["app"], made["pull_request"], made["result"]) == ("shop-pr-12", 12, None)
    assert "expire 12 hours after their last deploy, and have MAIL set" in typed("previews")
    assert json.loads(typed("previews --json"))["previews"][0]["branch"] == "topic"
    typed("previews:destroy topic --pr 12")
    assert bench.names() == ["shop"]
    typed("previews:create topic")
    world.clock.sleep(timedelta(hours=13).total_seconds())
    expire(Session(services, ROOT, lambda: False, LocalCaller(), {}))
    assert bench.names() == ["shop"]
    event = world.audit.latest(ROOT, AuditFilter(), 1)[0]
    assert (event.command, event.app, event.user, event.via) == (
        *("previews:destroy", "shop-topic"),
        *("paas", "expiry"),
    )
