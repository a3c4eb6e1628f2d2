"""Whose turn it is to build."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from paas.domain.builds.turns import Ticket, building, next_turn, round_of, waiting


def queue(words: str) -> list[Ticket]:
    """``A a b``: in order of arrival, by user; those in capitals are building."""
    tickets: list[Ticket] = []
    for number, word in enumerate(words.split(), 1):
        tickets.append(arrival(number, word.lower(), tickets, is_building=word.isupper()))
    return tickets


def arrival(number: int, user: str, tickets: list[Ticket], *, is_building: bool = False) -> Ticket:
    """A new build in that queue."""
    return Ticket(number, f"{user}{number}", user, round_of(user, tickets), is_building)


def served(words: str, slots: int) -> str:
    """The users in the order in which they build: each build ends when nobody else gets a place."""
    tickets, order = queue(words), []
    while tickets:
        while (chosen := next_turn(tickets, slots)) is not None:
            order.append(chosen)
            tickets[tickets.index(chosen)] = replace(chosen, is_building=True)
        tickets.remove(building(tickets)[0])
    return ids(order)


def ids(tickets: Iterable[Ticket]) -> str:
    """Their builds."""
    return " ".join(one.build_id for one in tickets)


@pytest.mark.parametrize(
    ("arrived", "order"),
    [
        ("", ""),
        ("a b c", "a1 b2 c3"),
        ("A b c", "b2 c3"),
        ("a a a b", "a1 b4 a2 a3"),
        ("A a a b", "b4 a2 a3"),
        ("A a a b b c", "b4 c6 a2 b5 a3"),
        ("A A b a b a", "b3 b5 a4 a6"),
        ("a B c a", "a1 c3 a4"),
    ],
)
def test_the_order(arrived: str, order: str) -> None:
    """Always the one waiting longest among those who would have the fewest places."""
    assert ids(waiting(queue(arrived))) == order
    assert ids(waiting(queue(arrived)[::-1])) == order


@pytest.mark.parametrize(
    ("arrived", "slots", "chosen"),
    [
        ("", 1, None),
        ("a", 1, "a1"),
        ("A b", 1, None),
        ("a a", 1, "a1"),
        ("A b", 2, "b2"),
        # The last of several places is reserved for a user without a running build.
        ("A a", 2, None),
        ("A a a b", 2, "b4"),
        ("A a", 3, "a2"),
        ("A A a", 3, None),
        ("A B a b", 3, None),
        ("A B a b", 4, "a3"),
        ("A B a b c", 3, "c5"),
        # More places are in use than there are: the setting was lowered.
        ("A B c", 1, None),
    ],
)
def test_who_is_next(arrived: str, slots: int, chosen: str | None) -> None:
    """Nobody while no place is free."""
    found = next_turn(queue(arrived), slots)
    assert (found.build_id if found else None) == chosen


@pytest.mark.parametrize("slots", [1, 2, 3, 4, 8])
def test_a_newcomer_waits_for_nobody_who_has_two(slots: int) -> None:
    """However many one user starts: with two or more places, there is one for the next user."""
    tickets = queue("a a a a a a a a a a")
    while (chosen := next_turn(tickets, slots)) is not None:
        tickets[tickets.index(chosen)] = replace(chosen, is_building=True)
    assert len(building(tickets)) == max(1, slots - 1)
    late = arrival(99, "b", tickets)
    assert next_turn([*tickets, late], slots) == (late if slots > 1 else None)
    assert waiting([*tickets, late])[0] == late


@pytest.mark.parametrize(
    ("arrived", "slots", "order"),
    [
        ("a a a b", 1, "a1 b4 a2 a3"),
        ("a a a b b c", 1, "a1 b4 c6 a2 b5 a3"),
        ("a a b", 2, "a1 b3 a2"),
        ("a b c", 2, "a1 b2 c3"),
    ],
)
def test_users_take_turns(arrived: str, slots: int, order: str) -> None:
    """Even if nobody is building while the next is chosen, as with a single place."""
    assert served(arrived, slots) == order


def test_who_comes_again_and_again_overtakes_nobody() -> None:
    """The second build of one user waits for one build of another, not for all that follow."""
    tickets = queue("a a b")
    order = []
    for number in range(4, 12):
        chosen = next_turn(tickets, 1)
        assert chosen is not None
        order.append(chosen.build_id)
        tickets.remove(chosen)
        if chosen.user == "b":
            tickets.append(arrival(number, "b", tickets))
    assert order[:3] == ["a1", "b3", "a2"]
