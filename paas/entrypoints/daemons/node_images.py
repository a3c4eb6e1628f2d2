"""Keeps the registry for nodes small, each hour: a thread of the monitor process."""

import threading
from collections.abc import Callable

from paas.entrypoints.daemons.turns import Turns
from paas.services.cluster.images import NodeImages
from paas.wiring.monitor import MonitorAdapters, node_images

TURN_S = 3_600.0


class NodeImageTurns:
    """One look per turn. find: the registry's images; None while the server has no nodes."""

    def __init__(self, find: Callable[[], NodeImages | None], log: Callable[[str], None]) -> None:
        self._find = find
        self._turns = Turns("registry", log)

    def start(self, stop: threading.Event) -> None:
        """Begin, in the background; the first look is after an hour."""
        self._turns.start(self.turn, stop, TURN_S)

    def turn(self) -> None:
        """One look."""
        found = self._find()
        if found is not None:
            found.tend()


def build(adapters: MonitorAdapters, log: Callable[[str], None]) -> NodeImageTurns:
    """What looks after the registry of a server; adapters are for its thread alone."""
    return NodeImageTurns(lambda: node_images(adapters), log)
