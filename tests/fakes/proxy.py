"""A proxy in memory."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from paas.adapters.proxy.nginx.site_conf import render_site
from paas.domain.routing.endpoints import Endpoint
from paas.domain.routing.sites import Site
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress
from paas.settings import Settings


class FakeProxy:
    """`Proxy` of paas/interfaces that remembers its sites and the order of its calls.

    failure: raised by the next apply or switch, once. meanwhile: what happens during the next
    apply, once; draining: during the next drain, once. meanwhile_all: what happens before
    replace_all asks for the sites. drained: what drain answers. present: the kind of proxy that it
    is. unsettled: whether a switch was interrupted. without_tcp: why the present
    kind passes on no TCP ports.
    """

    def __init__(self) -> None:
        self.by_app: dict[int, Site] = {}
        self.calls: list[str] = []
        self.failure: PaasError | None = None
        self.meanwhile: Callable[[], object] = lambda: None
        self.draining: Callable[[], object] = lambda: None
        self.meanwhile_all: Callable[[], object] = lambda: None
        self.drained = True
        self.drained_at: Collection[Endpoint] | None = None
        self.present = "nginx"
        self.unsettled = False
        self.without_tcp: str | None = None

    def apply(self, site: Site) -> None:
        ports = ",".join(str(endpoint.port) for endpoint in site.endpoints)
        self.calls.append(f"apply {site.app_id} {ports}".rstrip())
        render_site(site, Settings(state=Path("/state")), ipv6=True)  # refuses what nginx_conf does
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        for other in self.by_app.values():
            if other.app_id != site.app_id and (taken := set(other.names) & set(site.names)):
                raise PaasError("site-host-taken", f"{min(taken)} is served already.")
        self.by_app[site.app_id] = site
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()

    def kind(self) -> str:
        return self.present

    def kinds(self) -> tuple[str, ...]:
        return ("nginx", "haproxy")

    def is_unsettled(self) -> bool:
        return self.unsettled

    def switch(self, kind: str, sites: Callable[[], Sequence[Site]], progress: Progress) -> None:
        self.calls.append(f"switch {kind}")
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        self.by_app = {site.app_id: site for site in sites()}
        self.present, self.unsettled = kind, False

    def stop_former(self, limit_s: float) -> bool:
        self.calls.append("let go")
        return True

    def cannot(self, key: str, value: str, kind: str | None = None) -> str | None:
        return "No brotli here." if (key, value) == ("brotli", "on") else None

    def cannot_tcp(self, kind: str | None = None) -> str | None:
        return self.without_tcp if kind in (None, self.present) else None

    def remove(self, app_id: int) -> None:
        self.calls.append(f"remove {app_id}")
        self.by_app.pop(app_id, None)

    def serves(self, site: Site) -> bool:
        return self.by_app.get(site.app_id) == site

    def sites(self) -> set[int]:
        return set(self.by_app)

    def drain(self, limit_s: float, endpoints: Collection[Endpoint] | None = None) -> bool:
        self.calls.append("drain")
        self.drained_at = endpoints
        draining, self.draining = self.draining, lambda: None
        draining()
        return self.drained

    def abandon(self, endpoints: Collection[Endpoint]) -> None:
        self.calls.append("abandon " + ",".join(str(endpoint) for endpoint in endpoints))

    def restore(self, sites: Sequence[Site]) -> None:
        self.calls.append("restore " + ",".join(str(site.app_id) for site in sites))
        self.by_app = {site.app_id: site for site in sites}

    def replace_all(
        self,
        sites: Callable[[], Sequence[Site]],
        *,
        record: Callable[[], None] = lambda: None,
        former: Callable[[], Sequence[Site]] | None = None,
    ) -> None:
        self.meanwhile_all()
        try:
            self.restore(sites())
            record()
        except BaseException:
            if former is not None:
                self.restore(former())
            raise

    def held(self) -> AbstractContextManager[None]:
        return nullcontext()

    def ports(self, host: str) -> tuple[int, ...] | None:
        """Where requests for a host go; empty: answered with 503; None: closed."""
        for site in self.by_app.values():
            if host in site.hosts:
                return self.ports_of(site.app_id)
        return None

    def ports_of(self, app_id: int) -> tuple[int, ...]:
        """Of the instances to which an app's requests go."""
        return tuple(endpoint.port for endpoint in self.by_app[app_id].endpoints)
