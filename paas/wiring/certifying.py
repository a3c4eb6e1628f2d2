"""Certificates over their adapters: users' own, and those of ACME."""

from paas.adapters.certbot import Certbot
from paas.adapters.certificate_reader import X509Reader
from paas.services.acme import Acme
from paas.services.certificates import Certificates
from paas.services.sites import Sites
from paas.services.wishes import Wishes
from paas.wiring.outside import Outside


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
        wishes=Wishes(
            store=out.store, addresses=out.addresses, directory=out.settings.acme_directory
        ),
        issuer=Certbot(out.settings),
        certificates=certificates,
        locks=out.locks,
        logs=out.logs,
        clock=out.clock,
    )
    return certificates, acme
