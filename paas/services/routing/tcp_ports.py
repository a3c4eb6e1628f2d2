"""TCP ports: public ports of the server that lead to an app's web instances, without HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.releases.formation import WEB
from paas.domain.routing.routing import Routing
from paas.domain.routing.tcp_ports import NO_PORTS, PORTS_MAX, PortRange, TcpPort, is_within
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import ProcessType
from paas.interfaces import Ports, Progress, Proxy
from paas.services.access import find_app
from paas.services.routing.sites import Sites
from paas.store import Store


@dataclass(frozen=True, slots=True)
class TcpPortInfo:
    """A port of an app. process: to whose instances it leads. fault: why it leads nowhere."""

    port: int
    process: ProcessType
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpPorts:
    """What users do with TCP ports. allowed: the first and the last that apps may have."""

    store: Store
    sites: Sites
    proxy: Proxy
    ports: Ports
    allowed: PortRange

    def listing(self, actor: Actor, name: str) -> list[TcpPortInfo]:
        """The app's ports, the lowest first."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        found = sorted(self.store.routing.of_app(app.id).tcp_ports)
        return [TcpPortInfo(port, WEB, self._fault(port)) for port in found]

    def warnings(self, app: App) -> list[str]:
        """A sentence for each of the app's ports that leads nowhere."""
        ports = sorted(self.store.routing.of_app(app.id).tcp_ports)
        faults = [(port, self._fault(port)) for port in ports]
        return [f"its port {port} leads nowhere: {why}" for port, why in faults if why]

    def add(self, actor: Actor, name: str, ports: Sequence[TcpPort], progress: Progress) -> None:
        """Have these ports of the server lead to the app.

        Raises PaasError, with nothing changed, if one of them cannot.
        """
        for port in ports:
            self._refuse_forbidden(port)
        if (reason := self.proxy.cannot_tcp()) is not None:
            raise PaasError(
                "tcp-unsupported",
                f"This server passes on no TCP ports yet. {reason}",
                "An admin does what is missing, and then runs install.sh again.",
            )

        def wanted(app: App, routing: Routing) -> Routing:
            new = [port for port in ports if port not in routing.tcp_ports]
            for port in new:
                self._refuse_taken(actor, app, port)
            found = tuple(sorted({*routing.tcp_ports, *new}))
            if len(found) > PORTS_MAX:
                raise PaasError(
                    "too-many-ports",
                    f"An app may have {PORTS_MAX} TCP ports, and these would be {len(found)}.",
                    f"Remove one: paas ports:remove -a {app.name}",
                )
            return replace(routing, tcp_ports=found)

        self.sites.change(actor, name, "adds a TCP port", wanted, progress)

    def remove(self, actor: Actor, name: str, ports: Sequence[TcpPort], progress: Progress) -> None:
        """Close these ports, for others to have; connections that are open stay for a while."""

        def wanted(app: App, routing: Routing) -> Routing:
            for port in ports:
                if port not in routing.tcp_ports:
                    raise PaasError(
                        "no-such-port",
                        f"{app.name} has no TCP port {port}.",
                        f"List them with: paas ports -a {app.name}",
                    )
            left = tuple(port for port in routing.tcp_ports if port not in ports)
            return replace(routing, tcp_ports=left)

        self.sites.change(actor, name, "removes a TCP port", wanted, progress)

    def _refuse_forbidden(self, port: int) -> None:
        """Raises PaasError unless apps may have the port."""
        if self.allowed == NO_PORTS:
            raise PaasError(
                "tcp-ports-off",
                "Apps of this server may have no TCP ports.",
                "An admin can allow some with tcp_ports in server.yml, such as "
                "tcp_ports: [5400, 5499], and install.sh.",
            )
        if not is_within(port, self.allowed):
            first, last = self.allowed
            raise usage_error(
                "tcp-port",
                f"Apps of this server may have the ports {first} to {last}, and not {port}.",
                f"For example: paas ports:add {first}:tcp",
            )

    def _refuse_taken(self, actor: Actor, app: App, port: int) -> None:
        """Raises PaasError if something else has the port."""
        owner = self.store.routing.tcp_port_owner(port)
        holder = self.store.apps.by_id(owner) if owner is not None else None
        if holder is not None and holder.id != app.id:
            known = actor.may(Permission.VIEW, holder)
            choose = "Choose another one from {} to {}".format(*self.allowed)
            free = f", or first run: paas ports:remove {port}:tcp -a {holder.name}"
            raise PaasError(
                "tcp-port-taken",
                f"Port {port} leads to {f'the app {holder.name}' if known else 'another app'}.",
                choose + (free if known else "."),
            )
        if not self.ports.is_public_free(port):
            raise PaasError(
                "tcp-port-in-use",
                f"Another program of the server uses port {port}.",
                "Choose another port; an admin can see who has it with: sudo ss -ltnp",
            )

    def _fault(self, port: int) -> str | None:
        if not is_within(port, self.allowed):
            return "it is not one of tcp_ports in server.yml"
        return self.proxy.cannot_tcp()
