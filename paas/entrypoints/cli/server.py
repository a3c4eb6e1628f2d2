"""server:status, server:rotate-key, version, help, completion"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict

import click

from paas import __version__
from paas.adapters.network.connection_limit import LimitState
from paas.adapters.network.firewall_trial import firewall_fault
from paas.adapters.server import daemons, separation
from paas.domain.server.docker_engine import EngineState
from paas.entrypoints.cli import trash
from paas.entrypoints.cli.datastore_row import datastore_row
from paas.entrypoints.cli.docker import docker_look, docker_row
from paas.entrypoints.cli.doctor import print_findings
from paas.entrypoints.cli.session import Session, json_option, pass_session
from paas.entrypoints.cli.tables import print_table
from paas.entrypoints.cli.terminal import print_json, print_line
from paas.entrypoints.laptop import suggestions, topics
from paas.entrypoints.laptop.completion import script
from paas.services.access import require_admin
from paas.services.datastores.upkeep import SilentDatastores
from paas.wiring import machine
from paas.wiring.services import Services


@click.command("server:status")
@json_option
@pass_session
def status(session: Session, as_json: bool) -> None:
    """Show the server's processes and limits, and what does not work on this machine.

    Example: sudo paas server:status
    """
    require_admin(session.actor, "see the server's status")
    settings = session.services.settings
    free = shutil.disk_usage(settings.state).free
    limit = machine.firewall(settings).limit_state()
    engine = docker_look(settings)
    plain = {
        "version": __version__,
        "domain": settings.domain,
        "processes": [
            {"name": row.name, "state": row.state, "pid": row.pid}
            for row in daemons.processes(settings)
        ],
        "free_disk_bytes": free,
        "firewall": firewall_fault(settings) or "works",
        "connection_limit": limit.fault or "works",
        "connections_per_address": settings.connections_per_address,
        "refused_connections": limit.refused,
        "separation": separation.missing() or "works",
        "app_networks": machine.app_networks_state(settings) or "works",
        "system_calls": machine.system_call_filter_lack() or "works",
        "missing_cgroup_controllers": machine.cgroups(settings).missing(),
        "docker": asdict(engine) if isinstance(engine, EngineState) else engine,
        "lost": [trash.plain(item) for item in session.services.trash.listing()],
    }
    fault = session.services.recovery.fault()
    plain["store"] = fault.message if fault else "whole"
    silent = SilentDatastores()
    if fault is None:
        silent = session.services.doctor.diagnosis.datastores.upkeep.silent()
        overview = session.services.datastore_overview.look(silent)
        plain |= _known(session) | {"datastores": asdict(overview)}
    else:
        session.status = fault.exit_code
    warnings = session.services.doctor.warnings(silent)
    plain["warnings"] = [asdict(finding) for finding in warnings]
    if as_json:
        print_json(plain)
        return
    print_line(f"=== paas {__version__} on {settings.domain}")
    rows = [(f"{row.name}:", row.state) for row in daemons.processes(settings)]
    if fault is None:
        rows.append(("Apps:", f"{plain['apps']} with {plain['instances']} instances"))
        rows += filter(None, [datastore_row(overview)])
    rows += filter(None, [docker_row(engine, settings)])
    rows += [
        ("Free disk:", f"{free / 1024**3:.1f} GiB"),
        ("Firewall:", _firewall(str(plain["firewall"]))),
        ("Connections:", _connections(settings.connections_per_address, limit)),
    ]
    lack = machine.app_networks(settings).lack()
    rows.append(("Networks:", _networks(str(plain["app_networks"]), is_shared=lack is not None)))
    rows += _lacking(plain)
    if plain.get("certificates"):
        rows.append(("Certificates:", str(plain["certificates"])))
    print_table(("", ""), rows)
    print_findings(session, warnings)
    if fault is not None:
        return
    for warning in _certificate_warnings(session.services):
        session.terminal.warn(warning)
    for app in session.services.sites.unserved():
        session.terminal.warn(
            f"{app.name} is not served: the proxy refused its file. See: paas logs -a {app.name}"
        )
    trash.warn(session)


@click.command("server:rotate-key")
@pass_session
def rotate_key(session: Session) -> None:
    """Seal the secrets in the database with a new key, and remove the former one.

    Example: sudo paas server:rotate-key
    """
    with session.terminal.doing("sealing the secrets with a new key"):
        session.services.key_rotation.rotate(session.actor, session.terminal)
    session.terminal.step("Config vars and drain URLs are sealed with a new key")
    session.terminal.detail(
        f"Keep a copy of {session.services.settings.paths.server_key}, and keep the former key "
        "as long as you have backups made with it."
    )


def _networks(state: str, *, is_shared: bool) -> str:
    if is_shared:
        return f"apps share the machine's, including its loopback and free ports. {state}"
    return "each app has its own" if state == "works" else f"each app has its own, but {state}"


def _lacking(plain: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The rows about walls between apps that this machine does not allow."""
    if plain["separation"] != "works":
        yield "Builds:", _not_separate(str(plain["separation"]))
    if plain["system_calls"] != "works":
        yield "System calls:", f"not filtered. {plain['system_calls']}"
    missing = plain["missing_cgroup_controllers"]
    if isinstance(missing, list) and missing:
        yield "Limits:", f"not enforced for {', '.join(missing)}: the server has no such cgroup"


def _certificate_warnings(services: Services) -> list[str]:
    return [*services.web_certificates.warnings(), *services.acme.warnings()]


def _known(session: Session) -> dict[str, object]:
    """What the database says of them."""
    services = session.services
    return {
        "apps": len(services.store.apps.all()),
        "instances": len(services.store.instances.all()),
        "certificates": len(services.store.certificates.all()),
        "certificate_warnings": _certificate_warnings(services),
        "unserved_apps": [app.name for app in services.sites.unserved()],
    }


@click.command("version")
@json_option
def version(as_json: bool) -> None:
    """Print the version of paas.

    Example: paas version
    """
    if as_json:
        print_json({"version": __version__})
    else:
        print_line(f"paas {__version__}")


@click.command("help")
@click.argument("topic", required=False, metavar="[TOPIC|COMMAND]")
@click.pass_context
def help_command(context: click.Context, topic: str | None) -> None:
    """Describe a command, or list the commands of a topic; without either, list the topics.

    Example: paas help config:set
    """
    if topic is None:
        print_line(topics.overview())
        return
    name = suggestions.in_place([topic])[0]
    root = context.find_root()
    assert isinstance(root.command, click.Group)
    command = root.command.get_command(root, name)
    shown = [topics.topic_help(name)]
    if command is not None:
        with click.Context(command, info_name=name, parent=root) as inner:
            shown.insert(0, command.get_help(inner))
    text = "\n\n".join(part for part in shown if part is not None)
    if not text:
        raise suggestions.no_command(topic)
    print_line(text)


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh"]))
def completion(shell: str) -> None:
    """Print the completion script for a shell.

    Example: source <(paas completion bash)
    """
    print_line(script(shell).rstrip())


def _not_separate(reason: str) -> str:
    return (
        "no PID namespaces here, so a build or one-off command can signal and inspect the live "
        f"instances of its app: {reason}"
    )


def _connections(limit: int, state: LimitState) -> str:
    if not limit:
        return "not limited for an address (connections_per_address is 0)"
    if state.fault is not None:
        return f"not limited for an address: {state.fault}"
    return f"at most {limit:,} from one address; {state.refused:,} refused since the last start"


def _firewall(state: str) -> str:
    if state == "works":
        return "only Nginx and root can reach an app's port"
    return f"does not work here, so every local user can reach the apps' ports: {state}"
