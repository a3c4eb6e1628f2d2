"""What must be there before supervisord starts: directories, limits, the firewall, all files."""

import resource
import sys
from contextlib import suppress

from paas.adapters.certificates.files import remove_staples
from paas.adapters.network import own_routes, port_guard
from paas.adapters.server import daemons
from paas.adapters.system import directories
from paas.domain.values.errors import PaasError
from paas.settings import Settings
from paas.wiring import machine
from paas.wiring.adapters import server_adapters
from paas.wiring.services import all_services

OPEN_FILES = 1_048_576


def prepare(settings: Settings) -> None:
    """Directories, limits, cgroups, firewall, and all files that are rendered from the state."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        hard = max(hard, OPEN_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    daemons.make_directories(settings)
    machine.cgroups(settings).prepare()
    port_guard.reserve_ports(settings)
    daemons.free_ports_of_daemons(settings)
    machine.app_networks(settings).prepare()
    own_routes.refuse_missing(settings)
    daemons.write_supervisord_conf(settings)
    try:
        _prepare_from_store(settings)
    except PaasError as error:
        # What can come up must: reconciling sets it right, or says what is wrong.
        print(error.report, file=sys.stderr)
    # With the claims of all instances that are laid out now, in one transaction.
    daemons.apply_firewall(settings)


def _prepare_from_store(settings: Settings) -> None:
    """Render what is read from the store; if that cannot be used, a copy tells what ran.

    Then keys and sites stay as they are on disk.
    """
    services = all_services(server_adapters(settings))
    fault = services.recovery.fault()
    if fault is None:
        services.reconcile.prepare()
        remove_staples(settings.paths.former_staples)
        return
    print(fault.report, fault.hint, sep="\n", file=sys.stderr)
    placed = machine.store_recovery(settings).place_newest(settings.paths.recovery)
    if placed is None:
        print("No copy of it is whole: only what has its files yet is started.", file=sys.stderr)
        for engine in services.engines.all():
            engine.runtime.forget_unstartable()
        return
    try:
        all_services(server_adapters(settings, placed)).reconcile.prepare_start()
    finally:
        directories.remove(placed.parent)
