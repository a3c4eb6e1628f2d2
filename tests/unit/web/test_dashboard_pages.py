"""The pages of the dashboard: each is for those whom its commands are for, and escapes texts."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from paas.domain.audit.views import AuditFilter
from paas.domain.people.users import Role
from tests.fakes.world import ROOT, World
from tests.unit.people.test_permissions import ALLOWED, PEOPLE, Server, changes, expected
from tests.unit.web.api_world import Api
from tests.unit.web.browser import Browser

STATUS = {"no-such-app": 404, "needs-role": 403, "admins-only": 403, "token-limited": 403}
# A change that is for admins, as notify --server is: the table has only the usual use of a command.
FOR_ADMINS = "domains:set-global"
SEE_FORMATION = "ps:scale (to see the formation)"
# Each page and form with the commands whose permissions it needs; of a form, with its fields.
PAGES: dict[str, tuple[str, ...]] = {
    "GET /": ("apps",),
    "GET /account": ("auth:whoami",),
    "GET /apps/<name>": ("apps:info", "ps", SEE_FORMATION, "builds"),
    "GET /apps/<name>/access": ("access",),
    "GET /apps/<name>/config": ("config",),
    "GET /apps/<name>/cron": ("cron", "cron:history", "run:list"),
    "GET /apps/<name>/datastores": ("addons",),
    "GET /apps/<name>/deploys": ("builds",),
    "GET /apps/<name>/deploys/<build>": ("builds:info", "builds:output"),
    "GET /apps/<name>/domains": ("domains", "certs"),
    "GET /apps/<name>/logs": ("logs",),
    "GET /apps/<name>/metrics": ("metrics",),
    "GET /apps/<name>/notifications": ("notify",),
    "GET /apps/<name>/releases": ("releases",),
    "GET /apps/<name>/releases/<int:version>": ("releases:info", "releases:output"),
    "GET /server": ("server:status",),
    "GET /server/doctor": ("doctor",),
    "GET /server/notifications": (FOR_ADMINS,),
    "GET /server/people": ("users",),
    "POST /account/tokens": ("tokens:create",),
    "POST /account/tokens/<prefix>/revoke": ("tokens:revoke",),
    "POST /apps/<name>/access": ("access:add",),
    "POST /apps/<name>/access/remove": ("access:remove",),
    "POST /apps/<name>/access/update": ("access:update",),
    "POST /apps/<name>/config": ("config:set",),
    "POST /apps/<name>/config/unset": ("config:unset",),
    "POST /apps/<name>/cron/resume": ("cron:resume",),
    "POST /apps/<name>/cron/run": ("cron:run",),
    "POST /apps/<name>/cron/suspend": ("cron:suspend",),
    "POST /apps/<name>/datastores": ("addons:create",),
    "POST /apps/<name>/datastores/<datastore>/backup": ("pg:backups:capture",),
    "POST /apps/<name>/datastores/<datastore>/destroy": ("addons:destroy",),
    "POST /apps/<name>/datastores/attach": ("addons:attach",),
    "POST /apps/<name>/datastores/detach": ("addons:detach",),
    "POST /apps/<name>/deploys/<build>/cancel": ("builds:cancel",),
    "POST /apps/<name>/domains": ("domains:add",),
    "POST /apps/<name>/domains/remove": ("domains:remove",),
    "POST /apps/<name>/maintenance": ("maintenance:on",),
    "POST /apps/<name>/notifications": ("notify:add",),
    "POST /apps/<name>/notifications/remove": ("notify:remove",),
    "POST /apps/<name>/notifications/test": ("notify:test",),
    "POST /apps/<name>/releases/<int:version>/rollback": ("rollback",),
    "POST /apps/<name>/restart": ("ps:restart",),
    "POST /apps/<name>/scale": ("ps:scale",),
    "POST /apps/<name>/start": ("ps:start",),
    "POST /apps/<name>/stop": ("ps:stop",),
    "POST /server/notifications": (FOR_ADMINS,),
    "POST /server/notifications/remove": (FOR_ADMINS,),
    "POST /server/notifications/test": (FOR_ADMINS,),
}
# For everybody, with a session or without.
OPEN = {
    "GET /files/<_digest>/<name>",
    "GET /login",
    "GET /login/<link>",
    "POST /login",
    "POST /login/<link>",
    "POST /logout",
}
FIELDS = {
    "app": "",
    "as": "",
    "attachment": "DATABASE",
    "confirm": "postgresql-curly-1234",
    "datastore": "postgresql-curly-1234",
    "events": "disk",
    "expires": "",
    "job": "nightly",
    "kind": "postgresql",
    "name": "A",
    "note": "",
    "plan": "small",
    "role": "viewer",
    "target": "n.1",
    "url": "https://hooks.example.org/path",
    "whom": "newcomer",
    "value": "1",
    "host": "www.example.org",
    "mode": "on",
    "names": "",
    "type": "web",
    "quantity": "2",
}
PARTS = {
    "<datastore>": "postgresql-curly-1234",
    "<name>": "shop",
    "<int:version>": "1",
    "<prefix>": "Ab12Cd34",
}
PEOPLE_OF_HTTP = [who for who in PEOPLE if who != "root"]
MARKUP = "<script>alert(1)</script>\"'&"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Api]]:
    """A server with the people of the test of commands, and its API."""
    with pytest.MonkeyPatch.context() as patch:
        server = Server(World(tmp_path_factory.mktemp("pages")), patch)
        yield server, Api(server.world, {who: server.actor(who) for who in PEOPLE})


def path_of(server: Server, page: str) -> tuple[str, str]:
    """Method and path, with names of what there is."""
    method, _, path = page.partition(" ")
    shop = server.world.store.apps.find("shop")
    assert shop is not None
    (build, *_) = server.world.store.builds.of_app(shop.id)
    for part, text in {**PARTS, "<build>": build.id}.items():
        path = path.replace(part, text)
    return method, path


def test_each_page_has_a_row(served: tuple[Server, Api]) -> None:
    """And no row is left of one that is gone."""
    found = {
        f"{method} {rule.rule}"
        for rule in Browser(served[1]).app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert found == set(PAGES) | OPEN


@pytest.mark.parametrize("page", PAGES)
def test_who_is_refused(served: tuple[Server, Api], page: str) -> None:
    """Nobody sees or changes more than with the commands; for who may not see it there is none."""
    server, api = served
    before = server.content()
    method, path = path_of(server, page)
    for who in PEOPLE_OF_HTTP:
        browser = Browser(api).become(who)
        refusals = [why for use in PAGES[page] if (why := expected(use, who)) != ALLOWED]
        if method == "POST":
            browser.get("/account")
            if not refusals and any(changes(use) for use in PAGES[page]):
                continue
            answer = browser.post(path, FIELDS)
        else:
            answer = browser.get(path)
        wanted = STATUS[refusals[0]] if refusals else 200
        assert answer.status_code == wanted, (who, answer.text)
    assert server.content() == before


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("POST")])
def test_forms_need_their_proof(served: tuple[Server, Api], page: str) -> None:
    """Each of them, from its own user's browser."""
    server, api = served
    before = server.content()
    browser = Browser(api).become("alice")
    _method, path = path_of(server, page)
    assert browser.post(path, FIELDS, proof="").status_code == 403
    assert browser.post(path, FIELDS, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert server.content() == before


@pytest.fixture
def browser(world: World) -> Browser:
    """Alice, who is an admin, has deployed an app, shop."""
    world.user("alice", Role.ADMIN)
    world.app("shop", world.actor("alice"))
    world.push()
    return Browser(Api(world)).log_in("alice")


def test_texts_are_escaped(browser: Browser) -> None:
    """Log lines, values, commits, addresses, and what was refused: none becomes markup."""
    world = browser.api.world
    shop = world.store.apps.find("shop")
    assert shop is not None
    browser.post("/apps/shop/config", {"name": "A", "value": MARKUP})
    world.logs.write(shop.id, "web.1", MARKUP)
    world.store.releases.add(
        shop.id,
        slug_id=None,
        config={},
        description=MARKUP,
        user="alice",
        now=world.clock.now(),
    )
    assert "&lt;script&gt;alert" in browser.get("/").text
    pages = ["/", "/apps/shop", "/apps/shop/releases", "/apps/shop/releases/3", "/apps/shop/logs"]
    pages += ["/apps/shop/config?show=A", f"/apps/shop/config?show={MARKUP}"]
    pages += [f"/apps/shop/logs?process={MARKUP}", f"/login/{MARKUP.replace('/', '')}"]
    for path in pages:
        assert "<script>alert" not in browser.get(path).text, path
    assert "&lt;script&gt;alert" in browser.get("/apps/shop/config?show=A").text
    for fields in ({"name": MARKUP, "value": ""}, {"name": "A=B", "value": MARKUP}):
        refused = browser.post("/apps/shop/config", fields)
        assert refused.status_code == 422
        assert "<script>alert" not in refused.text


def test_an_app_without_a_release(browser: Browser) -> None:
    """Each of its pages says what is missing."""
    browser.api.world.app("empty", browser.api.world.actor("alice"))
    for page in PAGES:
        method, _, path = page.partition(" ")
        if method == "GET" and "<name>" in path and path.count("<") == 1:
            answer = browser.get(path.replace("<name>", "empty"))
            assert answer.status_code == 200, (path, answer.text)


def test_an_app_whose_engine_is_gone(browser: Browser) -> None:
    """The others are shown as ever."""
    world = browser.api.world
    world.app("lost", world.actor("alice"))
    with closing(sqlite3.connect(world.folder / "state.db")) as database:
        database.execute("UPDATE apps SET engine = 'gone' WHERE name = 'lost'")
        database.commit()
    text = browser.get("/").text
    assert text.count('class="state off">unknown') == 1
    assert text.count('class="state good">up') == 1


def test_forms_that_are_too_large(browser: Browser) -> None:
    """Refused by their length, before they are read."""
    answer = browser.post("/apps/shop/config", {"name": "A", "value": "x" * 2 * 1024**2})
    assert answer.status_code == 413
    assert browser.get("/apps/shop/config").status_code == 200


def test_values_are_shown_one_at_a_time(browser: Browser) -> None:
    """And only where somebody asks for it."""
    for name in ("FIRST", "SECOND"):
        browser.post("/apps/shop/config", {"name": name, "value": f"value of {name}"})
    assert "value of" not in browser.get("/apps/shop/config").text
    shown = browser.get("/apps/shop/config?show=FIRST").text
    assert "value of FIRST" in shown
    assert "value of SECOND" not in shown


def test_what_is_changed(browser: Browser) -> None:
    """Each form does what its command does, and the audit trail has it."""
    browser.get("/apps/shop")
    for path, fields in (
        ("/apps/shop/scale", {"type": "web", "quantity": "2"}),
        ("/apps/shop/restart", {"names": "web.1"}),
        ("/apps/shop/stop", {"names": "web.2"}),
        ("/apps/shop/start", {"names": "web.2"}),
        ("/apps/shop/maintenance", {"mode": "on"}),
        ("/apps/shop/maintenance", {"mode": "off"}),
        ("/apps/shop/config", {"name": "A", "value": "two\r\nlines"}),
        ("/apps/shop/config/unset", {"name": "A"}),
        ("/apps/shop/releases/1/rollback", {}),
    ):
        answer = browser.post(path, fields)
        assert answer.status_code == 303, (path, answer.text)
        assert 'role="status"' in browser.get(answer.headers["Location"]).text
    events = browser.api.world.audit.latest(ROOT, AuditFilter(), 100)
    assert [event.command for event in events][1:] == [
        "ps:scale",
        "ps:restart",
        "ps:stop",
        "ps:start",
        "maintenance:on",
        "maintenance:off",
        "config:set",
        "config:unset",
        "rollback",
    ]
    release = browser.api.world.store.releases.find(1, 2)
    assert release is not None
    assert release.config["A"].reveal() == "two\nlines"


def test_quantities_that_cannot_be(browser: Browser) -> None:
    """Before anything changes."""
    for quantity in ("", "-1", "two", "1e3", "\u0661", "9" * 30):
        answer = browser.post("/apps/shop/scale", {"type": "web", "quantity": quantity})
        assert answer.status_code == 422, quantity


def test_the_first_page_is_small(browser: Browser) -> None:
    """With its files: under 60 KB."""
    page = browser.get("/")
    files = [part.partition('"')[0] for part in page.text.split('="/files/')[1:]]
    whole = len(page.data) + sum(len(browser.get(f"/files/{name}").data) for name in set(files))
    assert whole < 60_000


def test_pages_are_whole(browser: Browser) -> None:
    """Each has its language, one main part, one first heading, and labels for its fields."""
    for path in ("/", "/apps/shop", "/apps/shop/config", "/apps/shop/logs", "/account", "/server"):
        text = browser.get(path).text
        assert '<html lang="en">' in text
        assert (text.count("<main"), text.count("<h1")) == (1, 1), path
        for id in re.findall(r'<(?:input|select|textarea) id="([^"]+)"', text):
            assert f'<label for="{id}">' in text, (path, id)
        assert " style=" not in text
        assert "<script>" not in text
