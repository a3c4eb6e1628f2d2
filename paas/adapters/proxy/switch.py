"""How each kind of proxy takes over the public ports from the other, with the least gap.

The one that should serve has its files written and tested, and its program running, before the
other releases the ports; from then on new connections wait until they are taken over. The other's
former workers finish what it has begun.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Protocol

from paas.adapters.proxy.handover import connections_held
from paas.adapters.proxy.haproxy.proxy import HaproxyProxy
from paas.adapters.proxy.nginx.proxy import NginxProxy
from paas.adapters.proxy.tcp_ports import ports_of
from paas.domain.routing.sites import Site
from paas.interfaces import Progress
from paas.settings import Settings


class Program(Protocol):
    """HAProxy's program, as its supervisor manages it."""

    def install(self, progress: Progress) -> None:
        """Install it if it is missing."""

    def keep(self, *, running: bool) -> None:
        """Have it run, or not."""


class Switch(Protocol):
    """One kind of proxy: how it starts to serve. settings.proxy names it."""

    def install(self, progress: Progress) -> None:
        """Install what it needs."""

    def take_over(self, settings: Settings, sites: Sequence[Site]) -> None:
        """Serve on the public ports. Raises PaasError if that fails."""

    def stop_former(self, settings: Settings) -> bool:
        """Stop what it runs without serving; False while that is still finishing requests."""


class ToHaproxy:
    """HAProxy as the proxy; nginx moves behind it, to one loopback port."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def install(self, progress: Progress) -> None:
        """The package."""
        self._program.install(progress)

    def take_over(self, settings: Settings, sites: Sequence[Site]) -> None:
        """It starts without public ports, and reloads with them when nginx has released them."""
        proxy = HaproxyProxy(settings)
        if not proxy.is_up():
            proxy.release_ports()
            self._program.keep(running=True)
            proxy.wait_until_up()
        with ExitStack() as handover:
            ports = ports_of(sites, settings)
            proxy.restore(
                sites,
                before_reload=lambda: handover.enter_context(connections_held(settings, ports)),
            )

    def stop_former(self, settings: Settings) -> bool:
        """When no former worker is left."""
        proxy = HaproxyProxy(settings)
        if not proxy.is_idle():
            return False
        self._program.keep(running=False)
        proxy.forget()
        return True


class ToNginx:
    """nginx as the proxy: HAProxy releases the ports as soon as nginx has tested its files."""

    def install(self, progress: Progress) -> None:
        """It is there, behind HAProxy."""

    def take_over(self, settings: Settings, sites: Sequence[Site]) -> None:
        """HAProxy is on standby from then on."""
        haproxy = HaproxyProxy(settings)
        with ExitStack() as handover:

            def release_ports() -> None:
                handover.enter_context(connections_held(settings, ports_of(sites, settings)))
                haproxy.release_ports()

            NginxProxy(settings).restore(
                sites, before_reload=release_ports if haproxy.is_up() else None
            )

    def stop_former(self, settings: Settings) -> bool:  # noqa: ARG002 - of the Protocol
        """Never: it serves files behind HAProxy."""
        return True
