"""Who is notified: what is accepted, shown and told, and how often."""

import json
from pathlib import Path

import pytest

from paas.adapters.notifications.ledger_file import LedgerFile
from paas.domain.metrics.figures import Load
from paas.domain.notifications.ledger import KEPT_MAX, Ledger
from paas.domain.notifications.messages import LINES_MAX, message_of, signature, webhook_body
from paas.domain.notifications.targets import EVENTS, events_of, kind_of, why_refused
from paas.domain.releases.releases import Build, Status
from paas.domain.server.alarms import Trouble
from paas.domain.values.errors import PaasError
from paas.services.notifications.notifications import Notifications
from paas.services.notifications.watch import Watch
from paas.wiring.monitor import notification_watch
from tests.fakes.world import ROOT, World

HOOK = "https://me:secret@hooks.example.com/secret?k=secret"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """With the app shop, which nobody is notified of."""
    made = World(tmp_path)
    made.app("shop")
    return made


@pytest.fixture
def notifications(world: World) -> Notifications:
    """What users do."""
    return world.notifications


@pytest.fixture
def watch(world: World) -> Watch:
    """What the monitor does; the disk has room."""
    return notification_watch(world.adapters)


def shop_id(world: World) -> int:
    """The app's id."""
    app = world.store.apps.find("shop")
    assert app is not None
    return app.id


def fail_deploy(world: World, number: int = 1, status: Status = Status.FAILED) -> None:
    """A push whose build ended so."""
    now = world.clock.now()
    build = Build(f"b{number}", shop_id(world), "c" * 40, "alice", Status.PENDING, now, None, None)
    world.store.builds.add(build)
    world.store.builds.end(
        Build(build.id, build.app_id, build.commit, "alice", status, now, now, "No Procfile.")
    )


def test_a_place_is_added_shown_and_removed(world: World, notifications: Notifications) -> None:
    """Its URL is a secret: sealed, and shown without what may be one."""
    made = notifications.add(ROOT, "shop", HOOK, EVENTS)
    assert (made.shown, made.kind) == ("https://hooks.example.com/****", "webhook")
    assert notifications.listing(ROOT, "shop") == [made]
    assert notifications.listing(ROOT, None) == []
    assert b"secret?" not in world.store.database.path.read_bytes()
    with pytest.raises(PaasError, match="notified already"):
        notifications.add(ROOT, "shop", HOOK, EVENTS)
    with pytest.raises(PaasError) as caught:
        notifications.remove(ROOT, "shop", "https://hooks.example.com/mistyped-secret")
    assert "mistyped" not in caught.value.report
    assert notifications.remove(ROOT, "shop", made.id) == made
    assert notifications.listing(ROOT, "shop") == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        "json://example.com",
        "gopher://example.com",
        "https://",
        "https://example.com:0/",
        "https://example.com/#part",
        "https://exa mple.com/",
        "https://example.com/\r\nX: y",
        f"https://example.com/{'a' * 3000}",
        "mailto:a@example.com?bcc=b@example.com",
        "mailto:a@example.com,b@example.com",
        "mailto:-t",
        "slack://a/b/c?template=/etc/passwd",
        "https://hooks.slack.com/services/T1/B2/c3?template=file:///etc/passwd",
        "discord://1/abc?:x=y",
        "slack://a/b/c?to=x;template=/etc/passwd",
        "slack://a/b/c?to=x&te%6Dplate=/etc/passwd",
        "ntfy://topic?attach=http://127.0.0.1/",
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    """Without a word of them in the message."""
    with pytest.raises(PaasError) as caught:
        kind_of(url)
    assert caught.value.reference == "notify-url"


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://example.com/hook", "webhook"),
        ("https://hooks.slack.com/services/T1/B2/c3", "slack"),
        ("https://discord.com/api/webhooks/1/abc", "discord"),
        ("tgram://123:abc/456", "telegram"),
        ("ntfys://ntfy.example.com/alarms?priority=high", "ntfy"),
        ("mailto:ops@example.com", "email"),
    ],
)
def test_the_kind_of_a_url(url: str, kind: str) -> None:
    """By its scheme, or the host of a service."""
    assert kind_of(url) == kind


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.1.1", "::1", "::ffff:10.0.0.1"),
        *("0.0.0.0", "fd00::1", "fe80::1", "100.64.0.1", "64:ff9b::7f00:1"),
    ],
)
def test_nothing_is_sent_to_what_only_the_server_reaches(
    notifications: Notifications, address: str
) -> None:
    """Loopback, metadata, private networks, and what leads there."""
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(PaasError) as caught:
        notifications.add(ROOT, "shop", f"http://{host}/x", EVENTS)
    assert caught.value.reference == "notify-address"


def test_an_operator_may_allow_private_networks() -> None:
    """But never a metadata service."""
    assert why_refused("10.0.0.1", to_private=True) is None
    assert why_refused("127.0.0.1", to_private=True) is None
    assert why_refused("169.254.169.254", to_private=True) is not None
    assert why_refused("203.0.114.5", to_private=False) is None


def test_mail_needs_a_mail_server(notifications: Notifications) -> None:
    """And says which setting."""
    with pytest.raises(PaasError, match="smtp_url"):
        notifications.add(ROOT, "shop", "mailto:ops@example.com", EVENTS)


def test_events_are_known_by_name() -> None:
    """All, or some."""
    assert events_of(None) == EVENTS
    assert events_of("disk, backup") == ("backup", "disk")
    with pytest.raises(PaasError, match="There is no kind of event 'fire'"):
        events_of("fire")


def test_only_admins_see_and_change_who_is_notified_of_all(
    world: World, notifications: Notifications
) -> None:
    """Others have their apps."""
    alice = world.user("alice")
    with pytest.raises(PaasError) as caught:
        notifications.add(alice, None, HOOK, EVENTS)
    assert caught.value.reference == "admins-only"


def test_a_test_says_why_it_failed(world: World, notifications: Notifications) -> None:
    """Or that it was sent."""
    made = notifications.add(ROOT, "shop", HOOK, EVENTS)
    assert notifications.test(ROOT, "shop", None) == [made]
    assert [id for id, _ in world.notifier.sent] == [made.id]
    world.notifier.failures[made.id] = "it answered 404"
    with pytest.raises(PaasError, match="could not be notified: it answered 404"):
        notifications.test(ROOT, "shop", made.id)


def test_a_failed_deploy_is_told_once_and_when_it_is_over(
    world: World, notifications: Notifications, watch: Watch
) -> None:
    """With what to do next; another one, an hour later at the earliest."""
    notifications.add(ROOT, "shop", HOOK, EVENTS)
    assert watch.look() == 0
    fail_deploy(world)
    assert watch.look() == 1
    ((_, first),) = world.notifier.sent
    assert first.title == (
        "[example.com] shop: the deploy of cccccccccc by alice failed: No Procfile."
    )
    assert first.text.endswith("→ paas builds:output -a shop")
    fail_deploy(world, 2)
    assert watch.look() == 0
    world.clock.seconds += 3_600
    assert watch.look() == 1
    assert watch.look() == 0
    fail_deploy(world, 3, Status.PENDING)
    assert watch.look() == 0
    fail_deploy(world, 4, Status.SUCCEEDED)
    assert watch.look() == 1
    assert world.notifier.sent[-1][1].title.startswith("[example.com] Over: shop: the deploy")
    assert watch.look() == 0


def test_a_place_is_told_only_of_its_apps_and_events(
    world: World, notifications: Notifications, watch: Watch
) -> None:
    """That of the server, of all."""
    world.app("blog")
    chosen = notifications.add(ROOT, "shop", HOOK, ("disk",))
    other = notifications.add(ROOT, "blog", HOOK, EVENTS)
    server = notifications.add(ROOT, None, HOOK, EVENTS)
    fail_deploy(world)
    watch.look()
    assert [id for id, _ in world.notifier.sent] == [server.id]
    assert {chosen.id, other.id}.isdisjoint(dict(world.notifier.sent))


def test_a_crash_loop_is_told(world: World, notifications: Notifications, watch: Watch) -> None:
    """It is over once nothing crashed for ten minutes."""
    notifications.add(ROOT, "shop", HOOK, EVENTS)
    crash(world, 2)
    assert watch.look() == 0
    crash(world, 1)
    assert watch.look() == 1
    assert "shop crashes again and again: 3 times" in world.notifier.sent[-1][1].text
    world.clock.seconds += 700
    assert watch.look() == 1
    assert world.notifier.sent[-1][1].text.startswith("Over: ")


def crash(world: World, times: int) -> None:
    """As the collector counts it."""
    now = int(world.clock.now().timestamp())
    with world.metrics_files.writing(shop_id(world)) as file:
        load = Load(restarts=times)
        file.count(now, (0, 0), {}, {"web.1": load}, load)


def test_a_place_that_fails_is_tried_again_later(
    world: World, notifications: Notifications, watch: Watch
) -> None:
    """Another one is told meanwhile, and only once."""
    bad = notifications.add(ROOT, "shop", HOOK, EVENTS)
    notifications.add(ROOT, "shop", "https://other.example.com/x", EVENTS)
    world.notifier.failures[bad.id] = "it answered 500"
    fail_deploy(world)
    with pytest.raises(PaasError, match="it answered 500"):
        watch.look()
    assert watch.look() == 0
    world.notifier.failures.clear()
    world.clock.seconds += 600
    assert watch.look() == 1
    assert [id for id, _ in world.notifier.sent].count(bad.id) == 1


def test_ten_thousand_troubles_are_one_message() -> None:
    """With the first ones, and the number of the others."""
    troubles = [Trouble(str(n), f"Trouble {n}. " + "x" * 1_000) for n in range(10_000)]
    ledger, news = Ledger(), Ledger().news(troubles, 0.0)
    message = message_of("example.com", news)
    assert message.title == "[example.com] 10000 messages"
    assert message.text.splitlines()[-1] == f"And {10_000 - LINES_MAX} more: paas doctor"
    assert len(message.text) < 10_000
    assert len(ledger.after(news, troubles, 0.0).told) == KEPT_MAX


def test_what_comes_and_goes_is_told_once_an_hour() -> None:
    """However often it does."""
    trouble, ledger, told = Trouble("disk", "The disk is full."), Ledger(), 0
    for minute in range(118):
        present = [trouble] if minute % 2 == 0 else []
        news = ledger.news(present, minute * 60.0)
        told += len(news.new)
        if news:
            ledger = ledger.after(news, present, minute * 60.0)
    assert told == 2


def test_ledgers_are_kept_in_a_file(tmp_path: Path) -> None:
    """A damaged one counts as empty."""
    file = LedgerFile(tmp_path / "notifications.json")
    assert file.read() == {}
    troubles = [Trouble("a", "A."), Trouble("b", "B.", mark="1")]
    ledger = Ledger().after(Ledger().news(troubles, 5.0), troubles, 5.0)
    file.write({"n.1": ledger, "n.2": ledger.failed(7.0)})
    assert file.read() == {"n.1": ledger, "n.2": ledger.failed(7.0)}
    for text in ('{"n.1": {"told": {"a": {}}, "retry_at": 1}}', '{"n.1": 3}', "{"):
        (tmp_path / "notifications.json").write_text(text)
        assert file.read() == {}


def test_a_webhook_has_herokus_form_and_signature() -> None:
    """So that what receives Heroku's can receive these."""
    body = webhook_body("n.1", "d-1", "2026-11-30T10:00:00Z", {"title": "A"})
    plain = json.loads(body)
    assert (plain["action"], plain["resource"], plain["data"]) == (
        "create",
        "notification",
        {"title": "A"},
    )
    assert plain["webhook_metadata"]["webhook"] == {"id": "n.1"}
    assert signature("Jefe", b"what do ya want for nothing?") == (
        "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
    )
