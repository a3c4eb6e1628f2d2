"""Certificates: users' own, and those of ACME."""

from paas.services.certificates.acme import Acme
from paas.services.certificates.certificates import Certificates
from paas.services.certificates.web import WebCertificates
from paas.services.routing.sites import Sites
from paas.wiring.adapters import Adapters
from paas.wiring.monitor import renewals, web_certificate_due


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
        issuer=adapters.issuer,
        certificates=own,
        locks=adapters.locks,
        logs=adapters.logs,
        clock=adapters.clock,
    )


def web_certificates(adapters: Adapters, sites: Sites) -> WebCertificates:
    """The certificate of git, the API and the dashboard."""
    return WebCertificates(
        due=web_certificate_due(adapters, adapters.web_certificate_files),
        issuer=adapters.issuer,
        reader=adapters.certificate_reader,
        proxy=adapters.proxy,
        sites=sites,
        locks=adapters.locks,
        clock=adapters.clock,
    )
