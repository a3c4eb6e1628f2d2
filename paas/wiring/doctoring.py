"""Doctor over its adapters."""

from paas.adapters.network.ports import LocalPorts
from paas.adapters.server.machine import ServerGround
from paas.services.certificates.acme import Acme
from paas.services.deploys.deploys import Deploys
from paas.services.routing.sites import Sites
from paas.services.server.diagnosis import Diagnosis
from paas.services.server.doctor import Doctor
from paas.services.server.reconcile import Reconcile
from paas.services.server.store_rescue import Rescue
from paas.services.server.strays import Strays
from paas.wiring.adapters import Outside


def doctor(
    out: Outside,
    sites: Sites,
    acme: Acme,
    reconcile: Reconcile,
    rescue: Rescue,
    deploys: Deploys,
) -> Doctor:
    """Opens nothing."""
    strays = Strays(
        store=out.store,
        runtime=out.runtime,
        slugs=out.slugs,
        locks=out.locks,
        sites=sites,
        trash=out.trash,
    )
    diagnosis = Diagnosis(
        store=out.store,
        repository=out.repository,
        importer=out.importer,
        builder=out.builder,
        runtime=out.runtime,
        runs=out.runs,
        one_off=out.one_off,
        ports=LocalPorts(out.settings),
        storage_files=out.storage_files,
        slugs=out.slugs,
        locks=out.locks,
        keys=out.key_file,
        clock=out.clock,
        sites=sites,
        proxies=out.proxy,
        acme=acme,
        strays=strays,
    )
    return Doctor(
        ground=ServerGround(out.settings),
        diagnosis=diagnosis,
        reconcile=reconcile,
        rescue=rescue,
        store=out.store,
        deploys=deploys,
    )
