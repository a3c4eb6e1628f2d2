"""Router settings: their forms, their defaults, and how they are changed."""

from dataclasses import fields

import pytest

from paas.adapters.proxy.nginx.site_conf import render_site
from paas.domain.routing.router_settings import (
    KEYS,
    RouterSettings,
    checked_value,
    key_name,
    report,
    router_settings,
)
from paas.domain.routing.router_values import Rate
from paas.domain.routing.sites import Site
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.entrypoints.cli.router import key_and_value, names_app
from paas.settings import Settings
from tests.endpoints import at
from tests.fakes.world import ROOT, World


def test_every_field_has_a_key() -> None:
    """But headers, which have many, and users, who have commands of their own."""
    assert {key.field for key in KEYS} == {f.name for f in fields(RouterSettings)} - {
        "users",
        "headers",
    }


@pytest.mark.parametrize(
    ("key", "text", "field", "value"),
    [
        ("client-max-body-size", "512k", "body_bytes", 524_288),
        ("client-max-body-size", "20M", "body_bytes", 20_971_520),
        ("client-max-body-size", "1", "body_bytes", 1),
        ("client-body-timeout", "5s", "body_timeout_s", 5),
        ("proxy-read-timeout", "5m", "read_timeout_s", 300),
        ("proxy-read-timeout", "90", "read_timeout_s", 90),
        ("websocket-timeout", "1h", "websocket_timeout_s", 3600),
        ("proxy-buffering", "off", "response_buffering", False),
        ("rate-limit", "10r/s", "rate", Rate(10, 1)),
        ("rate-limit", "300/m", "rate", Rate(300, 60)),
        ("rate-limit", "off", "rate", None),
        ("connection-limit", "20", "connections", 20),
        ("connection-limit", "off", "connections", 0),
    ],
)
def test_values_are_read(key: str, text: str, field: str, value: object) -> None:
    """Each in the unit of its field."""
    settings = router_settings({key_name(key): checked_value(key, text)}, {})
    assert getattr(settings, field) == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("client-max-body-size", "0"),
        ("client-max-body-size", "101g"),
        ("client-max-body-size", "-1"),
        ("client-max-body-size", "1m;"),
        ("client-max-body-size", "1m\n"),
        ("client-max-body-size", "\u0661m"),
        ("connection-limit", "65536"),
        ("allow", "fe80::1%eth0"),
        ("allow", "fe80::1%x;}#"),
        ("deny", "fe80::1%x;internal;/64"),
        ("trusted-proxies", "192.0.2.1 ::1%;"),
        ("proxy-read-timeout", "0s"),
        ("proxy-read-timeout", "25h"),
        ("proxy-read-timeout", "1d"),
        ("gzip", "yes"),
        ("gzip", "on;"),
        ("rate-limit", "0r/s"),
        ("rate-limit", "10"),
        ("rate-limit", "10r/s burst=5"),
        ("connection-limit", "-1"),
        ("allow", ""),
        ("allow", "all"),
        ("allow", "192.0.2.1/24"),
        ("allow", "10.0.0.0/8; return 200"),
        ("deny", ",".join(["192.0.2.1"] * 201)),
        ("header.X-Own", ""),
        ("header.X-Own", " a"),
        ("header.X-Own", "a\r\nSet-Cookie: b"),
        ("header.X-Own", 'a" always; return 200; "'),
        ("header.X-Own", "$http_cookie"),
        ("header.X-Own", "a\\"),
        ("header.X-Own", "ä"),
        ("header.X-Own", "x" * 1001),
    ],
)
def test_what_is_no_value_is_refused(key: str, text: str) -> None:
    """As wrong usage, with the form that it should have."""
    with pytest.raises(PaasError) as caught:
        checked_value(key_name(key), text)
    assert caught.value.reference == "router-value"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "key",
    ["", "proxy_pass", "root", "header.", "header.X Y", "header.X:", "header.Content-Length"],
)
def test_other_keys_are_refused(key: str) -> None:
    """No directive can be typed, and no header that frames the answer."""
    with pytest.raises(PaasError):
        key_name(key)


def test_keys_are_forgiving() -> None:
    """Underscores and capitals, as in nginx's own and in other people's documentation."""
    assert key_name("Client_Max_Body_Size") == "client-max-body-size"
    assert key_name("HEADER.X-Own") == "header.X-Own"


def test_a_report_can_be_set_again() -> None:
    """Where a value was set, its shown text is a value, too."""
    values = {"client-max-body-size": "20m", "rate-limit": "300r/m", "allow": "192.0.2.0/24 ::1"}
    values |= {"connection-limit": "0"}
    shown = report(router_settings(values, {}))
    again = {key: checked_value(key, shown[key]) for key in values}
    assert router_settings(again, {}) == router_settings(values, {})


def test_there_is_a_limit_of_headers() -> None:
    """Browsers and proxies have one too."""
    with pytest.raises(PaasError):
        router_settings({f"header.X-{n}": "1" for n in range(21)}, {})


def test_a_login_that_would_say_more_is_refused() -> None:
    """A line of the file is a name and a hash."""
    settings = router_settings({}, {"a:b\nc": "$2b$05$x"})
    with pytest.raises(PaasError):
        render_site(Site(1, ("a.test",), at(5000), settings=settings), Settings(), ipv6=False)


def test_a_setting_is_served_kept_and_taken_back(world: World) -> None:
    """At the proxy and in the store."""
    world.app()
    world.push()
    world.router.set(ROOT, "shop", "gzip", "on", world.progress)
    assert world.proxy.by_app[1].settings.gzip
    settings, was_set = world.router.settings(ROOT, "shop")
    assert settings.gzip
    assert set(was_set) == {"gzip"}
    world.router.set(ROOT, "shop", "gzip", None, world.progress)
    assert world.proxy.by_app[1].settings == RouterSettings()


def test_a_header_is_the_same_in_any_case(world: World) -> None:
    """Otherwise both were sent, and the one that is not remembered could not be taken back."""
    world.app()
    world.router.set(ROOT, "shop", "header.X-Frame-Options", "DENY", world.progress)
    world.router.set(ROOT, "shop", "header.x-frame-options", "SAMEORIGIN", world.progress)
    settings, _ = world.router.settings(ROOT, "shop")
    assert settings.headers == {"x-frame-options": "SAMEORIGIN"}
    world.router.set(ROOT, "shop", "header.X-FRAME-OPTIONS", None, world.progress)
    assert world.router.settings(ROOT, "shop")[0].headers == {}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("gzip on", False),
        ("gzip", False),
        ("hsts 1y subdomains preload", False),
        ("allow 192.0.2.1 192.0.2.2", False),
        ("header.X-Own gzip", False),
        ("nosuch 1", False),
        ("shop gzip", True),
        ("shop gzip on", True),
        ("gzip gzip on", True),
        ("shop nosuch 1", True),
    ],
)
def test_an_app_stands_before_the_key(words: str, named: bool) -> None:
    """Where a client has said already which app is meant, it need not."""
    assert names_app(words.split()) is named


def test_a_value_may_have_several_words() -> None:
    """But for a header, of which a shell may have taken quotes away."""
    assert key_and_value(["allow", "192.0.2.1", "::1"]) == ("allow", "192.0.2.1 ::1")
    assert key_and_value(["gzip"]) == ("gzip", None)
    assert key_and_value(["header.X-Own", "a b"]) == ("header.X-Own", "a b")
    for words in ([], ["header.X-Own", "a", "b"]):
        with pytest.raises(PaasError):
            key_and_value(words)


def test_what_the_proxy_cannot_do_is_told(world: World) -> None:
    """And not kept."""
    world.app()
    with pytest.raises(PaasError, match="No brotli here"):
        world.router.set(ROOT, "shop", "brotli", "on", world.progress)
    assert world.store.routing.of_app(1).settings == {}


def test_logins_come_and_go(world: World) -> None:
    """Hashed; with the last one gone everybody may come again."""
    world.app()
    world.push()
    world.router.add_user(ROOT, "shop", "alice", Secret("a"), world.progress)
    world.router.add_user(ROOT, "shop", "bob", Secret("b"), world.progress)
    assert set(world.proxy.by_app[1].settings.users) == {"alice", "bob"}
    assert not world.router.remove_user(ROOT, "shop", "alice", world.progress)
    assert world.router.remove_user(ROOT, "shop", "bob", world.progress)
    with pytest.raises(PaasError) as caught:
        world.router.remove_user(ROOT, "shop", "bob", world.progress)
    assert caught.value.reference == "no-such-login"


@pytest.mark.parametrize("kept", [{"allow": "fe80::1%x;"}, {"of-the-future": "1"}])
def test_what_holds_no_longer_is_told(kept: dict[str, str]) -> None:
    """A value that an earlier or later version took: an error that names the key, no crash."""
    with pytest.raises(PaasError, match=next(iter(kept))):
        router_settings(kept, {})


def test_a_buffer_has_bounds() -> None:
    """Each request has one."""
    assert checked_value("proxy-buffer-size", "64k") == "64k"
    for text in ("3k", "129k", "1m", "5000", "", "32", "x"):
        with pytest.raises(PaasError):
            checked_value("proxy-buffer-size", text)
