"""Warns about an app that redirects its visitors to HTTPS without having a certificate."""

from collections.abc import Sequence
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.releases.releases import Instance
from paas.domain.routing.sites import https_dead_end
from paas.domain.routing.visits import Visit
from paas.interfaces import HealthProbe, Progress
from paas.services.certificates.renewals import Renewals
from paas.services.routing.sites import Sites

ASK_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirects:
    """behind_balancer: whether one in front of the server may terminate HTTPS for all apps."""

    sites: Sites
    probe: HealthProbe
    behind_balancer: bool
    renewals: Renewals

    def tell(
        self,
        app: App,
        version: int,
        instances: Sequence[Instance],
        progress: Progress,
        served: Visit | None,
    ) -> None:
        """Warn if a new instance redirects to a name of the app that has no certificate.

        served: a visit that is known not to be redirected, and is not repeated.
        A visitor would get a browser error, and no log would show it.
        """
        endpoints = [one.endpoint for one in instances if one.endpoint is not None]
        site = self.sites.of(app, instances, version)
        secure = {host for certificate in site.certificates for host in certificate.hosts}
        plain = [host for host in site.hosts if host not in secure and not host.startswith("*.")]
        if self.behind_balancer or site.settings.trusted or not endpoints or not plain:
            return
        if served == Visit(plain[0]):
            return
        location = self.probe.redirect(endpoints[0], plain[0], ASK_LIMIT_S)
        host = https_dead_end(site, location) if location else None
        if host is None:
            return
        if self.sites.addresses.https_port and self.renewals.is_auto(app.id):
            return  # it gets one, which the push tells
        progress.warn(
            f"The app sends visitors of http://{plain[0]}/ to {location}, and {host} has no "
            "certificate: browsers will show an error."
        )
        if self.sites.addresses.https_port:
            progress.warn(f"Get one with: paas certs:auto on -a {app.name}")
        else:
            progress.warn(
                "This server has no HTTPS (https_port is 0 in server.yml). If a load balancer in "
                f"front of it terminates HTTPS: paas nginx:set {app.name} trusted-proxies ADDRESS"
            )
