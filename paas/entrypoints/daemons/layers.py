"""A thread of the monitor: reports databases lost with their processes, and full layers.

For the end of a process it waits for the kernel's word; how full a layer is it asks each second.
"""

import sys
import threading
import traceback
from contextlib import suppress

from paas.adapters.logs.app_logs import FileLogs
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.runtime import NativeRuntime
from paas.adapters.runtime.native.scratch_keeper import LOOK_S, ScratchKeeper
from paas.adapters.supervisor.client import Supervisor
from paas.adapters.system.clock import SystemClock
from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.supervised import log
from paas.services.releases.losses import Losses
from paas.settings import Settings
from paas.store import Store


def start(settings: Settings) -> None:
    """Begin, in the background."""
    threading.Thread(target=_run, args=(settings,), daemon=True).start()


def _run(settings: Settings) -> None:
    # A database connection belongs to one thread.
    store = Store(settings.state / "state.db", settings.uids)
    losses = Losses(store=store, logs=FileLogs(settings, SystemClock()))
    try:
        keeper = ScratchKeeper(settings.run, losses.report, losses.report_full)
    except OSError:
        _report()
        return
    _adopt_running(settings, keeper)
    while True:
        try:
            keeper.turn(LOOK_S)
        except PaasError as error:
            log(error.message)
        except Exception:  # one process's; the others are looked after all the same
            _report()


def _adopt_running(settings: Settings, keeper: ScratchKeeper) -> None:
    """Those that were started before this."""
    supervisor = Supervisor(settings.supervisor_socket)
    runtime = NativeRuntime(settings, supervisor, Cgroups(settings))
    with suppress(PaasError):  # no supervisor, nothing that runs
        for process in supervisor.processes(runtime.groups()):
            if process.pid:
                keeper.adopt(f"{process.group}-{process.name}", process.pid)


def _report() -> None:
    print(traceback.format_exc(), file=sys.stderr, flush=True)
