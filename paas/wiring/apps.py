"""Apps: what creates, changes and destroys them."""

from paas.services.apps.apps import Apps
from paas.services.apps.destruction import Destruction
from paas.services.apps.processes import Processes
from paas.services.apps.resources import AppResources
from paas.services.apps.storage import Storages
from paas.services.cluster.scheduling import AppScheduling
from paas.services.datastores.upkeep import DatastoreUpkeep
from paas.services.releases.changes import Changes
from paas.services.routing.sites import Sites
from paas.services.server.garbage import Garbage
from paas.services.server.quotas import Quotas
from paas.wiring.adapters import Adapters


def garbage(adapters: Adapters) -> Garbage:
    """What destroyed apps and interrupted commands leave."""
    return Garbage(
        store=adapters.store,
        locks=adapters.locks,
        slugs=adapters.slugs,
        storage_files=adapters.storage_files,
        pages=adapters.pages,
        logs=adapters.logs,
        repository=adapters.repository,
        engines=adapters.engines,
        proxy=adapters.proxy,
        certificate_files=adapters.certificate_files,
        trash=adapters.trash,
        disk=adapters.disk,
        metrics_files=adapters.metrics_files,
        stop_limit_s=adapters.settings.stop_limit_s,
    )


def destruction(adapters: Adapters, garbage: Garbage, datastores: DatastoreUpkeep) -> Destruction:
    """The end of an app."""
    return Destruction(
        store=adapters.store,
        proxy=adapters.proxy,
        engines=adapters.engines,
        certificate_files=adapters.certificate_files,
        garbage=garbage,
        locks=adapters.locks,
        datastores=datastores,
        stop_limit_s=adapters.settings.stop_limit_s,
    )


def apps(adapters: Adapters, sites: Sites, destroying: Destruction, quotas: Quotas) -> Apps:
    """The apps themselves."""
    return Apps(
        destruction=destroying,
        store=adapters.store,
        repository=adapters.repository,
        proxy=adapters.proxy,
        locks=adapters.locks,
        reserve=adapters.reserve,
        clock=adapters.clock,
        sites=sites,
        addresses=adapters.addresses,
        random_name=adapters.random_name,
        quotas=quotas,
    )


def processes(adapters: Adapters, changes: Changes, quotas: Quotas) -> Processes:
    """Scaling, restarts and stops."""
    return Processes(
        store=adapters.store,
        engines=adapters.engines,
        changes=changes,
        locks=adapters.locks,
        quotas=quotas,
    )


def resources(adapters: Adapters, changes: Changes) -> AppResources:
    """Limits on memory, CPU and so on."""
    return AppResources(
        store=adapters.store, changes=changes, server=adapters.settings.server_limits
    )


def storage(adapters: Adapters, changes: Changes, quotas: Quotas) -> Storages:
    """Directories that outlive releases."""
    return Storages(
        store=adapters.store,
        files=adapters.storage_files,
        changes=changes,
        reserve=adapters.reserve,
        quotas=quotas,
    )


def scheduling(adapters: Adapters, changes: Changes, keeping: DatastoreUpkeep) -> AppScheduling:
    """On which machines apps run."""
    return AppScheduling(
        store=adapters.store,
        engines=adapters.engines,
        slugs=adapters.slugs,
        slug_images=adapters.slug_images,
        changes=changes,
        datastores=keeping,
    )
