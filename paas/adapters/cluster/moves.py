"""`Moves` of interfaces: asks the gate for the roll-outs, each a process of its own."""

import sys
from collections.abc import Sequence
from pathlib import Path

from paas.adapters.server.parallel_roll_outs import GateRollOuts
from paas.domain.apps.apps import App
from paas.domain.cluster.lost import MOVE_COMMAND
from paas.domain.cluster.nodes import NodeName
from paas.interfaces import Progress


class GateMoves:
    """What was asked for is finished even if the asking process is killed."""

    def __init__(self, client: Path, etc: Path) -> None:
        self._asking = (sys.executable, "-I", "-S", client, "--paas-etc", etc, MOVE_COMMAND)

    def move(
        self, apps: Sequence[App], progress: Progress, *, leaving: NodeName | None = None
    ) -> list[App]:
        asking = (*self._asking, leaving or "-")
        return GateRollOuts(asking).roll_out_again(apps, progress)
