"""The services of the server itself: recovery and doctor."""

from paas.services.apps.destruction import Destruction
from paas.services.audit.audit import Audit
from paas.services.certificates.acme import Acme
from paas.services.certificates.web import WebCertificates
from paas.services.certificates.wildcard import Wildcards
from paas.services.cluster.emptying import Emptying
from paas.services.cluster.moving import Moving
from paas.services.cluster.nodes import Nodes
from paas.services.datastores.findings import DatastoreFindings
from paas.services.datastores.following.upkeep import FollowerUpkeep
from paas.services.datastores.rotation import LoginRotation
from paas.services.datastores.upkeep import DatastoreUpkeep
from paas.services.deploys.deploys import Deploys
from paas.services.logs.drains import Drains
from paas.services.releases.changes import Changes
from paas.services.routing.claims import Claims
from paas.services.routing.proxies import Proxies
from paas.services.routing.sites import Sites
from paas.services.server.app_files import AppFiles
from paas.services.server.diagnosis import Diagnosis
from paas.services.server.disk import DiskReports
from paas.services.server.doctor import Doctor
from paas.services.server.garbage import Garbage
from paas.services.server.quotas import Quotas
from paas.services.server.reconcile import Reconcile
from paas.services.server.store_recovery import Recovery
from paas.services.server.strays import Strays
from paas.wiring import people, routing
from paas.wiring.adapters import Adapters
from paas.wiring.monitor import archive_watch, dump_schedules, follower_watch, read_only_turn


def reconcile(
    adapters: Adapters,
    *,
    sites: Sites,
    proxies: Proxies,
    garbage: Garbage,
    destruction: Destruction,
    drains: Drains,
    changes: Changes,
    datastores: DatastoreUpkeep,
    followers: FollowerUpkeep,
    rotation: LoginRotation,
) -> Reconcile:
    """What makes the machine as the store has it."""
    return Reconcile(
        datastores=datastores,
        followers=followers,
        rotation=rotation,
        storage_files=adapters.storage_files,
        garbage=garbage,
        destruction=destruction,
        importer=adapters.importer,
        drains=drains,
        engines=adapters.engines,
        store=adapters.store,
        repository=adapters.repository,
        proxy=adapters.proxy,
        slugs=adapters.slugs,
        logs=adapters.logs,
        locks=adapters.locks,
        logins=people.logins(adapters),
        clock=adapters.clock,
        changes=changes,
        sites=sites,
        proxies=proxies,
        parallel_roll_outs=adapters.parallel_roll_outs,
        stop_limit_s=adapters.settings.stop_limit_s,
    )


def recovery(adapters: Adapters) -> Recovery:
    """A damaged or lost store."""
    return Recovery(
        store=adapters.store,
        store_recovery=adapters.store_recovery,
        trash=adapters.trash,
        locks=adapters.locks,
    )


def disk_reports(adapters: Adapters) -> DiskReports:
    """Disk usage."""
    return DiskReports(
        store=adapters.store, engines=adapters.engines, layers=adapters.layers, disk=adapters.disk
    )


def nodes(adapters: Adapters, keeping: DatastoreUpkeep) -> Nodes:
    """The machines that belong to the server."""
    return Nodes(
        store=adapters.store,
        cluster=adapters.cluster,
        machines=adapters.node_machines,
        emptying=Emptying(
            store=adapters.store,
            cluster=adapters.cluster,
            moves=adapters.moves,
            locks=adapters.locks,
            clock=adapters.clock,
        ),
        registry=adapters.node_registry,
        locks=adapters.locks,
        clock=adapters.clock,
        has_docker=adapters.settings.docker,
        changed=keeping.let_clients,
    )


def moving(adapters: Adapters, changes: Changes) -> Moving:
    """What starts instances on other nodes."""
    return Moving(
        store=adapters.store, cluster=adapters.cluster, changes=changes, proxy=adapters.proxy
    )


def quotas(adapters: Adapters) -> Quotas:
    """How much members and their apps may have."""
    return Quotas(store=adapters.store, disk=adapters.disk, defaults=adapters.settings.quotas)


def doctor(
    adapters: Adapters,
    *,
    sites: Sites,
    acme: Acme,
    web_certificates: WebCertificates,
    wildcards: Wildcards,
    claims: Claims,
    reconcile: Reconcile,
    recovery: Recovery,
    deploys: Deploys,
    audit: Audit,
) -> Doctor:
    """What finds problems and repairs those that it can."""
    return Doctor(
        machine=adapters.machine,
        diagnosis=_diagnosis(
            adapters, sites, acme, web_certificates, wildcards, claims, reconcile.datastores
        ),
        reconcile=reconcile,
        read_only=read_only_turn(adapters),
        reserve=adapters.reserve,
        recovery=recovery,
        store=adapters.store,
        deploys=deploys,
        audit=audit,
        clock=adapters.clock,
    )


def audit(adapters: Adapters) -> Audit:
    """Who changed what."""
    return Audit(
        store=adapters.store,
        trail=adapters.audit_trail,
        reserve=adapters.reserve,
        clock=adapters.clock,
    )


def _diagnosis(
    adapters: Adapters,
    sites: Sites,
    acme: Acme,
    web_certificates: WebCertificates,
    wildcards: Wildcards,
    claims: Claims,
    datastores: DatastoreUpkeep,
) -> Diagnosis:
    strays = Strays(
        store=adapters.store,
        engines=adapters.engines,
        slugs=adapters.slugs,
        locks=adapters.locks,
        sites=sites,
        trash=adapters.trash,
    )
    app_files = AppFiles(
        store=adapters.store,
        repository=adapters.repository,
        storage_files=adapters.storage_files,
        slugs=adapters.slugs,
        locks=adapters.locks,
    )
    return Diagnosis(
        store=adapters.store,
        repository=adapters.repository,
        importer=adapters.importer,
        engines=adapters.engines,
        ports=adapters.ports,
        locks=adapters.locks,
        logins=people.logins(adapters),
        clock=adapters.clock,
        sites=sites,
        proxies=adapters.proxy_choice,
        acme=acme,
        web_certificates=web_certificates,
        wildcards=wildcards,
        proofs=claims.proofs,
        tcp_ports=routing.tcp_ports(adapters, sites),
        strays=strays,
        app_files=app_files,
        datastores=DatastoreFindings(
            store=adapters.store,
            upkeep=datastores,
            followers=follower_watch(adapters),
            read_only=read_only_turn(adapters),
            dump_schedules=dump_schedules(adapters),
            archives=archive_watch(adapters),
        ),
    )
