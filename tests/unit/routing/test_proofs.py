"""Whose a name is: proven by DNS or by its record, pending until then, lost to the record."""

from datetime import timedelta
from pathlib import Path

import pytest

from paas.domain.people.actors import Actor
from paas.domain.people.users import Role
from paas.domain.routing.hosts import HostName
from paas.domain.routing.proofs import Pending, needs_proof, record_name, tokens_of
from paas.domain.routing.router_values import parse_addresses, parse_servers
from paas.domain.routing.routing import Routing
from paas.domain.routing.sites import Redirect
from paas.domain.values.errors import PaasError
from paas.settings import load
from tests.fakes.world import ROOT, World

HERE, ELSEWHERE = ("192.0.2.1",), ("203.0.113.9",)
SHOP = HostName("shop.acme.com")
ALL = HostName("*.acme.com")


@pytest.fixture
def alice(world: World) -> Actor:
    """A member with a deployed app, shop; bob has another, other."""
    for name, user in (("shop", "alice"), ("other", "bob")):
        world.app(name, world.user(user))
        world.push(name)
    return world.actor("alice")


def add(world: World, host: str, name: str = "shop", user: str = "alice") -> list[Pending]:
    """What of it is pending afterwards."""
    return world.domains.add(world.actor(user), name, [HostName(host)], world.progress)


def served(world: World, name: str = "shop") -> tuple[str, ...]:
    """The names that the proxy has for the app."""
    app = world.store.apps.find(name)
    assert app is not None
    return world.proxy.by_app[app.id].hosts


def set_record(world: World, host: str, name: str) -> None:
    """Have DNS name the app in the host's record, as its owner was told to."""
    record = world.domains.record(ROOT, name, host)
    world.resolver.tokens[host] = tokens_of([record.value])


def log(world: World, name: str) -> str:
    """What the app's log says of its domains."""
    app = world.store.apps.find(name)
    assert app is not None
    return "\n".join(line.text for line in world.logs.tail(app.id, 100))


@pytest.mark.parametrize(
    ("host", "needed"),
    [
        ("shop.acme.com", True),
        ("*.acme.com", True),
        ("shop.lan", True),
        ("intranet", True),
        ("free.example.com", False),
        ("*.example.com", False),
        ("notexample.com", True),
        ("shop.test", False),
        ("printer.local", False),
        ("shop.localhost", False),
    ],
)
def test_which_names_need_a_proof(host: str, needed: bool) -> None:
    """Not those below the server's domain, and those that no DNS has."""
    assert needs_proof(host, "example.com") is needed


def test_the_record_of_a_wildcard_is_that_of_its_domain() -> None:
    """A label * below _paas could be set by nobody."""
    assert record_name("*.acme.com") == "_paas.acme.com" == record_name("acme.com")


def test_other_records_mean_nothing() -> None:
    """A TXT record of a name may say anything."""
    assert tokens_of(["v=spf1 -all", " paas-app=abc ", "paas-app", "PAAS-APP=x"]) == {"abc"}


def test_a_name_that_leads_here_is_served_at_once(world: World, alice: Actor) -> None:
    """And why is kept."""
    world.resolver.addresses[SHOP] = ("203.0.113.9", *HERE)
    assert add(world, SHOP) == []
    assert served(world) == ("shop.example.com", SHOP)
    assert world.store.routing.of_app(1).proofs == {SHOP: "dns"}


def test_ipv6_alone_leads_here(world: World, alice: Actor) -> None:
    """An address is an address."""
    world.resolver.own = frozenset({"192.0.2.1", "2001:db8::1"})
    world.resolver.addresses[SHOP] = ("2001:db8::1",)
    assert add(world, SHOP) == []


def test_a_name_that_leads_elsewhere_is_pending(world: World, alice: Actor) -> None:
    """It is not served, and no certificate is asked for; it is listed, with what is missing."""
    world.resolver.addresses[SHOP] = ELSEWHERE
    (pending,) = add(world, SHOP)
    assert pending.why == "its DNS points to 203.0.113.9, which is not this server"
    assert served(world) == ("shop.example.com",)
    info = world.domains.listing(alice, "shop")[-1]
    assert (info.host, info.kind, info.pending) == (SHOP, "custom", pending)
    app = world.store.apps.find("shop")
    assert app is not None
    assert SHOP not in [wish.host for wish in world.acme.renewals.of(app)]


def test_dns_that_does_not_answer_leaves_a_name_pending(world: World, alice: Actor) -> None:
    """It is no refusal, and says what the operator can set."""
    world.resolver.failure = "no DNS server answered in time"
    (pending,) = add(world, SHOP)
    assert "answered in time (see dns_servers and domain_proof in server.yml" in pending.why
    world.resolver.failure = ""
    world.resolver.addresses[SHOP] = HERE
    done, left = world.domains.verify(alice, "shop", [], world.progress)
    assert ([one.host for one in done], left) == ([SHOP], [])


def test_an_alias_of_the_apps_name_leads_here(world: World, alice: Actor) -> None:
    """Whatever addresses the server has towards the world."""
    world.resolver.aliases[SHOP] = ("shop.example.com",)
    world.resolver.addresses[SHOP] = ELSEWHERE
    assert add(world, SHOP) == []


def test_an_alias_of_somebody_elses_app_is_theirs(world: World, alice: Actor) -> None:
    """The name's owner has said which app is meant."""
    world.resolver.aliases[SHOP] = ("cdn.acme.com", "other.example.com")
    world.resolver.addresses[SHOP] = HERE
    (pending,) = add(world, SHOP)
    assert pending.why == "its DNS points to another app"
    assert add(world, SHOP, "other", "bob") == []


def test_a_pending_name_is_nobodys(world: World, alice: Actor) -> None:
    """It does not keep its owner away, nor what is below it."""
    add(world, SHOP)
    world.resolver.addresses |= {SHOP: HERE, HostName("www.shop.acme.com"): HERE}
    assert add(world, SHOP, "other", "bob") == []
    assert add(world, "www.shop.acme.com", "other", "bob") == []
    done, (left,) = world.domains.verify(alice, "shop", [], world.progress)
    assert done == []
    assert left.why == f"{SHOP} belongs to another app"


def test_a_record_proves_a_name_that_leads_elsewhere(world: World, alice: Actor) -> None:
    """As behind a CDN."""
    world.resolver.addresses[SHOP] = ELSEWHERE
    add(world, SHOP)
    set_record(world, SHOP, "shop")
    world.domains.verify(alice, "shop", [SHOP], world.progress)
    assert served(world) == ("shop.example.com", SHOP)
    assert world.store.routing.of_app(1).proofs == {SHOP: "txt"}
    assert world.domains.listing(alice, "shop")[-1].pending is None


def test_a_record_of_one_app_is_no_proof_for_another(world: World, alice: Actor) -> None:
    """A squatter can read it, and cannot use it; nor get the name first by its address."""
    world.resolver.addresses[SHOP] = HERE
    set_record(world, SHOP, "shop")
    (pending,) = add(world, SHOP, "other", "bob")
    assert pending.why == f"the TXT record _paas.{SHOP} names another app"
    assert served(world, "other") == ("other.example.com",)
    assert add(world, SHOP) == []


def test_a_record_of_an_unknown_app_is_no_hindrance(world: World, alice: Actor) -> None:
    """Such as one of the server from which the app moved here."""
    world.resolver.addresses[SHOP] = HERE
    world.resolver.tokens[SHOP] = frozenset({"of-another-server"})
    assert add(world, SHOP) == []


def test_a_squatter_loses_the_name_to_the_record(world: World, alice: Actor) -> None:
    """Both lead here; the owner learns what to set, and both logs tell what came of it."""
    world.resolver.addresses[SHOP] = HERE
    add(world, SHOP, "other", "bob")
    with pytest.raises(PaasError) as caught:
        add(world, SHOP)
    assert caught.value.reference == "host-taken"
    value = world.domains.record(alice, "shop", SHOP).value
    assert f'_paas.{SHOP} TXT "{value}"' in str(caught.value.hint)
    set_record(world, SHOP, "shop")
    assert add(world, SHOP) == []
    assert served(world) == ("shop.example.com", SHOP)
    assert served(world, "other") == ("other.example.com",)
    assert "no longer a domain of this app" in log(world, "other")
    assert "was a domain of another app" in log(world, "shop")


def test_a_squatter_loses_names_around_it_too(world: World, alice: Actor) -> None:
    """What is below a squatted name, and a wildcard over squatted ones."""
    www = HostName("www.shop.acme.com")
    world.resolver.addresses |= {SHOP: HERE, www: HERE}
    add(world, SHOP, "other", "bob")
    for host in (www, ALL):
        with pytest.raises(PaasError, match=r"another app|Another app"):
            add(world, host)
        set_record(world, host, "shop")
        assert add(world, host) == []


def test_an_app_whose_last_name_is_lost_has_its_own_again(world: World, alice: Actor) -> None:
    """It would have none."""
    world.resolver.addresses[SHOP] = HERE
    add(world, SHOP, "other", "bob")
    world.domains.remove(ROOT, "other", [HostName("other.example.com")], world.progress)
    set_record(world, SHOP, "shop")
    add(world, SHOP)
    assert world.store.routing.of_app(2) == Routing()


def test_who_is_in_the_record_keeps_the_name(world: World, alice: Actor) -> None:
    """Two records name two apps: the owner means both, and the first stays."""
    set_record(world, SHOP, "other")
    mine = world.resolver.tokens[SHOP]
    add(world, SHOP, "other", "bob")
    set_record(world, SHOP, "shop")
    world.resolver.tokens[SHOP] |= mine
    with pytest.raises(PaasError) as caught:
        add(world, SHOP)
    assert caught.value.reference == "host-taken"


def test_a_name_whose_record_changes_hands_changes_hands(world: World, alice: Actor) -> None:
    """It was sold."""
    set_record(world, SHOP, "other")
    add(world, SHOP, "other", "bob")
    set_record(world, SHOP, "shop")
    assert add(world, SHOP) == []


def test_names_from_before_there_were_proofs_are_kept(world: World, alice: Actor) -> None:
    """Until the record names another app."""
    world.store.routing.set(2, Routing(domains=(SHOP,)))
    world.resolver.addresses[SHOP] = HERE
    with pytest.raises(PaasError, match="belongs to another app"):
        add(world, SHOP)
    set_record(world, SHOP, "shop")
    assert add(world, SHOP) == []


def test_nobody_loses_a_name_that_the_other_cannot_have(world: World, alice: Actor) -> None:
    """The app has too many names already."""
    world.resolver.addresses[SHOP] = HERE
    add(world, SHOP, "other", "bob")
    world.domains.add(alice, "shop", [HostName(f"{n}.test") for n in range(10)], world.progress)
    set_record(world, SHOP, "shop")
    with pytest.raises(PaasError) as caught:
        add(world, SHOP)
    assert caught.value.reference == "too-many-domains"
    assert served(world, "other") == ("other.example.com", SHOP)


def test_an_admin_vouches_for_a_name(world: World, alice: Actor) -> None:
    """It is served at once, nobody else does, and no record takes it away."""
    with pytest.raises(PaasError) as caught:
        world.domains.add(alice, "shop", [SHOP], world.progress, trust=True)
    assert caught.value.reference == "admins-only"
    add(world, SHOP)
    admin = world.user("carol", Role.ADMIN)
    assert world.domains.add(admin, "shop", [SHOP], world.progress, trust=True) == []
    assert world.store.routing.of_app(1).proofs == {SHOP: "admin"}
    assert world.store.domain_proofs.pending(1) == []
    set_record(world, SHOP, "other")
    with pytest.raises(PaasError) as caught:
        add(world, SHOP, "other", "bob")
    assert caught.value.reference == "host-taken"


def test_an_admin_s_own_name_may_be_pending_too(world: World, alice: Actor) -> None:
    """They may mistype one."""
    assert world.domains.add(ROOT, "shop", [SHOP], world.progress) != []


def test_a_redirect_is_proven_likewise(world: World, alice: Actor) -> None:
    """It redirects once its name is proven; the name that it leads to may be anybody's."""
    redirect = Redirect(SHOP, "www.acme.com", 308)
    (pending,) = world.domains.redirect(alice, "shop", redirect, world.progress)
    assert pending.redirect == redirect
    assert world.store.routing.of_app(1).redirects == ()
    world.resolver.addresses[SHOP] = HERE
    world.domains.verify(alice, "shop", [], world.progress)
    assert world.proxy.by_app[1].redirects == (redirect,)


def test_pending_names_are_removed_like_others(world: World, alice: Actor) -> None:
    """One by one, or all."""
    for host in (SHOP, ALL, HostName("acme.com")):
        add(world, host)
    world.domains.remove(alice, "shop", [SHOP], world.progress)
    assert [one.host for one in world.store.domain_proofs.pending(1)] == [ALL, "acme.com"]
    world.domains.clear(alice, "shop", world.progress)
    assert world.store.domain_proofs.pending(1) == []
    with pytest.raises(PaasError, match="no domain shop"):
        world.domains.verify(alice, "shop", [SHOP], world.progress)


def test_pending_names_count(world: World, alice: Actor) -> None:
    """Each is asked for again and again."""
    hosts = [HostName(f"{n}.acme.com") for n in range(10)]
    assert len(world.domains.add(alice, "shop", hosts, world.progress)) == 10
    with pytest.raises(PaasError) as caught:
        add(world, SHOP)
    assert caught.value.reference == "too-many-domains"


def test_a_pending_name_is_looked_at_ever_more_rarely(world: World, alice: Actor) -> None:
    """The first time soon, then at most once an hour; not in between, and no longer once it is."""
    (pending,) = add(world, SHOP)
    waits = []
    for _ in range(12):
        (_, pending), *_ = world.store.domain_proofs.due(pending.again, 1)
        waits.append(pending.again - world.clock.now())
        world.clock.sleep(waits[-1].total_seconds() - 1)
        world.domains.claims.check_due(world.progress)
        assert world.store.domain_proofs.pending(1) == [pending]
        world.clock.sleep(1)
        world.domains.claims.check_due(world.progress)
        (pending,) = world.store.domain_proofs.pending(1)
    assert waits == sorted(waits)
    assert [round(wait / timedelta(minutes=1)) for wait in (waits[2], waits[-1])] == [0, 60]
    world.resolver.addresses[SHOP] = HERE
    world.clock.sleep(3600)
    world.domains.claims.check_due(world.progress)
    assert served(world) == ("shop.example.com", SHOP)
    assert world.store.domain_proofs.due(world.clock.now() + timedelta(days=1), 9) == []
    assert f"{SHOP} is a domain of this app from now on" in log(world, "shop")


def test_names_of_several_apps_are_checked_at_once(world: World, alice: Actor) -> None:
    """If the DNS servers of one do not answer, the others do not wait for that."""
    add(world, SHOP)
    add(world, "www.acme.com", "other", "bob")
    world.clock.sleep(60)
    world.resolver.asked.clear()
    world.domains.claims.check_due(world.progress)
    assert world.resolver.asked == [[SHOP, "www.acme.com"]]


def test_a_look_goes_by_the_rights_of_who_added_the_name(world: World, alice: Actor) -> None:
    """The server looks, and what became another's meanwhile is not taken with its rights."""
    www = HostName("www.shop.acme.com")
    add(world, www)
    world.resolver.addresses |= {SHOP: HERE, www: HERE}
    add(world, SHOP, "other", "bob")
    world.clock.sleep(60)
    world.domains.claims.check_due(world.progress)
    (pending,) = world.store.domain_proofs.pending(1)
    assert "belongs to another app" in pending.why


def test_no_look_waits_for_an_app_that_is_being_changed(world: World, alice: Actor) -> None:
    """Nor for the one that has the name: others' names are due, too."""
    world.resolver.addresses[SHOP] = HERE
    add(world, SHOP, "other", "bob")
    now = world.clock.now()
    world.store.domain_proofs.set_pending(1, [Pending(SHOP, "alice", since=now, again=now)])
    set_record(world, SHOP, "shop")
    with world.locks.app(2, "bob deploys"):
        world.domains.claims.check_due(world.progress)
    (pending,) = world.store.domain_proofs.pending(1)
    assert "being changed" in pending.why


def test_with_txt_an_address_is_no_proof(world: World, alice: Actor) -> None:
    """For servers whose users do not trust each other."""
    strict = World(world.folder / "strict", domain_proof="txt")
    strict.app("shop", strict.user("alice"))
    strict.resolver.addresses[SHOP] = HERE
    (pending,) = add(strict, SHOP)
    assert pending.why == f"there is no TXT record _paas.{SHOP} for this app"
    set_record(strict, SHOP, "shop")
    assert add(strict, SHOP) == []


def test_with_none_the_first_has_the_name(world: World, alice: Actor) -> None:
    """DNS is not asked."""
    lax = World(world.folder / "lax", domain_proof="none")
    lax.resolver.failure = "no DNS server answered in time"
    for name, user in (("shop", "alice"), ("other", "bob")):
        lax.app(name, lax.user(user))
    assert add(lax, SHOP) == []
    assert lax.store.routing.of_app(1).proofs == {}
    with pytest.raises(PaasError) as caught:
        add(lax, SHOP, "other", "bob")
    assert caught.value.hint == "Choose another name, or ask an admin."


def test_doctor_tells_of_a_name_that_leads_elsewhere_now(world: World, alice: Actor) -> None:
    """It is kept, and the finding is none of the server's faults."""
    world.resolver.addresses[SHOP] = HERE
    add(world, SHOP)
    assert [f for f in world.doctor.look() if f.check == "domain"] == []
    world.resolver.addresses[SHOP] = ELSEWHERE
    (finding,) = [f for f in world.doctor.look() if f.check == "domain"]
    assert f"the DNS of {SHOP} points to 203.0.113.9" in finding.message
    assert not finding.grave
    assert served(world) == ("shop.example.com", SHOP)


def test_doctor_asks_dns_once_for_all_apps(world: World, alice: Actor) -> None:
    """If DNS does not answer, it waits once; an app whose routing cannot be read is skipped."""
    www = HostName("www.acme.com")
    world.resolver.addresses |= {SHOP: HERE, www: HERE}
    add(world, SHOP)
    add(world, www, "other", "bob")
    world.app("broken")
    world.store.routing.set(3, Routing())
    world.store.database.write("UPDATE routing SET value = '{' WHERE app_id = 3")
    world.resolver.looked_up.clear()
    assert [f for f in world.doctor.look() if f.check == "domain"] == []
    assert world.resolver.looked_up == [[www, SHOP]]


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("", ()),
        ("192.0.2.53", (("192.0.2.53", 53),)),
        ("192.0.2.53:5353, 2001:db8::53", (("192.0.2.53", 5353), ("2001:db8::53", 53))),
        ("[2001:DB8::53]:5353", (("2001:db8::53", 5353),)),
    ],
)
def test_dns_servers_are_addresses_with_ports(
    text: str, servers: tuple[tuple[str, int], ...]
) -> None:
    """53, if none is named."""
    assert parse_servers(text) == servers


def test_addresses_are_in_the_form_of_answers() -> None:
    """They are compared with them."""
    assert parse_addresses("2001:DB8:0::1 192.0.2.1") == ("2001:db8::1", "192.0.2.1")


@pytest.mark.parametrize(
    "line",
    [
        "domain_proof: maybe",
        "public_addresses: 192.0.2.0/24",
        "dns_servers: dns.acme.com",
        "dns_servers: 192.0.2.53:0",
        "dns_servers: 192.0.2.53:99999",
    ],
)
def test_settings_that_prove_nothing_are_refused(tmp_path: Path, line: str) -> None:
    """By name."""
    path = tmp_path / "server.yml"
    path.write_text(line + "\n")
    with pytest.raises(PaasError, match=line.partition(":")[0]):
        load(path)
