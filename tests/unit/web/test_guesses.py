"""Guessed tokens: held up by address and by beginning, without holding up those who have one."""

from paas.entrypoints.web.guesses import REFUSALS_MAX, WINDOW_S, Guesses
from paas.entrypoints.web.places import PER_ADDRESS
from tests.fakes.world import World
from tests.unit.web.api_world import Api

ADDRESS, OTHER = "192.0.2.1", "192.0.2.2"


class Clock:
    """The time in seconds."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_by_address() -> None:
    """After so many in a minute; the oldest one is forgotten first."""
    clock = Clock()
    guesses = Guesses(clock)
    for number in range(REFUSALS_MAX):
        assert guesses.wait_s(ADDRESS, f"paas_{number:08}") == 0
        guesses.refused(ADDRESS, f"paas_{number:08}")
        clock.now += 1
    assert guesses.wait_s(ADDRESS, "paas_another1") == WINDOW_S - REFUSALS_MAX + 1
    assert guesses.wait_s(OTHER, "paas_another1") == 0
    clock.now += WINDOW_S - REFUSALS_MAX
    assert guesses.wait_s(ADDRESS, "paas_another1") == 0


def test_by_beginning() -> None:
    """From many addresses; another beginning is another token."""
    guesses = Guesses(Clock())
    for number in range(REFUSALS_MAX):
        guesses.refused(f"192.0.2.{number}", f"paas_Ab12Cd34{number}")
    assert guesses.wait_s("198.51.100.1", "paas_Ab12Cd34x") > 0
    assert guesses.wait_s("198.51.100.1", "paas_Xb12Cd34x") == 0


def test_a_network_of_ipv6_is_one_address() -> None:
    """A host has 2 to the power of 64 of them."""
    guesses = Guesses(Clock())
    for number in range(REFUSALS_MAX):
        guesses.refused(f"2001:db8:0:1::{number:x}", f"paas_{number:08}")
    assert guesses.wait_s("2001:db8:0:1:ffff::1", "paas_another1") > 0
    assert guesses.wait_s("2001:db8:0:2::1", "paas_another1") == 0


def test_who_has_a_token_is_not_held_up() -> None:
    """Until it is refused itself: it was revoked."""
    guesses = Guesses(Clock())
    guesses.accepted("paas_Ab12Cd34good")
    for number in range(REFUSALS_MAX):
        guesses.refused(ADDRESS, f"paas_Ab12Cd34{number}")
    assert guesses.wait_s(ADDRESS, "paas_Ab12Cd34good") == 0
    guesses.refused(OTHER, "paas_Ab12Cd34good")
    assert guesses.wait_s(ADDRESS, "paas_Ab12Cd34good") > 0


def test_the_answer(world: World) -> None:
    """429, with when to try again; and the gate is not asked."""
    world.user("alice")
    api = Api(world)
    for number in range(REFUSALS_MAX):
        assert api.ask("GET", "/account", user=f"-{number}").status_code == 401
    held = api.ask("GET", "/account", user="alice")
    assert (held.status_code, held.json and held.json["id"]) == (429, "rate_limit")
    assert 0 < int(held.headers["Retry-After"]) <= WINDOW_S + 1
    elsewhere = api.ask("GET", "/account", user="alice", headers={"X-Real-IP": OTHER})
    assert elsewhere.status_code == 200
    assert api.ask("GET", "/account", user="alice").status_code == 200
    assert PER_ADDRESS < REFUSALS_MAX
