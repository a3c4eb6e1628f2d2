"""Deploy on push: which webhooks are believed, and what is deployed for them."""

from pathlib import Path
from urllib.parse import quote

import pytest

from paas.domain.apps.apps import App
from paas.domain.audit.events import State
from paas.domain.audit.views import AuditFilter
from paas.domain.git.credentials import host_token
from paas.domain.git.events import Forge
from paas.domain.git.sources import GitSource
from paas.domain.git.webhooks import Webhook, delivery
from paas.domain.people.access import Holder
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import AppRole
from paas.domain.values.errors import PaasError
from paas.domain.values.names import BranchName, UserName
from paas.domain.values.secret import Secret
from paas.entrypoints.cli.hooks import handler_of
from paas.entrypoints.gate.hooks import HookRequest, parse
from paas.entrypoints.gate.wire import BadRequestError
from paas.wiring.services import all_services
from tests.fakes.world import ROOT, World
from tests.unit.git import deliveries
from tests.unit.git.deliveries import SENT, known

SOURCE = "https://github.com/acme/shop.git"
COMMIT = "c" * 40
HOOK = Webhook("id", 1, GitSource(SOURCE, "main"), BranchName("main"), None, Secret("the-secret"))


@pytest.mark.parametrize("forge", Forge)
def test_each_forge_s_webhook_is_believed_with_the_secret_alone(forge: Forge) -> None:
    """Not with another one, not with another body, not without a proof."""
    headers, body = SENT[forge]("the-secret", "main", COMMIT)
    found = delivery(HOOK, known(headers), body)
    assert (found.forge, found.pushed) == (forge, COMMIT)
    assert len(found.id) == 36
    wrong = SENT[forge]("another", "main", COMMIT)
    unsigned = {
        name: "" if "ign" in name or "token" in name else value
        for name, value in known(headers).items()
    }
    bare = {name: value for name, value in known(headers).items() if unsigned[name]}
    changed = body.replace(COMMIT.encode(), b"d" * 40)
    cases = [(known(wrong[0]), body), (unsigned, body), (bare, body), ({}, body)]
    if forge is not Forge.GITLAB:  # which signs nothing
        cases.append((known(headers), changed))
    for sent, content in cases:
        with pytest.raises(PaasError, match="not signed") as refused:
            delivery(HOOK, sent, content)
        assert "the-secret" not in refused.value.report


@pytest.mark.parametrize("forge", Forge)
def test_what_is_no_push_to_the_branch_deploys_nothing(forge: Forge) -> None:
    """Another branch, a deleted one, another event."""
    for branch, commit in (("topic", COMMIT), ("main", "0" * 40)):
        headers, body = SENT[forge]("the-secret", branch, commit)
        assert delivery(HOOK, known(headers), body).pushed is None
    headers, body = SENT[forge]("the-secret", "main", COMMIT)
    other = {
        k: "ping" if "event" in k and "uuid" not in k else v for k, v in known(headers).items()
    }
    assert delivery(HOOK, other, body).pushed is None


def test_a_tag_named_like_the_branch_is_no_push_to_it() -> None:
    """refs/tags/main."""
    headers, body = deliveries.gitlab("the-secret", "main", COMMIT)
    tagged = body.replace(b"refs/heads/main", b"refs/tags/main")
    assert delivery(HOOK, known(headers), tagged).pushed is None


def test_github_s_other_content_type() -> None:
    """The JSON in a form, signed as it was sent."""
    _, plain = deliveries.github("the-secret", "main", COMMIT)
    body = b"payload=" + quote(plain.decode()).encode()
    headers = known(deliveries.github("the-secret", "main", COMMIT)[0])
    headers["x-hub-signature-256"] = "sha256=" + deliveries.signed("the-secret", body)
    assert delivery(HOOK, headers, body).pushed == COMMIT


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"ref": 1, "after": null}',
        b'{"ref": "refs/heads/main", "after": "$(id)"}',
        b"[" * 100_000,
        b"\xff\xfe",
        b"payload=x&&&",
    ],
)
def test_a_genuine_webhook_with_another_body(body: bytes) -> None:
    """Is refused in words, and costs nothing."""
    headers = {"x-gitlab-event": "Push Hook", "x-gitlab-token": "the-secret"}
    with pytest.raises(PaasError, match="not that of a push"):
        delivery(HOOK, headers, body)


class Bench:
    """A server with the app shop, and alice, who may deploy it and has set up deploy on push."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder, web=True)
        self.app = self.world.app()
        self.world.user("alice")
        self.world.access.add(ROOT, "shop", Holder("alice"), AppRole.DEPLOYER)
        self.world.importer.commit = COMMIT
        self.set_up(self.world.actor("alice"))
        self.answers: list[tuple[int, str]] = []
        self.busy: str | None = None

    def set_up(self, actor: Actor) -> None:
        self.hook = self.world.deploy_on_push.set_up(actor, "shop", SOURCE, "main")

    def send(self, commit: str = COMMIT, *, secret: str = "", id: str = "") -> int:
        """Deliver a webhook of GitHub's; the status of the answer."""
        secret = secret or self.hook.secret.reveal()
        headers, body = deliveries.github(secret, "main", commit)
        request = HookRequest(id or self.hook.id, known(headers), "192.0.2.1")

        def answer(status: int, words: str) -> None:
            self.answers.append((status, words))

        handler = handler_of(all_services(self.world.adapters))
        handler.deliver(request, body, answer, lambda _user: self.busy)
        return self.answers[-1][0]

    def app_now(self) -> App:
        """As it is by now."""
        found = self.world.store.apps.by_id(self.app.id)
        assert found is not None
        return found

    def synced(self) -> int:
        """How often the repository was fetched."""
        return len(self.world.importer.asked)


@pytest.fixture
def bench(in_memory: Path) -> Bench:
    """All of it."""
    return Bench(in_memory)


def last(bench: Bench) -> str:
    """What became of the last push."""
    webhook = bench.world.deploy_on_push.report(ROOT, "shop")
    assert webhook.last is not None
    return webhook.last.result


def test_a_push_is_deployed_as_who_set_it_up(bench: Bench) -> None:
    """The branch is fetched; release and audit trail name the user, and the trail what came."""
    assert bench.send() == 202
    assert bench.world.importer.asked[0][0] == GitSource(SOURCE, "main")
    release = bench.world.store.releases.current(bench.app_now())
    assert release is not None
    assert release.user == "alice"
    assert last(bench) == "deployed"
    event = bench.world.audit.latest(ROOT, AuditFilter(), 1)[0]
    assert (event.user, event.via, event.address) == ("alice", "webhook:github", "192.0.2.1")
    assert event.command == "git:sync"
    assert event.words[:3] == ("https://github.com/acme/shop.git", "main", COMMIT)
    assert bench.send() == 202  # again: it is live, so nothing is built
    assert len(bench.world.store.builds.of_app(bench.app.id)) == 1


def test_pushes_during_a_deploy_become_one_more(bench: Bench) -> None:
    """Of the newest: each is answered at once, and none is lost."""
    statuses: list[int] = []

    def two_more() -> None:
        bench.world.importer.during = lambda: None
        statuses.extend(bench.send(commit) for commit in ("d" * 40, "e" * 40))
        bench.world.importer.commit = "e" * 40

    bench.world.importer.during = two_more
    assert bench.send() == 202
    assert statuses == [202, 202]
    assert bench.synced() == 2
    assert last(bench) == "deployed"
    webhook = bench.world.deploy_on_push.report(ROOT, "shop")
    assert (webhook.wanted, webhook.done) == (3, 3)
    assert webhook.last is not None
    assert webhook.last.commit == "e" * 40


def test_a_failure_is_in_the_log_the_report_and_the_trail(bench: Bench) -> None:
    """And the next push is deployed."""
    bench.world.importer.failure = PaasError("not-fetched", "It could not be fetched.")
    assert bench.send() == 202
    assert last(bench) == "failed: It could not be fetched."
    lines = [line.text for line in bench.world.logs.tail(bench.app.id, 10)]
    assert any("Not deployed: It could not be fetched" in line for line in lines)
    assert bench.world.audit.latest(ROOT, AuditFilter(), 1)[0].state is State.FAILED
    bench.world.importer.failure = None
    assert bench.send() == 202
    assert last(bench) == "deployed"


def test_who_may_no_longer_deploy_deploys_nothing(bench: Bench) -> None:
    """The permissions are those of the moment; the refusal is recorded."""
    alice = Holder("alice")
    bench.world.access.update(ROOT, "shop", alice, AppRole.VIEWER)
    assert bench.send() == 403
    assert bench.synced() == 0
    assert bench.world.audit.latest(ROOT, AuditFilter(), 1)[0].state is State.REFUSED
    bench.world.users.remove(ROOT, UserName("alice"))
    assert bench.send() == 404


def test_what_is_not_genuine_changes_nothing(bench: Bench) -> None:
    """A wrong secret, an unknown id, one that was rotated or turned off."""
    former = bench.hook.secret.reveal()
    assert bench.send(secret="wrong") == 401
    assert bench.send(id="nobody") == 404
    actor = bench.world.actor("alice")
    rotated = bench.world.deploy_on_push.rotate(actor, "shop")
    assert rotated.id == bench.hook.id
    assert bench.send(secret=former) == 401
    bench.world.deploy_on_push.turn_off(actor, "shop")
    assert bench.send(secret=rotated.secret.reveal()) == 404
    assert bench.synced() == 0
    assert former.encode() not in (bench.world.folder / "state.db").read_bytes()
    with pytest.raises(PaasError, match="not deployed on push"):
        bench.world.deploy_on_push.report(actor, "shop")


def test_a_busy_server_asks_to_send_it_again(bench: Bench) -> None:
    """Nothing is noted then."""
    bench.busy = "You have 32 commands running."
    assert bench.send() == 503
    assert bench.synced() == 0


def test_a_second_set_up_replaces_the_former_webhook(bench: Bench) -> None:
    """With another URL and secret. A password in an address is refused, and SSH without a key."""
    former = bench.hook
    bench.set_up(ROOT)
    assert bench.send(secret=former.secret.reveal(), id=former.id) == 404
    assert bench.send() == 202
    for url, words in (
        ("https://me:secret@github.com/a.git", "a password"),
        ("git@github.com:acme/shop.git", "has no deploy key"),
    ):
        with pytest.raises(PaasError, match=words):
            bench.world.deploy_on_push.set_up(ROOT, "shop", url, "main")


@pytest.mark.parametrize(
    "raw",
    [
        {"hook": "../x", "headers": {}, "address": ""},
        {"hook": "x" * 33, "headers": {}, "address": ""},
        {"hook": "x", "headers": {"cookie": "x"}, "address": ""},
        {"hook": "x", "headers": {"x-github-event": 1}, "address": ""},
        {"hook": "x", "headers": {"x-github-event": "x" * 301}, "address": ""},
        {"hook": "x", "headers": {}, "address": "", "user": "root"},
        {"hook": "x", "headers": {}},
    ],
)
def test_requests_to_the_gate_that_are_none(raw: object) -> None:
    """The web process is distrusted, too."""
    with pytest.raises(BadRequestError):
        parse(raw)


def test_the_git_server_is_told_what_becomes_of_a_push(bench: Bench) -> None:
    """If the app has a token for it; that it is deployed, and how that ended."""
    sent = bench.world.commit_statuses.sent
    bench.send()
    assert sent == []
    bench.world.git_credentials.set_token(ROOT, "shop", host_token("github.com", None, "t0ken"))
    bench.send("d" * 40)
    bench.world.importer.failure = PaasError("not-fetched", "It could not be fetched.")
    bench.send("e" * 40)
    assert [(request.url[-40:], request.fields["state"]) for request, _ in sent] == [
        ("d" * 40, "pending"),
        ("d" * 40, "success"),
        ("e" * 40, "pending"),
        ("e" * 40, "failure"),
    ]
    assert {token.host for _, token in sent} == {"github.com"}
    assert "could not be fetched" in sent[-1][0].fields["description"]


def test_a_status_that_is_not_sent_changes_nothing(bench: Bench) -> None:
    """But for a line in the app's log."""
    bench.world.git_credentials.set_token(ROOT, "shop", host_token("github.com", None, "t0ken"))
    bench.world.commit_statuses.failure = PaasError("status-not-sent", "It was not sent: 401")
    assert bench.send() == 202
    assert last(bench) == "deployed"
    lines = [line.text for line in bench.world.logs.tail(bench.app.id, 20)]
    assert "It was not sent: 401" in lines
