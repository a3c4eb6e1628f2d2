"""Sessions of the dashboard: how they begin, what they are worth, and how they end."""

import pytest

from paas.domain.audit.views import AuditFilter
from paas.domain.people.permissions import AppRole
from paas.domain.people.tokens import Token
from paas.domain.values.names import UserName
from paas.domain.values.secret import Secret
from paas.entrypoints.web.dashboard.app import HEADERS
from paas.wiring.services import all_services
from tests.fakes.world import ROOT, World
from tests.unit.web.api_world import ORIGIN, Api
from tests.unit.web.browser import HOST, Browser


@pytest.fixture
def api(world: World) -> Api:
    """Alice has an app, shop; bob has none."""
    world.user("alice")
    world.user("bob")
    world.app("shop", world.actor("alice"))
    world.push()
    return Api(world)


@pytest.fixture
def browser(api: Api) -> Browser:
    """Nobody has logged in."""
    return Browser(api)


def a_token(api: Api, *, role: AppRole | None = None) -> tuple[Secret, Token]:
    """Of alice's."""
    tokens = all_services(api.world.adapters).tokens
    return tokens.create(
        api.world.actor("alice"), ORIGIN, app=None, role=role, expires=None, note=""
    )


def test_without_a_session_there_is_only_the_login(browser: Browser) -> None:
    """Nothing else can be claimed or seen from outside."""
    for path in ("/", "/account", "/server", "/apps/shop"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/login"), path
    assert browser.get("/login").status_code == 200
    assert browser.get("/setup").status_code == 404


def test_log_in_with_a_token_and_out(browser: Browser) -> None:
    """The session is another token, which the log-out revokes; the first one stays."""
    secret, token = a_token(browser.api)
    browser.get("/login")
    answer = browser.post("/login", {"token": secret.reveal()})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers.getlist("Set-Cookie")[0]
    assert cookie.startswith("__Host-paas_session=paas_")
    assert secret.reveal() not in cookie
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=Strict", "Max-Age="):
        assert part in cookie
    assert "Domain" not in cookie
    assert ">shop</a>" in browser.get("/").text
    session = next(one for one in browser.api.world.store.tokens.all() if one.session)
    assert session.made_with == token.prefix
    assert browser.post("/logout").headers["Location"] == "/login"
    assert browser.get("/").status_code == 303
    assert browser.api.world.store.tokens.all() == [token]


def test_a_link_logs_in_once(browser: Browser) -> None:
    """Looking at it does not use it up; a second form does not log in."""
    path = browser.link("alice")
    for _ in range(2):
        assert "Log in" in browser.get(path).text
    other = Browser(browser.api)
    other.get(path)
    assert browser.post(path).status_code == 303
    assert ">shop</a>" in browser.get("/").text
    assert other.post(path).status_code == 401


def test_a_link_is_valid_for_minutes_and_for_nothing_else(browser: Browser) -> None:
    """It is no token."""
    path = browser.link("alice")
    secret = path.rpartition("/")[2]
    assert browser.api.ask("GET", "/apps", user=secret).status_code == 401
    browser.api.world.clock.seconds += 6 * 60
    browser.get(path)
    assert browser.post(path).status_code == 401


def test_a_session_ends_with_the_token_that_opened_it(browser: Browser) -> None:
    """It was stolen, perhaps."""
    secret, token = a_token(browser.api)
    browser.get("/login")
    browser.post("/login", {"token": secret.reveal()})
    services = all_services(browser.api.world.adapters)
    services.tokens.revoke(browser.api.world.actor("alice"), token.prefix)
    assert browser.get("/").headers["Location"] == "/login"
    assert browser.api.world.store.tokens.all() == []


def test_a_session_has_the_limits_of_its_token(browser: Browser) -> None:
    """One for viewing changes nothing."""
    secret, _ = a_token(browser.api, role=AppRole.VIEWER)
    browser.get("/login")
    browser.post("/login", {"token": secret.reveal()})
    assert ">shop</a>" in browser.get("/").text
    session = next(one for one in browser.api.world.store.tokens.all() if one.session)
    assert session.role is AppRole.VIEWER


def test_a_session_lasts_half_a_day(browser: Browser) -> None:
    """However long the token is valid."""
    browser.log_in("alice")
    browser.api.world.clock.seconds += 13 * 3_600
    assert browser.get("/").status_code == 303


def test_all_sessions_end_at_once(browser: Browser) -> None:
    """Of that user; links are worth nothing either."""
    browser.log_in("alice")
    bob = Browser(browser.api).log_in("bob")
    path = browser.link("alice")
    services = all_services(browser.api.world.adapters)
    assert services.web_sessions.close_all(browser.api.world.actor("alice")) == 1
    assert browser.get("/").status_code == 303
    assert bob.get("/").status_code == 200
    browser.get(path)
    assert browser.post(path).status_code == 401


def test_a_removed_user_has_no_session(browser: Browser) -> None:
    """Nor does one come back with a user of that name."""
    browser.log_in("bob")
    services = all_services(browser.api.world.adapters)
    services.users.remove(ROOT, UserName("bob"))
    browser.api.world.user("bob")
    assert browser.get("/").status_code == 303


def test_guesses_are_limited(browser: Browser) -> None:
    """As for the API, and counted together with it; a session that is open is not held up."""
    logged_in = Browser(browser.api).log_in("alice")
    browser.get("/login")
    for _ in range(20):
        assert browser.post("/login", {"token": "paas_guess"}).status_code == 401
    many = browser.post("/login", {"token": "paas_guess"})
    assert many.status_code == 429
    assert 0 < int(many.headers["Retry-After"]) <= 61
    assert logged_in.get("/").status_code == 200


@pytest.mark.parametrize("token", ["", " ", "x" * 5_000, "p\u00e4ss", "a\0b", "paas_" + "0" * 46])
def test_what_is_no_token(browser: Browser, token: str) -> None:
    """One answer for all."""
    browser.get("/login")
    answer = browser.post("/login", {"token": token})
    assert answer.status_code == 401
    assert "This token is not valid" in answer.text


def test_forms_of_others(browser: Browser) -> None:
    """Neither another site nor a form without the proof of this session changes anything."""
    browser.log_in("alice")
    own = browser.proof
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://shop.example.com", "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        assert browser.post("/logout", headers=headers).status_code == 403
    assert browser.post("/logout", proof="").status_code == 403
    assert (
        browser.post("/logout", proof=Browser(browser.api).log_in("bob").proof).status_code == 403
    )
    assert browser.get("/").status_code == 200
    assert browser.post("/logout", proof=own).status_code == 303


def test_a_login_is_not_done_for_another_browser(browser: Browser) -> None:
    """Else a site could log its visitors in as somebody else."""
    secret, _ = a_token(browser.api)
    assert browser.post("/login", {"token": secret.reveal()}, proof="").status_code == 403
    mine = Browser(browser.api)
    mine.get("/login")
    browser.get("/login")
    assert browser.post("/login", {"token": secret.reveal()}, proof=mine.proof).status_code == 403


@pytest.mark.parametrize("path", ["/", "/login", "/nothing", "/files/x/style.css"])
def test_headers(browser: Browser, path: str) -> None:
    """Of pages, redirects, errors and files."""
    answer = browser.get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    is_file = path.startswith("/files/")
    assert answer.headers["Cache-Control"].startswith("public" if is_file else "private, no-store")


def test_other_hosts(browser: Browser) -> None:
    """Only the dashboard's own name is answered."""
    for host in ("evil.example", f"{HOST}.evil.example", "example.com"):
        assert browser.get("/login", headers={"Host": host}).status_code == 404


def test_over_http_the_cookie_is_not_for_https(api: Api) -> None:
    """On the server itself, as localhost."""
    browser = Browser(api, secure=False).log_in("alice")
    assert browser.get("/").status_code == 200


def test_the_audit_trail_has_logins(browser: Browser) -> None:
    """Each line of a session tells which one."""
    browser.log_in("alice")
    session = next(one for one in browser.api.world.store.tokens.all() if one.session)
    browser.post("/logout")
    events = browser.api.world.audit.latest(ROOT, AuditFilter(), 100)
    assert [(one.user, one.command, str(one.state)) for one in events] == [
        ("alice", "dashboard:open", "done"),
        ("alice", "dashboard:close", "done"),
    ]
    assert events[1].via == f"token:{session.prefix} https"
