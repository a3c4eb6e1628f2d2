"""The forms of the dashboard for jobs, datastores, people, tokens and notifications."""

import json
import re

import pytest

from paas.domain.audit.views import AuditFilter
from paas.domain.people.access import Grant, Holder
from paas.domain.people.permissions import AppRole
from tests.fakes.world import ROOT, World
from tests.unit.web.api_world import Api
from tests.unit.web.browser import Browser

DATASTORE = "postgresql-quiet-otter-1234"
HOOK = "https://hooks.example.com/secret-path"
FORMS = re.compile(r'<form method="post" action="(/(?:apps|account|server)/[^"]+)"')


@pytest.fixture
def browser(world: World) -> Browser:
    """Alice, a member, owns shop, which has a job; vera may see it."""
    world.user("alice")
    world.user("vera")
    app = world.app("shop", world.actor("alice"))
    world.store.grants.put(app.id, Grant(Holder("vera"), AppRole.VIEWER), world.clock.now())
    world.repository.procfiles["a" * 40] = b"web: serve\n"
    cron = [{"name": "nightly", "command": "true", "schedule": "0 3 * * *"}]
    world.repository.contents["a" * 40, "app.json"] = json.dumps({"cron": cron}).encode()
    world.push()
    return Browser(Api(world)).log_in("alice")


def send(browser: Browser, path: str, **fields: str) -> str:
    """The page that follows a form."""
    answer = browser.post(path, fields)
    if answer.status_code == 303:
        answer = browser.get(answer.headers["Location"])
        assert 'role="status"' in answer.text, path
    assert answer.status_code == 200, (path, answer.text)
    return answer.text


def refused(browser: Browser, path: str, **fields: str) -> str:
    """The page that says why a form did not change anything."""
    answer = browser.post(path, fields)
    assert answer.status_code in (404, 409, 422), (path, answer.text)
    return answer.text


def trail(browser: Browser) -> list[str]:
    """The changes that the audit trail has, after the login, in their order."""
    events = browser.api.world.audit.latest(ROOT, AuditFilter(), 100)
    return [" ".join((one.command, *one.words)) for one in events if "dashboard" not in one.command]


def test_cron(browser: Browser) -> None:
    """A job is run, suspended and resumed; its runs are listed with how they ended."""
    world = browser.api.world
    assert "Last runs" not in browser.get("/apps/shop/cron").text
    assert "running" in send(browser, "/apps/shop/cron/run", job="nightly")
    refused(browser, "/apps/shop/cron/run", job="nightly")
    world.runs.running.clear()
    app = world.store.apps.find("shop")
    assert app is not None
    (run,) = world.store.cron.history(app.id, None)
    world.store.cron.interrupt(app.id, "nightly", run.started, world.clock.now())
    text = browser.get("/apps/shop/cron?job=nightly").text
    assert "Last runs of nightly" in text
    assert text.count("interrupted") == 2
    assert "Resume" in send(browser, "/apps/shop/cron/suspend", job="nightly")
    assert "Suspend" in send(browser, "/apps/shop/cron/resume", job="nightly")
    commands = ("cron:run", "cron:run", "cron:suspend", "cron:resume")
    assert trail(browser) == [f"{command} nightly" for command in commands]


def test_datastores(browser: Browser) -> None:
    """One is created, backed up, detached, attached, and destroyed once its name was typed."""
    path = "/apps/shop/datastores"
    assert DATASTORE in send(browser, path, kind="postgresql", plan="small", **{"as": ""})
    assert "DATABASE_URL" in browser.get(path).text
    assert "none yet" in browser.get(path).text
    assert "b001" in send(browser, f"{path}/{DATASTORE}/backup", kind="postgresql")
    refused(browser, f"{path}/{DATASTORE}/backup", kind="oracle")
    assert "DATABASE_URL" not in send(browser, f"{path}/detach", attachment="DATABASE")
    found = send(browser, f"{path}/attach", datastore=DATASTORE, **{"as": "MAIN"})
    assert "MAIN_URL" in found
    for typed in ("", "yes", DATASTORE.upper()):
        assert "nothing was destroyed" in refused(
            browser, f"{path}/{DATASTORE}/destroy", confirm=typed
        )
    assert DATASTORE not in send(browser, f"{path}/{DATASTORE}/destroy", confirm=DATASTORE)
    assert trail(browser) == [
        "addons:create postgresql:small",
        f"pg:backups:capture {DATASTORE}",
        "addons:detach DATABASE",
        f"addons:attach {DATASTORE} --as MAIN",
        f"addons:destroy {DATASTORE}",
    ]


def test_datastores_of_other_apps(browser: Browser) -> None:
    """Those that the user may see can be chosen; what is attached to this app is not offered."""
    world = browser.api.world
    world.app("blog", world.actor("alice"))
    send(browser, "/apps/blog/datastores", kind="redis", plan="small", **{"as": ""})
    text = browser.get("/apps/shop/datastores").text
    (name,) = re.findall(r'<option value="(redis-[^"]+)">', text)
    assert f"{name} of blog" in text
    text = send(browser, "/apps/shop/datastores/attach", datastore=name, **{"as": ""})
    assert "<dt>Belongs to</dt><dd>blog</dd>" in text
    assert f'<option value="{name}">' not in text
    assert f"{name}/destroy" not in text


def test_access(browser: Browser) -> None:
    """The app is shared, a role changed, and the access removed; the only owner stays."""
    browser.api.world.user("bob")
    path = "/apps/shop/access"
    assert "Role of bob" in send(browser, path, whom="bob", role="viewer")
    assert "is already a viewer" in refused(browser, path, whom="bob", role="owner")
    refused(browser, path, whom="nobody", role="viewer")
    send(browser, f"{path}/update", whom="bob", role="deployer")
    app = browser.api.world.store.apps.find("shop")
    assert app is not None
    assert [str(grant.role) for grant in app.grants if grant.holder == "bob"] == ["deployer"]
    assert "Role of bob" not in send(browser, f"{path}/remove", whom="bob")
    refused(browser, f"{path}/remove", whom="alice")
    assert trail(browser) == [
        "access:add bob --role viewer",
        "access:add bob --role owner",
        "access:add nobody --role viewer",
        "access:update bob --role deployer",
        "access:remove bob",
        "access:remove alice",
    ]


def test_tokens(browser: Browser) -> None:
    """A member's is shown once, limited as chosen, and ends with the session; it can be revoked."""
    fields = {"note": "CI <b>", "app": "shop", "role": "deployer", "expires": ""}
    text = send(browser, "/account/tokens", **fields)
    (secret,) = re.findall(r"<code>(paas_[0-9A-Za-z]{46})</code>", text)
    assert "CI &lt;b&gt;" in text
    token = next(one for one in browser.api.world.store.tokens.all() if not one.session)
    session = next(one for one in browser.api.world.store.tokens.all() if one.session)
    assert (token.app, token.role, token.expires) == ("shop", "deployer", session.expires)
    assert secret not in browser.get("/account").text
    assert "for shop, as deployer at most" in browser.get("/account").text
    assert 'name="expires" value=""' in text
    refused(browser, "/account/tokens", **{**fields, "expires": "90d"})
    refused(browser, "/account/tokens", **{**fields, "expires": "ever"})
    send(browser, f"/account/tokens/{token.prefix}/revoke")
    assert browser.api.world.store.tokens.all() == [session]
    line = "tokens:create --role deployer"
    assert trail(browser) == [line, line, f"tokens:revoke {token.prefix}"]


def test_notifications(browser: Browser) -> None:
    """A webhook is added with its secret, tested and removed; its URL is shown in part."""
    world, path = browser.api.world, "/apps/shop/notifications"
    text = send(browser, path, url=HOOK, events="deploy-failed")
    (target,) = world.store.notifications.all()
    assert (target.url.reveal(), target.events) == (HOOK, ("deploy-failed",))
    assert f"not shown again:</p><pre><code>{target.secret.reveal()}</code>" in text
    assert "not shown again" not in browser.get(path).text
    assert "secret-path" not in browser.get(path).text
    send(browser, f"{path}/test", target=target.id)
    assert [id for id, _ in world.notifier.sent] == [target.id]
    world.notifier.failures[target.id] = "it answered 404"
    assert "it answered 404" in refused(browser, f"{path}/test", target=target.id)
    refused(browser, path, url="file:///etc/passwd", events="deploy-failed")
    refused(browser, path, url=HOOK)
    send(browser, f"{path}/remove", target=target.id)
    assert world.store.notifications.all() == []
    assert trail(browser) == [
        "notify:add https://hooks.example.com --events deploy-failed",
        f"notify:test {target.id}",
        f"notify:test {target.id}",
        "notify:add … --events deploy-failed",
        f"notify:remove {target.id}",
    ]


def test_a_viewer_sees_no_forms(browser: Browser) -> None:
    """On the pages that they see; that of notifications is not even linked."""
    assert "/apps/shop/notifications" in browser.get("/apps/shop/cron").text
    browser.become("vera")
    for page in ("cron", "datastores", "access"):
        answer = browser.get(f"/apps/shop/{page}")
        assert answer.status_code == 200
        assert FORMS.findall(answer.text) == []
        assert "/apps/shop/notifications" not in answer.text
