"""Whose turn it is to build: everyone gets one place before anyone gets two."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ticket:
    """A build in the queue. number: increases in order of arrival. user: who started it.

    round: see round_of.
    """

    number: int
    build_id: str
    user: str
    round: int
    is_building: bool = False


def round_of(user: str, tickets: Collection[Ticket]) -> int:
    """The round in which a new build of a user has its turn.

    Each build of a user is one round behind the previous one. A user with none in the queue joins
    the round being built, so nobody has to wait for several builds of one user in a row.
    """
    rounds = [one.round for one in building(tickets)]
    present = max(rounds, default=min((one.round for one in tickets), default=1))
    return max([present, *(one.round + 1 for one in tickets if one.user == user)])


def building(tickets: Collection[Ticket]) -> list[Ticket]:
    """The builds that have a place, in order of arrival."""
    return sorted((one for one in tickets if one.is_building), key=lambda one: one.number)


def waiting(tickets: Collection[Ticket]) -> list[Ticket]:
    """The others, in the order in which they get places if no more arrive.

    The next is always one of a user with the fewest places, among these one of the earliest round,
    and among these the one that has waited longest.
    """
    places = Counter(one.user for one in building(tickets))
    left = sorted((one for one in tickets if not one.is_building), key=lambda one: one.number)
    ordered = []
    while left:
        following = min(left, key=lambda one: (places[one.user], one.round, one.number))
        places[following.user] += 1
        left.remove(following)
        ordered.append(following)
    return ordered


def next_turn(tickets: Collection[Ticket], slots: int) -> Ticket | None:
    """The build that gets a place now; None: none. slots: how many places there are.

    If there are several places, the last free one is reserved for a user without a running build,
    so nobody can take them all.
    """
    occupied, ordered = building(tickets), waiting(tickets)
    free = slots - len(occupied)
    if free <= 0 or not ordered:
        return None
    first = ordered[0]
    has_one = any(one.user == first.user for one in occupied)
    return None if free == 1 and has_one else first
