"""Becomes supervisord: prepares all that it needs, and reconciles the apps once it is up."""

import os
import sys
from typing import NoReturn

from paas.adapters.server import daemons
from paas.domain.values.errors import PaasError
from paas.entrypoints.cli.terminal import Terminal
from paas.entrypoints.daemons.boot import await_daemons
from paas.entrypoints.daemons.preparation import prepare
from paas.entrypoints.daemons.programs import become
from paas.entrypoints.daemons.supervised import end_with_parent
from paas.settings import Settings
from paas.wiring.adapters import server_adapters
from paas.wiring.services import all_services


def run(settings: Settings) -> NoReturn:
    """Prepare everything and become supervisord."""
    prepare(settings)
    _reconcile_when_up(settings)
    os.chdir("/")
    # For the logs that supervisord writes. Its programs have 022, as their sections say.
    os.umask(0o027)
    become(daemons.supervisord_argv(settings))


def _reconcile_when_up(settings: Settings) -> None:
    """In a separate process next to supervisord: when all is up, reconcile.

    It ends with supervisord, which this process becomes: a stopped server is not reconciled.
    """
    if os.fork():
        return
    end_with_parent()
    try:
        await_daemons(settings)
        mended = all_services(server_adapters(settings)).reconcile.run(Terminal())
        print(f"reconciled: {mended} repaired", file=sys.stderr, flush=True)
    except PaasError as error:
        print(error.report, file=sys.stderr, flush=True)
    finally:
        os._exit(0)
