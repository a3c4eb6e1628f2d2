"""Drains: what may be one, how it is shown, when the process runs, what a message looks like."""

from dataclasses import replace

import pytest

from paas.domain.logs.drains import DRAINS_MAX, Drain, parse_target, why_refused
from paas.domain.logs.syslog import message_from
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from tests.fakes.world import ROOT, World

URL = "https://me:secret@logs.example.com/token?key=1"


def test_a_url_is_shown_without_its_secrets() -> None:
    """Login, path and query may be one; scheme, host and port are not."""
    assert str(Drain("d.1", 1, Secret(URL))) == "d.1 (https://****@logs.example.com/****)"
    plain = Drain("d.1", 1, Secret("syslog+tls://logs.example.com:6514"))
    assert plain.shown == "syslog+tls://logs.example.com:6514"
    assert "secret" not in repr(Drain("d.1", 1, Secret(URL)))


def test_a_url_is_read() -> None:
    """With the usual port of each scheme; IPv6 without its brackets."""
    target = parse_target("https://a%40b:c%3Ad@logs.example.com/x?y=z")
    assert (target.host, target.port, target.path) == ("logs.example.com", 443, "/x?y=z")
    assert target.login is not None
    assert target.login.reveal() == "a@b:c:d"
    assert parse_target("syslog+tls://logs.example.com").port == 6514
    assert parse_target("syslog+tls://logs.example.com.").host == "logs.example.com."
    assert parse_target("syslog://[2001:db8::1]:99").host == "2001:db8::1"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "logs.example.com:514",
        "ftp://logs.example.com",
        "https://",
        "https://a:99999/",
        "https://a:0/",
        "https://a/\r\nX: y",
        "https://a/ b",
        "https://ü/",
        "https://a/#b",
        "syslog://me@logs.example.com",
        "syslog://logs.example.com/x",
        "https://a/" + "x" * 3_000,
        "https://logs..example.com/",
        "https://.example.com/",
        "syslog://" + "a" * 64 + ".example.com",
    ],
)
def test_a_bad_url_is_refused(url: str) -> None:
    """Without being repeated: there may be a password in it."""
    with pytest.raises(PaasError) as caught:
        parse_target(url)
    assert caught.value.reference == "drain-url"
    assert not url or url not in caught.value.message


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "::1",
        "::ffff:127.0.0.1",
        "169.254.169.254",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "64:ff9b::a9fe:a9fe",
        "100.100.100.200",
        "168.63.129.16",
        "::ffff:168.63.129.16",
        "64:ff9b::a83f:8110",
        "192.0.0.192",
        "fd00:ec2::23",
        "fd20:ce::254",
        "fd00:c1::a9fe:a9fe",
        "fd00:42::42",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "255.255.255.255",
    ],
)
def test_what_only_the_server_reaches_is_refused(address: str) -> None:
    """Loopback, link-local, metadata, no host's."""
    assert why_refused(address, to_server=False)


def test_what_may_be_reached() -> None:
    """The networks beside the server; loopback only where the operator says so, and never more."""
    for address in ("10.1.2.3", "192.168.0.9", "203.0.113.9", "2001:db8::9", "fd12::1"):
        assert why_refused(address, to_server=False) is None
    assert why_refused("127.0.0.1", to_server=True) is None
    assert why_refused("169.254.169.254", to_server=True)


def test_the_process_runs_while_there_is_a_drain(world: World) -> None:
    """From the first one of any app to the last one, also where that goes with its app."""
    world.app()
    world.app("other")
    first = world.drains.add(ROOT, "shop", URL)
    world.drains.add(ROOT, "other", URL)
    assert world.drain_process.runs
    assert world.drain_process.begun == [d.token for d in world.store.drains.all()]
    world.drains.remove(ROOT, "shop", first.token)
    assert world.drain_process.runs
    world.apps.destroy(ROOT, "other", "other", world.progress)
    world.drains.settle()
    assert not world.drain_process.runs
    world.drains.add(ROOT, "shop", URL)
    world.drains.remove(ROOT, "shop", URL)
    assert not world.drain_process.runs


def test_the_audit_trail_wants_it_too(world: World) -> None:
    """Also where no app has a drain."""
    drains = replace(world.drains, of_audit=True)
    drains.settle()
    assert world.drain_process.runs
    world.drains.settle()
    assert not world.drain_process.runs


def test_reconcile_starts_it(world: World) -> None:
    """After a boot."""
    world.app()
    world.drains.add(ROOT, "shop", URL)
    world.drain_process.runs = False
    world.reconcile.run(world.progress)
    assert world.drain_process.runs


def test_who_and_how_many(world: World) -> None:
    """Only of one's own apps, none twice, and not without end; errors keep the secret."""
    world.app()
    alice = world.user("alice")
    with pytest.raises(PaasError, match="no app"):
        world.drains.add(alice, "shop", URL)
    world.drains.add(ROOT, "shop", URL)
    with pytest.raises(PaasError, match="already") as caught:
        world.drains.add(ROOT, "shop", URL)
    assert "secret" not in caught.value.message
    with pytest.raises(PaasError, match="no drain of that URL") as caught:
        world.drains.remove(ROOT, "shop", "https://x:typo@y")
    assert "typo" not in caught.value.message
    with pytest.raises(PaasError, match="this server itself"):
        world.drains.add(ROOT, "shop", "http://127.0.0.1:6379/")
    for number in range(DRAINS_MAX - 1):
        world.drains.add(ROOT, "shop", f"syslog://logs{number}.example.com")
    with pytest.raises(PaasError, match="at most"):
        world.drains.add(ROOT, "shop", "syslog://more.example.com")


def test_messages() -> None:
    """The frame counts bytes; HTTP's lacks the structured data; the release is not sent."""
    line = "2026-11-20T10:20:30.000001+00:00 app[web.1] v5: ü: x".encode()
    message = message_from(line)
    assert message is not None
    expected = "<190>1 2026-11-20T10:20:30.000001+00:00 shop app web.1 - - ü: x".encode()
    assert message.syslog(b"shop") == b"%d %s" % (len(expected), expected)
    shorter = expected.replace(b" - - ", b" - ")
    assert message.logplex(b"shop") == b"%d %s" % (len(shorter), shorter)
    for torn in (b"", b"torn", b"x router: y", b"2026 other[x]: y"):
        assert message_from(torn) is None
