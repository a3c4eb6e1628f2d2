"""Certificates: users' own, and those of ACME."""

from paas.domain.routing.hosts import HostName
from paas.services.certificates.acme import Acme
from paas.services.certificates.certificates import Certificates
from paas.services.certificates.expiry import ExpiryWarnings
from paas.services.certificates.issuing import Issuing
from paas.services.certificates.orders import Orders
from paas.services.certificates.server_wide import ServerWide
from paas.services.certificates.web import WebCertificates
from paas.services.certificates.wildcard import Wildcards
from paas.services.routing.sites import Sites
from paas.wiring.adapters import Adapters
from paas.wiring.monitor import renewals, web_certificate_due, wildcard_due


def certificates(adapters: Adapters, sites: Sites) -> Certificates:
    """What users do with certificates of their own."""
    return Certificates(
        store=adapters.store,
        sites=sites,
        reader=adapters.certificate_reader,
        files=adapters.certificate_files,
        locks=adapters.locks,
        clock=adapters.clock,
    )


def acme(adapters: Adapters, own: Certificates) -> Acme:
    """Certificates that the server gets and renews."""
    return Acme(
        store=adapters.store,
        renewals=renewals(adapters),
        issuing=Issuing(
            store=adapters.store,
            renewals=renewals(adapters),
            orders=orders(adapters),
            certificates=own,
            turns=adapters.order_turns,
            locks=adapters.locks,
            logs=adapters.logs,
            clock=adapters.clock,
        ),
        expiry=ExpiryWarnings(
            store=adapters.store,
            files=adapters.certificate_files,
            logs=adapters.logs,
            clock=adapters.clock,
        ),
        certificates=own,
        locks=adapters.locks,
        logs=adapters.logs,
        clock=adapters.clock,
    )


def server_wide(adapters: Adapters, own: Certificates) -> ServerWide:
    """Whether every app gets its certificates by itself."""
    return ServerWide(
        store=adapters.store,
        renewals=renewals(adapters),
        certificates=own,
        server=adapters.server_file,
    )


def wildcards(adapters: Adapters, own: Certificates) -> Wildcards:
    """The certificate of all apps, and proofs by DNS."""
    return Wildcards(
        store=adapters.store,
        due=wildcard_due(adapters),
        orders=orders(adapters),
        certificates=own,
        reader=adapters.certificate_reader,
        proxy=adapters.proxy,
        turns=adapters.order_turns,
        clock=adapters.clock,
    )


def orders(adapters: Adapters) -> Orders:
    """What asks the issuer."""
    return Orders(
        store=adapters.store,
        issuer=adapters.issuer,
        clock=adapters.clock,
        directory=adapters.settings.acme_directory,
        is_public_suffix=lambda name: adapters.is_public_suffix(HostName(name)),
    )


def web_certificates(adapters: Adapters, sites: Sites) -> WebCertificates:
    """The certificate of git, the API and the dashboard."""
    return WebCertificates(
        due=web_certificate_due(adapters, adapters.web_certificate_files),
        issuer=adapters.issuer,
        orders=orders(adapters),
        reader=adapters.certificate_reader,
        proxy=adapters.proxy,
        sites=sites,
        turns=adapters.order_turns,
        clock=adapters.clock,
    )
