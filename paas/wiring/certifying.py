"""Certificates over their adapters: users' own, and those of ACME."""

from paas.adapters.certificates.certbot import Certbot
from paas.adapters.certificates.reader import X509Reader
from paas.services.certificates.acme import Acme
from paas.services.certificates.certificates import Certificates
from paas.services.certificates.renewals import Renewals
from paas.services.routing.sites import Sites
from paas.wiring.adapters import Outside


def certifying(out: Outside, sites: Sites) -> tuple[Certificates, Acme]:
    """What users do with certificates, and those that come by themselves."""
    certificates = Certificates(
        store=out.store,
        sites=sites,
        reader=X509Reader(),
        files=out.certificate_files,
        locks=out.locks,
        clock=out.clock,
    )
    acme = Acme(
        store=out.store,
        renewals=Renewals(
            store=out.store, addresses=out.addresses, directory=out.settings.acme_directory
        ),
        issuer=Certbot(out.settings),
        certificates=certificates,
        locks=out.locks,
        logs=out.logs,
        clock=out.clock,
    )
    return certificates, acme
