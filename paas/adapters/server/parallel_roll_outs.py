"""ParallelRollOuts: asks the gate for the roll-outs of several apps, a few at a time."""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from paas.adapters.system import subprocesses
from paas.domain.apps.apps import App
from paas.domain.releases.parallel_starts import AT_ONCE_PER_CPU, START_COMMAND
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress

# A roll-out has its own limits; this one is for a gate that does not answer.
LIMIT_S = 3600.0


class GateRollOuts:
    """interfaces.ParallelRollOuts through the gate, where each is a separate process.

    asking: the argv of the program that asks the gate, to which the app's id is added. A roll-out
    that was requested finishes even if the requester is killed.
    """

    def __init__(
        self, asking: Sequence[str | Path], at_once: int = AT_ONCE_PER_CPU * (os.cpu_count() or 1)
    ) -> None:
        self._asking = asking
        self._at_once = at_once

    def roll_out_again(self, apps: Sequence[App], progress: Progress) -> list[App]:
        """See `ParallelRollOuts`. An app's output is shown in one piece, when it is done."""
        failed = []
        with ThreadPoolExecutor(self._at_once) as pool:
            asked = {pool.submit(self._ask, app): app for app in apps}
            for done in as_completed(asked):
                try:
                    ended = done.result()
                except PaasError as error:
                    progress.warn(f"{asked[done].name}: {error.report}")
                    failed.append(asked[done])
                    continue
                for line in ended.output.splitlines():
                    progress.output(line)
                if not ended.ok:
                    failed.append(asked[done])
        return failed

    def _ask(self, app: App) -> subprocesses.Finished:
        return subprocesses.run(
            [*self._asking, str(app.id)],
            description=f"Starting {app.name} again",
            timeout_s=LIMIT_S,
            env={"PATH": os.defpath},
            check=False,
        )


def through_gate(client: Path, etc: Path) -> GateRollOuts:
    """With the gate of the server whose settings are in that directory."""
    return GateRollOuts((sys.executable, "-I", "-S", client, "--paas-etc", etc, START_COMMAND))
