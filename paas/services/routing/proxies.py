"""Proxies: which kind of web server is in front of all apps."""

from collections.abc import Sequence
from dataclasses import dataclass

from paas.domain.people.actors import Actor
from paas.domain.routing.sites import Site
from paas.domain.values.errors import PaasError, usage_error
from paas.interfaces import Progress, ProxyChoice
from paas.services.access import require_admin
from paas.services.routing.sites import Sites
from paas.store import Store

# What no kind takes over from the other, and what one does differently for all apps.
NOT_CARRIED_OVER = ("Open connections end with the former proxy; rate limits start over.",)
DIFFERENCES = {
    "haproxy": (
        "A request's body reaches the app as it arrives: a slow client keeps a worker busy.",
        "A chunked body has no size limit: the app has to check its size.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxies:
    """What admins do with the server's proxy. linger_limit_s: how long a former one may run."""

    store: Store
    sites: Sites
    choice: ProxyChoice
    linger_limit_s: float

    def kind(self, actor: Actor) -> str:
        """The kind that serves."""
        require_admin(actor, "see the server's proxy")
        return self.choice.kind()

    def kinds(self) -> tuple[str, ...]:
        """All available kinds."""
        return self.choice.kinds()

    def losses(self, actor: Actor, kind: str) -> list[str]:
        """Settings of apps that the kind does not support, a line for each."""
        require_admin(actor, "see the server's proxy")
        without_tcp = self.choice.cannot_tcp(kind)
        closed = [
            f"{app.name}: its TCP ports lead nowhere. {without_tcp}"
            for app in self.store.apps.all()
            if without_tcp is not None and self.store.routing.of_app(app.id).tcp_ports
        ]
        return closed + [
            f"{app.name}: {reason}"
            for app in self.store.apps.all()
            for key, value in self.store.routing.of_app(app.id).settings.items()
            if (reason := self.choice.cannot(key, value, kind)) is not None
        ]

    def set(self, actor: Actor, kind: str, progress: Progress) -> bool:
        """Serve all apps with that kind; False if it already does.

        Raises PaasError, with the former kind serving, if the new one cannot.
        """
        require_admin(actor, "change the server's proxy")
        if kind not in self.choice.kinds():
            known = " or ".join(self.choice.kinds())
            raise usage_error("proxy-kind", f"There is no proxy {kind!r}.", f"Choose {known}.")
        former = self.choice.kind()
        if former == kind and not self.choice.is_unsettled():
            return False
        for line in self.losses(actor, kind):
            progress.warn(line)
        for line in (*NOT_CARRIED_OVER, *DIFFERENCES.get(kind, ())):
            progress.detail(line)
        progress.step(f"Handing the ports over from {former} to {kind}")
        self.choice.switch(kind, self.present, progress)
        return True

    def settle(self, progress: Progress) -> int:
        """Finish an interrupted switch; returns how many things were mended."""
        if not self.choice.is_unsettled():
            return 0
        try:
            self.choice.switch(self.choice.kind(), self.present, progress)
        except PaasError as error:
            progress.warn(error.message)
            return 0
        return 1

    def stop_former(self) -> bool:
        """Wait for the last requests of the former kind, and end it; False if it keeps running."""
        return self.choice.stop_former(self.linger_limit_s)

    def present(self) -> Sequence[Site]:
        """Every app's site as it is now."""
        return self.sites.all_present()
