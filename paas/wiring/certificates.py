"""Certificates: users' own, and those of ACME."""

from paas.services.certificates.acme import Acme
from paas.services.certificates.certificates import Certificates
from paas.services.routing.sites import Sites
from paas.wiring.adapters import Adapters
from paas.wiring.monitor import renewals


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
