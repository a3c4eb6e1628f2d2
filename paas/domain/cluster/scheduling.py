"""Where an app's instances run: on this server, or on its nodes, and on which of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from paas.domain.values.errors import usage_error
from paas.domain.values.names import shown

_KEY = r"[a-z0-9](?:[a-z0-9._-]{0,62})"
_VALUE = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
_LABEL = re.compile(_KEY)
_CONSTRAINT = re.compile(rf"(?:node\.labels\.)?({_KEY})==({_VALUE})")
_MOST = 8


class SchedulerName(StrEnum):
    """What starts an app's instances, as `scheduler:set` takes it."""

    LOCAL = "local"
    SWARM = "swarm"


@dataclass(frozen=True, slots=True)
class Scheduling:
    """How nodes are chosen for an app's instances.

    on_nodes: False: they run on this server, and the rest does not count. spread: the label of
    nodes over whose values the instances of a process type are distributed, such as ``zone``; None:
    over the nodes. constraints: the labels, with their values, that a node must have.
    """

    on_nodes: bool = False
    spread: str | None = None
    constraints: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> SchedulerName:
        return SchedulerName.SWARM if self.on_nodes else SchedulerName.LOCAL


def scheduler_name(text: str) -> SchedulerName:
    """``local`` or ``swarm``."""
    try:
        return SchedulerName(text)
    except ValueError as error:
        raise usage_error(
            "scheduler",
            f"{shown(text)} is not a scheduler: local (this server) or swarm (its nodes).",
            "paas scheduler:set shop swarm",
        ) from error


def spread_label(text: str) -> str:
    """The name of a label of nodes."""
    if _LABEL.fullmatch(text) is None:
        raise usage_error(
            "placement", f"{shown(text)} is not the name of a label.", "paas ps:scale --spread zone"
        )
    return text


def parse_constraints(words: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """``disk==ssd``, also as Docker writes it: ``node.labels.disk==ssd``."""
    found: dict[str, str] = {}
    for word in words:
        match = _CONSTRAINT.fullmatch(word)
        if match is None:
            raise usage_error(
                "placement",
                f"{shown(word)} is not LABEL==VALUE.",
                "paas ps:placement disk==ssd -a shop",
            )
        found[match[1]] = match[2]
    if len(found) > _MOST:
        raise usage_error("placement", f"There may be {_MOST} labels.", "paas ps:placement a==b")
    return tuple(sorted(found.items()))
