"""Tokens: their form, whom they stand for, what they are limited to, and how they end."""

import re
import shlex
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from paas.adapters.system.random_names import random_characters
from paas.domain.apps.apps import App
from paas.domain.people.access import Grant, Holder
from paas.domain.people.actors import Actor, Scope
from paas.domain.people.expiry import Expiry
from paas.domain.people.origins import UNKNOWN_ORIGIN, Origin
from paas.domain.people.permissions import AppRole, Permission
from paas.domain.people.tokens import (
    Token,
    prefix_of,
    stored,
    token_note,
    token_prefix,
    with_checksum,
)
from paas.domain.people.users import Role
from paas.domain.people.uses import LastUse, Use
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, UserName
from paas.domain.values.secret import Secret
from paas.entrypoints.cli.command_table import root
from paas.entrypoints.cli.local import LocalCaller
from paas.entrypoints.cli.session import Session
from paas.wiring.services import all_services
from tests.fakes.world import ROOT, World

# Made once and kept, so that no later version may understand it differently.
GOLDEN = "paas_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcd0omAup"
ADDRESS = "203.0.113.7"


def made(
    world: World,
    actor: Actor,
    *,
    app: str | None = None,
    role: AppRole | None = None,
    expires: Expiry | None = None,
    origin: Origin = UNKNOWN_ORIGIN,
) -> tuple[Secret, Token]:
    """A new token."""
    return world.tokens.create(actor, origin, app=app, role=role, expires=expires, note="CI")


def refused(world: World, text: Secret) -> str:
    """The reference of why a token is refused."""
    with pytest.raises(PaasError) as caught:
        world.tokens.actor(text, ADDRESS)
    assert text.reveal() not in f"{caught.value.message}{caught.value.hint}"
    return caught.value.reference


def present(world: World, app: App) -> App:
    """The app as it is now."""
    found = world.store.apps.by_id(app.id)
    assert found is not None
    return found


def test_the_form() -> None:
    """As scanners know it: a mark, 40 random characters and their checksum."""
    assert with_checksum(GOLDEN[5:45]).reveal() == GOLDEN
    assert prefix_of(Secret(GOLDEN)) == "01234567"
    drawn = {random_characters(40) for _ in range(50)}
    assert len(drawn) == 50
    for random in drawn:
        token = with_checksum(random)
        assert re.fullmatch(r"paas_[0-9A-Za-z]{46}", token.reveal())
        assert prefix_of(token) == random[:8]
    assert with_checksum("0" * 39 + "3").reveal().endswith("30HH22e"), "padded"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "paas_",
        GOLDEN[:-1],
        f"{GOLDEN}0",
        f"{GOLDEN}\n",
        f" {GOLDEN}",
        f"'{GOLDEN}'",
        GOLDEN.replace("A", "B"),
        GOLDEN[:-1] + "G",
        GOLDEN.replace("paas_", "pass_"),
        GOLDEN.replace("0", "é"),
        "ghp_" + GOLDEN[5:],
        "\udcff",
    ],
)
def test_what_is_no_token(world: World, text: str) -> None:
    """Mistyped, cut off, quoted, empty or somebody else's; it is not repeated in the message."""
    with pytest.raises(PaasError) as caught:
        world.tokens.actor(Secret(text), ADDRESS)
    assert caught.value.reference == "token-form"
    assert len(text) < 6 or text not in f"{caught.value.message}{caught.value.hint}"


def test_the_hash_alone_is_stored(world: World) -> None:
    """So a stolen database opens nothing."""
    text, token = made(world, world.user("alice"))
    with closing(sqlite3.connect(world.folder / "state.db")) as connection:
        content = "\n".join(connection.iterdump())
    assert stored(text) in content
    assert token.prefix in content
    assert text.reveal()[5:25] not in content
    assert stored(Secret("abc")).startswith("ba7816bf")  # SHA-256's own example


def test_whom_it_stands_for(world: World) -> None:
    """Its user, with no more than its app and its role; without those, their whole account."""
    alice, bob = world.user("alice"), world.user("bob")
    shop = world.app("shop", alice)
    blog = world.app("blog", alice)
    world.store.grants.put(blog.id, Grant(Holder("bob"), AppRole.VIEWER), world.clock.now())
    blog = present(world, blog)
    for app, role, roles in (
        (None, None, (AppRole.OWNER, AppRole.OWNER)),
        ("shop", None, (AppRole.OWNER, None)),
        ("shop", AppRole.VIEWER, (AppRole.VIEWER, None)),
        (None, AppRole.DEPLOYER, (AppRole.DEPLOYER, AppRole.DEPLOYER)),
    ):
        text, token = made(world, alice, app=app, role=role)
        actor = world.tokens.actor(text, ADDRESS)
        assert actor.name == "alice"
        assert (actor.role_on(shop), actor.role_on(blog)) == roles
        assert actor.scope == token.scope
    text, _ = made(world, bob, role=AppRole.OWNER)
    found = world.tokens.actor(text, ADDRESS)
    assert (found.role_on(shop), found.role_on(blog)) == (None, AppRole.VIEWER)


def test_of_an_admin(world: World) -> None:
    """Without limits it is one, as the account is; with any it is not."""
    carol = world.user("carol", Role.ADMIN)
    world.app("shop")
    assert world.tokens.actor(made(world, carol)[0], ADDRESS).is_admin
    for app, role in (("shop", None), (None, AppRole.OWNER)):
        text, _ = made(world, carol, app=app, role=role)
        assert not world.tokens.actor(text, ADDRESS).is_admin
    text, _ = made(world, carol)
    world.user("carol", Role.MEMBER)
    assert not world.tokens.actor(text, ADDRESS).is_admin, "what the user is now counts"


def test_roles_count_when_it_is_used(world: World) -> None:
    """Access that is taken from the user is taken from their tokens."""
    alice, bob = world.user("alice"), world.user("bob")
    shop = world.app("shop", alice)
    world.access.add(alice, "shop", Holder("bob"), AppRole.DEPLOYER)
    text, _ = made(world, bob, app="shop")
    assert world.tokens.actor(text, ADDRESS).may(Permission.DEPLOY, present(world, shop))
    world.access.update(alice, "shop", Holder("bob"), AppRole.VIEWER)
    assert not world.tokens.actor(text, ADDRESS).may(Permission.DEPLOY, present(world, shop))
    world.access.remove(alice, "shop", Holder("bob"))
    assert world.tokens.actor(text, ADDRESS).role_on(present(world, shop)) is None


def test_what_cannot_be_made(world: World) -> None:
    """For an app that one does not see, a role that one is not, by root, or by a limited token."""
    alice, bob = world.user("alice"), world.user("bob")
    shop = world.app("shop", alice)
    world.store.grants.put(shop.id, Grant(Holder("bob"), AppRole.VIEWER), world.clock.now())
    world.app("hidden", alice)
    scope = Scope(None, AppRole.OWNER)
    for actor, app, role, reference in (
        (bob, "hidden", None, "no-such-app"),
        (bob, "nope", None, "no-such-app"),
        (bob, "shop", AppRole.DEPLOYER, "token-role"),
        (ROOT, None, None, "token-of-root"),
        (Actor(alice.user, scope), "shop", None, "token-limited"),
    ):
        with pytest.raises(PaasError) as caught:
            made(world, actor, app=app, role=role)
        assert caught.value.reference == reference
    assert world.tokens.reports(ROOT) == []
    for use in (world.tokens.reports, lambda a: world.tokens.revoke(a, token_prefix("Ab12Cd34"))):
        with pytest.raises(PaasError, match="limited to an app or a role"):
            use(Actor(alice.user, scope))


def test_when_it_expires(world: World) -> None:
    """After 90 days, unless it is told otherwise; then it is refused, with the date."""
    alice = world.user("alice")
    _, usual = made(world, alice)
    assert usual.expires == usual.created + timedelta(days=90)
    never, token = made(world, alice, expires=Expiry(None))
    assert token.expires is None
    text, _ = made(world, alice, expires=Expiry(world.clock.now() + timedelta(hours=1)))
    world.clock.sleep(3598)
    assert world.tokens.actor(text, ADDRESS).name == "alice"
    world.clock.sleep(2)
    assert refused(world, text) == "token-expired"
    assert world.tokens.actor(never, ADDRESS).name == "alice"


def test_it_does_not_outlive_what_it_is_made_with(world: World) -> None:
    """Neither a key nor a token, made with either, by a member; by default it lasts as long."""
    carol, now = UserName("carol"), world.clock.now()
    week, day = Expiry(now + timedelta(weeks=1)), Expiry(now + timedelta(days=1))
    world.keys.add(ROOT, carol, "AAA", None, expires=week)
    member, by_key = world.actor("carol"), Origin(key="SHA256:AAA")
    assert made(world, member, origin=by_key)[1].expires == week.at
    _, short = made(world, member, expires=day, origin=by_key)
    by_token = Origin(key="SHA256:AAA", token=short.prefix)
    assert made(world, member, origin=by_token)[1].expires == day.at
    world.keys.add(member, carol, "BBB", None, origin=by_token)
    assert world.keys.listing(member)[1].expires == day.at
    with pytest.raises(PaasError, match="You logged in with a certificate"):
        made(world, member, origin=Origin(ca="SHA256:CCC"))
    for origin, wanted in ((by_key, Expiry(None)), (by_token, Expiry(None)), (by_token, week)):
        with pytest.raises(PaasError, match="may not be valid for longer"):
            made(world, member, expires=wanted, origin=origin)
    world.keys.add(ROOT, carol, "DDD", Role.ADMIN)
    assert made(world, world.actor("carol"), expires=Expiry(None), origin=by_key)[1].expires is None


def test_the_end_of_a_token(world: World) -> None:
    """When it is revoked, and with its app or user; the next use is refused."""
    alice, bob = world.user("alice"), world.user("bob")
    shop = world.app("shop", alice)
    texts = {
        name: made(world, actor, app=app)
        for name, actor, app in (("one", alice, None), ("shop", alice, "shop"), ("bob", bob, None))
    }
    for text, token in texts.values():
        world.tokens.actor(text, ADDRESS)
        with pytest.raises(PaasError, match="There is no token"):
            world.tokens.revoke(world.user("mallory"), token.prefix)
    world.apps.rename(alice, "shop", AppName("store"), world.progress)
    assert world.tokens.reports(alice)[1].token.app == "store"
    text, token = texts["one"]
    world.tokens.revoke(alice, token.prefix)
    assert refused(world, text) == "token-unknown"
    assert world.token_uses.last(token.prefix) is None
    with pytest.raises(PaasError, match="There is no token"):
        world.tokens.revoke(alice, token.prefix)
    world.apps.destroy(alice, "store", "store", world.progress)
    assert world.store.apps.by_id(shop.id) is None
    assert refused(world, texts["shop"][0]) == "token-unknown"
    world.users.remove(ROOT, UserName("bob"))
    assert refused(world, texts["bob"][0]) == "token-unknown"
    assert world.token_uses.last(texts["bob"][1].prefix) is None
    assert world.tokens.reports(ROOT) == []


def test_the_last_use(world: World) -> None:
    """When, and from where; an admin sees all tokens, and may revoke them."""
    alice, bob, carol = world.user("alice"), world.user("bob"), world.user("carol", Role.ADMIN)
    text, used = made(world, alice)
    _, unused = made(world, bob)
    world.clock.sleep(60)
    world.tokens.actor(text, ADDRESS)
    at = world.clock.now() - timedelta(milliseconds=1)
    assert [r.last for r in world.tokens.reports(alice)] == [LastUse(Use(at, ADDRESS))]
    assert [r.token for r in world.tokens.reports(bob)] == [unused]
    for admin in (ROOT, carol):
        assert [r.token for r in world.tokens.reports(admin)] == [used, unused]
    assert world.tokens.revoke(carol, used.prefix) == used


def test_what_names_a_token() -> None:
    """8 characters, also with the mark; a whole token is not repeated."""
    assert token_prefix("Ab12Cd34") == token_prefix("paas_Ab12Cd34") == "Ab12Cd34"
    for text in ("", "Ab12", "Ab12Cd345", "Ab12Cd3é", "Ab12Cd34\n", "paas_paas_Ab12", GOLDEN):
        with pytest.raises(PaasError) as caught:
            token_prefix(text)
        assert GOLDEN[13:] not in f"{caught.value.message}{caught.value.hint}"


def test_notes() -> None:
    """One line, of which a terminal shows every character; no token in it."""
    assert token_note("GitHub Actions, für shop") == "GitHub Actions, für shop"
    for text in ("x" * 101, "two\nlines", "\x1b[2J", f"mine: {GOLDEN}"):
        with pytest.raises(PaasError):
            token_note(text)


def typed(world: World, actor: Actor, line: str, default_app: str | None = None) -> None:
    """A command, as a user types it."""
    services = all_services(world.adapters)
    session = Session(services, actor, lambda: False, LocalCaller(), {}, default_app=default_app)
    root.main(args=shlex.split(line), obj=session, standalone_mode=False)


def test_stdout_has_the_token_alone(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    """So a script can take it; the rest says what it stands for. The folder's app limits it."""
    alice = world.user("alice")
    world.app("shop", alice)
    for line, default_app, said in (
        ("tokens:create --note CI", None, "may do all that you may. To limit it"),
        ("tokens:create --expires never", None, "valid for ever"),
        ("tokens:create -a shop", None, "It is for shop."),
        ("tokens:create --role viewer", "shop", "It is for shop, as a viewer at most."),
        ("tokens:create --role viewer", None, "It is for all your apps, as a viewer at most."),
    ):
        typed(world, alice, line, default_app)
        shown = capfd.readouterr()
        assert world.tokens.actor(Secret(shown.out.removesuffix("\n")), None).name == "alice"
        assert said in shown.err
        assert shown.out.strip() not in shown.err
    typed(world, world.user("carol", Role.ADMIN), "tokens:create")
    assert "as an admin of the server" in capfd.readouterr().err


def test_the_list_fits_80_columns(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    """With the longest of everything; the prefix and the app stay whole."""
    name = "a" * 30
    alice = world.user("u" * 32)
    world.app(name, alice)
    typed(world, alice, f"tokens:create -a {name} --role deployer --note '{'n' * 100}'")
    text = Secret(capfd.readouterr().out.strip())
    world.tokens.actor(text, "2001:db8:1111:2222:3333:4444:5555:6666")
    typed(world, alice, "--terminal 80 false --stdout-terminal tokens")
    heading, row = capfd.readouterr().out.splitlines()
    assert max(len(heading), len(row)) <= 80
    assert row.split()[0] == prefix_of(text)
    assert name in row
    typed(world, alice, "--terminal 80 false --stdout-terminal tokens --wide")
    assert "n" * 100 in capfd.readouterr().out
