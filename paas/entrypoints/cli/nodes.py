"""nodes, nodes:init, nodes:add, nodes:info, nodes:drain, nodes:undrain, nodes:remove, nodes:check,
nodes:end
"""

from collections.abc import Sequence

import click

from paas.domain.cluster.lost import MOVE_COMMAND
from paas.domain.cluster.nodes import (
    NodeReport,
    parse_address,
    parse_labels,
    parse_login,
)
from paas.domain.values.errors import EXIT_FAILED, usage_error
from paas.entrypoints.cli.session import Session, json_option, pass_session
from paas.entrypoints.cli.tables import print_rows, print_table, wide_option
from paas.entrypoints.cli.terminal import print_json
from paas.services.access import require_server

_GIB = 1024**3
_NO_NODES = "No nodes. Add one: paas nodes:add root@10.0.0.2"


@click.command("nodes")
@wide_option
@json_option
@pass_session
def listing(session: Session, as_json: bool) -> None:
    """List the machines that belong to the server. For admins.

    Example: paas nodes
    """
    found = session.services.nodes.look(session.actor)
    if as_json:
        print_json(
            {
                "address": str(found.address),
                "nodes": [_plain(one) for one in found.nodes],
                "strangers": [one.hostname for one in found.strangers],
            }
        )
        return
    if not found.nodes:
        session.terminal.detail(_NO_NODES)
    print_table(
        ("Name", "State", "Instances", "Address", "CPUs", "Memory", "Docker", "Labels"),
        [_row(one) for one in found.nodes],
        optional=("Docker", "Memory", "CPUs"),
    )
    for stranger in found.strangers:
        session.terminal.warn(
            f"{stranger.hostname} is a member of the swarm, but was not added here."
        )


@click.command("nodes:init")
@click.option("--address", required=True, help="This machine's address in the nodes' network.")
@pass_session
def init(session: Session, address: str) -> None:
    """Have this server manage nodes, which reach it at an address. For admins.

    Example: paas nodes:init --address 10.0.0.1
    """
    own = parse_address(address)
    with session.terminal.doing("starting the manager of the nodes"):
        line = session.services.nodes.begin(session.actor, own)
    session.terminal.step(f"This server manages nodes, which reach it at {own}")
    session.terminal.detail(
        "To let it log in to a machine, add this line to /root/.ssh/authorized_keys there:"
    )
    session.terminal.detail(line)
    session.terminal.detail("Then: paas nodes:add root@10.0.0.2")


@click.command("nodes:end")
@pass_session
def end(session: Session) -> None:
    """Have this server manage nodes no longer, when it has none. For admins.

    Example: paas nodes:end
    """
    session.services.nodes.end(session.actor)
    session.terminal.step("This server no longer manages nodes")


@click.command("nodes:add")
@click.argument("login", metavar="root@HOST[:PORT]")
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="KEY=VALUE",
    help="A label of the node; may be repeated.",
)
@json_option
@pass_session
def add(session: Session, login: str, labels: tuple[str, ...], as_json: bool) -> None:
    """Make a machine a node: check it, install Docker, close its ports, have it join. For admins.

    Example: paas nodes:add root@10.0.0.2 --label zone=a
    """
    nodes, where = session.services.nodes, parse_login(login)
    node = nodes.add(session.actor, where, parse_labels(labels), session.terminal)
    session.terminal.step(f"{node.name} is a node")
    if as_json:
        print_json(_plain(nodes.info(session.actor, node.name)))


@click.command("nodes:info")
@click.argument("name")
@json_option
@pass_session
def info(session: Session, name: str, as_json: bool) -> None:
    """Show one node. For admins.

    Example: paas nodes:info web-2
    """
    one = session.services.nodes.info(session.actor, name)
    if as_json:
        print_json(_plain(one))
        return
    _, state, instances, address, cpus, memory, engine, labels = _row(one)
    rows = [("Name", one.node.name), ("State", state), ("Instances", instances)]
    rows += [("Address", address)]
    rows += [("Login", str(one.node.login)), ("Added", f"{one.node.added_at:%Y-%m-%d %H:%M} UTC")]
    rows += [("CPUs", cpus), ("Memory", memory), ("Docker", engine), ("Labels", labels)]
    print_rows(rows)


@click.command("nodes:drain")
@click.argument("name")
@pass_session
def drain(session: Session, name: str) -> None:
    """Move what runs on a node to others, and use it no more until nodes:undrain. For admins.

    Example: paas nodes:drain web-2
    """
    session.services.nodes.drain(session.actor, name, session.terminal)
    session.terminal.step(f"Nothing runs on {name}")
    session.terminal.detail(f"To use it again: paas nodes:undrain {name}")


@click.command("nodes:undrain")
@click.argument("name")
@pass_session
def undrain(session: Session, name: str) -> None:
    """Have the swarm use a node again. For admins.

    Example: paas nodes:undrain web-2
    """
    session.services.nodes.undrain(session.actor, name)
    session.terminal.step(f"{name} is used again")


@click.command("nodes:remove")
@click.argument("name")
@click.option("--force", is_flag=True, help="Do not contact the machine: it is lost.")
@pass_session
def remove(session: Session, name: str, force: bool) -> None:
    """Move what runs on a node to others and have it leave; Docker stays there. For admins.

    Example: paas nodes:remove web-2
    """
    terminal = session.terminal
    node = session.services.nodes.remove(session.actor, name, terminal, force=force)
    terminal.step(f"{node.name} is no longer a node")
    if force:
        terminal.detail("If the machine comes back, run there: docker swarm leave --force")


@click.command("nodes:check")
@json_option
@pass_session
def check(session: Session, as_json: bool) -> None:
    """Ask each node, and print what is wrong; the exit status is 1 if anything is. For admins.

    Example: paas nodes:check
    """
    found = list(session.services.nodes.check(session.actor))
    session.status = 1 if found else 0
    if as_json:
        print_json([{"node": name, "problem": words} for name, words in found])
        return
    for name, words in found:
        session.terminal.warn(f"{name}: {words}.")
    if found:
        return
    if session.services.nodes.look(session.actor).nodes:
        session.terminal.step("All nodes are as they should be")
    else:
        session.terminal.detail(_NO_NODES)


def move(session: Session, words: Sequence[str]) -> None:
    """Move an app's instances from nodes that are lost, and from the one that is left."""
    require_server(session.actor)
    if len(words) != 2 or not words[1].isascii() or not words[1].isdigit():
        raise usage_error("arguments", f"{MOVE_COMMAND} NODE|- APP-ID")
    leaving = None if words[0] == "-" else words[0]
    if not session.services.moving.move(int(words[1]), leaving, session.terminal):
        session.status = EXIT_FAILED


def _row(one: NodeReport) -> tuple[str, ...]:
    seen = one.seen
    return (
        *(one.node.name, one.state.value, str(one.instances), str(one.node.address)),
        str(seen.cpus) if seen is not None and seen.cpus else "-",
        f"{seen.memory_bytes / _GIB:.1f} GiB" if seen is not None and seen.memory_bytes else "-",
        (seen.engine if seen is not None else "") or "-",
        ", ".join(f"{key}={value}" for key, value in sorted(seen.labels.items())) or "-"
        if seen is not None
        else "-",
    )


def _plain(one: NodeReport) -> dict[str, object]:
    seen = one.seen
    return {
        "name": one.node.name,
        "state": one.state.value,
        "instances": one.instances,
        "address": str(one.node.address),
        "login": str(one.node.login),
        "added_at": one.node.added_at.isoformat(),
        "cpus": seen.cpus if seen is not None else None,
        "memory_bytes": seen.memory_bytes if seen is not None else None,
        "docker": seen.engine if seen is not None else None,
        "labels": dict(seen.labels) if seen is not None else {},
    }
