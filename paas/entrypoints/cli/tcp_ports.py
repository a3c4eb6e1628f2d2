"""ports, ports:add, ports:remove"""

from collections.abc import Callable, Sequence

import click

from paas.domain.routing.tcp_ports import TcpPort, tcp_port
from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.session import Session, app_option, pass_session
from paas.entrypoints.cli.tables import list_options, print_table
from paas.entrypoints.cli.terminal import print_json


@click.command("ports")
@list_options
def listing(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """List the TCP ports of the server that lead to the app.

    Example: paas ports -a shop
    """
    name = session.app_name(app, name)
    found = session.services.tcp_ports.listing(session.actor, name)
    if as_json:
        print_json(
            [
                {
                    "port": info.port,
                    "protocol": "tcp",
                    "process": info.process,
                    "fault": info.fault,
                }
                for info in found
            ]
        )
        return
    rows = [(f"{info.port}:tcp", info.process, info.fault or "") for info in found]
    print_table(("Port", "Process", "Fault"), rows, optional=("Fault",), flexible="Fault")


def _port_arguments(command: Callable[..., None]) -> Callable[..., None]:
    words = click.argument("words", nargs=-1, required=True, metavar="[APP] PORT:tcp...")
    return words(app_option(pass_session(command)))


@click.command("ports:add")
@_port_arguments
def add(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Have TCP ports of the server lead to the app's web instances, without HTTP.

    They listen on $PORT, as always. Which ports apps may have is in server.yml, as tcp_ports.

    Example: paas ports:add 5433:tcp -a shop
    """
    name, ports = _app_and_ports(session, words, app)
    session.services.tcp_ports.add(session.actor, name, ports, session.terminal)
    session.terminal.step(f"Connections to {_joined(ports)} go to web of {name}")


@click.command("ports:remove")
@_port_arguments
def remove(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Close TCP ports, so that another app can have them.

    Example: paas ports:remove 5433:tcp -a shop
    """
    name, ports = _app_and_ports(session, words, app)
    session.services.tcp_ports.remove(session.actor, name, ports, session.terminal)
    session.terminal.step(f"No more connections to {_joined(ports)} go to {name}")


def _app_and_ports(
    session: Session, words: tuple[str, ...], app: str | None
) -> tuple[str, list[TcpPort]]:
    """The app, which may be the first word, and the ports."""
    named = ":" not in words[0] and not words[0].isdigit()
    rest = words[1:] if named else words
    if not rest:
        raise usage_error("arguments", "No port was named.", "For example: paas ports:add 5433:tcp")
    ports = [tcp_port(word) for word in dict.fromkeys(rest)]
    return session.app_name(app, words[0] if named else None), ports


def _joined(ports: Sequence[TcpPort]) -> str:
    words = ", ".join(map(str, ports))
    return f"port {words}" if len(ports) == 1 else f"ports {words}"
