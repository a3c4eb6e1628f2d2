"""Doctor over its adapters."""

from paas.adapters.ground import ServerGround
from paas.adapters.ports import LocalPorts
from paas.services.acme import Acme
from paas.services.diagnosis import Diagnosis
from paas.services.doctor import Doctor
from paas.services.reconcile import Reconcile
from paas.services.rescue import Rescue
from paas.services.sites import Sites
from paas.services.strays import Strays
from paas.wiring.outside import Outside


def doctor(out: Outside, sites: Sites, acme: Acme, reconcile: Reconcile, rescue: Rescue) -> Doctor:
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
    )
