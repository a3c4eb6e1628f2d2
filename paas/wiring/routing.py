"""Routing: sites, domains, the proxy and its settings."""

from paas.domain.routing.proofs import ProofMode
from paas.services.apps.maintenance import Maintenance
from paas.services.routing.claims import Claims
from paas.services.routing.domains import Domains
from paas.services.routing.names import Names
from paas.services.routing.ownership import Ownership
from paas.services.routing.paths import Paths
from paas.services.routing.proofs import Proofs
from paas.services.routing.proxies import Proxies
from paas.services.routing.router import Router
from paas.services.routing.sites import Sites
from paas.services.routing.tcp_ports import TcpPorts
from paas.services.server.quotas import Quotas
from paas.wiring.adapters import Adapters


def sites(adapters: Adapters) -> Sites:
    """How each app is reached."""
    return Sites(
        store=adapters.store,
        proxy=adapters.proxy,
        slugs=adapters.slugs,
        pages=adapters.pages,
        locks=adapters.locks,
        certificate_files=adapters.certificate_files,
        addresses=adapters.addresses,
    )


def proxies(adapters: Adapters, sites: Sites) -> Proxies:
    """Which proxy serves."""
    return Proxies(
        store=adapters.store,
        sites=sites,
        choice=adapters.proxy_choice,
        linger_limit_s=adapters.settings.worker_limit_s,
    )


def claims(adapters: Adapters, sites: Sites, quotas: Quotas) -> Claims:
    """The proofs of domains, and those that wait for one."""
    store, addresses = adapters.store, adapters.addresses
    ownership = Ownership(
        store=store, addresses=addresses, is_public_suffix=adapters.is_public_suffix
    )
    proofs = Proofs(
        store=store,
        resolver=adapters.resolver,
        ownership=ownership,
        addresses=addresses,
        mode=ProofMode(adapters.settings.domain_proof),
        random_secret=adapters.random_secret,
    )
    names = Names(
        store=store,
        ownership=ownership,
        addresses=addresses,
        quotas=quotas,
    )
    return Claims(
        store=store,
        sites=sites,
        ownership=ownership,
        proofs=proofs,
        names=names,
        locks=adapters.locks,
        logs=adapters.logs,
        clock=adapters.clock,
    )


def domains(adapters: Adapters, sites: Sites, claims: Claims) -> Domains:
    """The apps' domains, and the server's."""
    return Domains(
        store=adapters.store,
        proxy=adapters.proxy,
        locks=adapters.locks,
        sites=sites,
        claims=claims,
        resolver=adapters.resolver,
        server=adapters.server_file,
        addresses=adapters.addresses,
    )


def paths(adapters: Adapters, sites: Sites, claims: Claims) -> Paths:
    """Which app answers a path of a host."""
    return Paths(store=adapters.store, sites=sites, ownership=claims.ownership, names=claims.names)


def tcp_ports(adapters: Adapters, sites: Sites) -> TcpPorts:
    """Which public ports of the server lead to which app."""
    return TcpPorts(
        store=adapters.store,
        sites=sites,
        proxy=adapters.proxy,
        ports=adapters.ports,
        allowed=adapters.settings.tcp_ports,
    )


def router(adapters: Adapters, sites: Sites, quotas: Quotas) -> Router:
    """Settings of an app's routing, and its logins."""
    return Router(
        store=adapters.store,
        proxy=adapters.proxy,
        sites=sites,
        hash_password=adapters.hash_password,
        quotas=quotas,
    )


def maintenance(adapters: Adapters, sites: Sites) -> Maintenance:
    """Maintenance mode, its page, and the deploy lock."""
    return Maintenance(
        store=adapters.store,
        proxy=adapters.proxy,
        sites=sites,
        pages=adapters.pages,
        locks=adapters.locks,
        clock=adapters.clock,
    )
