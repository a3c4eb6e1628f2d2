"""A thread of the monitor: reports databases lost with their processes, and full layers.

The kernel notifies it of the end of a process; how full a layer is it checks itself.
"""

import sys
import threading
import traceback
from contextlib import suppress

from paas.adapters.runtime.native.scratch_keeper import LOOK_S, ScratchKeeper
from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.supervised import log
from paas.settings import Settings
from paas.wiring.engines import supervisor
from paas.wiring.monitor import MonitorAdapters, monitor_adapters, scratch_keeper


def start(settings: Settings) -> None:
    """Begin, in the background."""
    threading.Thread(target=_run, args=(settings,), daemon=True).start()


def _run(settings: Settings) -> None:
    adapters = monitor_adapters(settings)
    try:
        keeper = scratch_keeper(adapters)
    except OSError:
        _report()
        return
    _adopt_running(adapters, keeper)
    while True:
        try:
            keeper.turn(LOOK_S)
        except PaasError as error:
            log(error.report)
        except Exception:  # an error with one process must not leave the others unwatched
            _report()


def _adopt_running(adapters: MonitorAdapters, keeper: ScratchKeeper) -> None:
    """Those that were started before this."""
    asked = supervisor(adapters.settings)
    with suppress(PaasError):  # no supervisor, nothing that runs
        for process in asked.processes(adapters.engines.groups()):
            if process.pid:
                keeper.adopt(f"{process.group}-{process.name}", process.pid)


def _report() -> None:
    print(traceback.format_exc(), file=sys.stderr, flush=True)
