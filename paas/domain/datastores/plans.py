"""Plans: the size of a datastore; and parsing what ``addons:create`` is given."""

import re
from dataclasses import dataclass

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.values.errors import usage_error
from paas.domain.values.names import shown


@dataclass(frozen=True, slots=True)
class Plan:
    """The size of a datastore.

    connections: how many apps may open at once, all together; some kinds have a multiple of them.
    """

    name: str
    memory_mib: int
    connections: int


SMALL = Plan("small", 256, 20)
STANDARD = Plan("standard", 1_024, 100)
PLANS = {plan.name: plan for plan in (SMALL, STANDARD)}
_HEROKU_PLAN = re.compile(r"(?:essential|standard|premium|private|shield|hobby)-[a-z0-9-]{1,20}")


def kind_of(word: str) -> DatastoreKind | None:
    """The kind with that name; None if there is none."""
    return next((one for one in DatastoreKind if word in one.traits.words), None)


def parse_order(text: str) -> tuple[DatastoreKind, Plan, str | None]:
    """Read ``KIND[:PLAN]``: the kind, the plan, and what to say about a plan that is not ours."""
    word, colon, plan = text.partition(":")
    kind = kind_of(word)
    if kind is None:
        raise usage_error(
            "datastore-kind",
            f"{shown(word)} is not a kind of datastore.",
            f"There are: {', '.join(DatastoreKind)}. For example: paas addons:create "
            f"{DatastoreKind.POSTGRESQL} -a APP",
        )
    if not colon:
        return kind, SMALL, None
    if plan in PLANS:
        return kind, PLANS[plan], None
    small = kind.traits.small
    if plan in small or _HEROKU_PLAN.fullmatch(plan):
        nearest = SMALL if plan in small else STANDARD
        return kind, nearest, f"{plan} is a plan of Heroku's; the closest here is {nearest.name}."
    raise usage_error(
        "datastore-plan",
        f"{shown(plan)} is not a plan: {', '.join(PLANS)}.",
        f"For example: paas addons:create {word}:{SMALL.name} -a APP",
    )
