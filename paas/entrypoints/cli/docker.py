"""server:docker: whether the server has a Docker engine, what it takes, and which apps need it"""

import shlex
from dataclasses import asdict

import click

from paas.adapters.docker.engine_state import engine_memory_bytes, engine_state
from paas.adapters.server import daemons
from paas.domain.server.docker_engine import EngineState
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.sizes import size_words
from paas.entrypoints.cli.session import Session, json_option, pass_session
from paas.entrypoints.cli.tables import print_table
from paas.entrypoints.cli.terminal import print_json
from paas.services.access import require_admin
from paas.services.server.docker_use import apps_on_docker, refuse_removal
from paas.settings import Settings

_WORDS = ("status", "on", "off")


@click.command("server:docker")
@click.argument("word", default="status", metavar="[status|on|off]")
@json_option
@pass_session
def docker(session: Session, word: str, as_json: bool) -> None:
    """Show the server's Docker engine, what it takes, and which apps need it.

    on and off say how: install.sh adds and removes it.

    Example: sudo paas server:docker
    """
    require_admin(session.actor, "see the server's Docker engine")
    if word not in _WORDS:
        raise usage_error("arguments", f"server:docker takes {', '.join(_WORDS)}.")
    settings = session.services.settings
    if word != "status":
        _switch(session, settings, on=word == "on")
        return
    needing = apps_on_docker(session.services.store)
    state = engine_state(settings) if settings.docker else None
    memory_bytes = engine_memory_bytes(settings, _pids(settings)) if state else None
    if as_json:
        sizes = asdict(state) if state else {}
        print_json(
            {"docker": settings.docker, "apps": needing, "memory_bytes": memory_bytes, **sizes}
        )
        return
    rows = [("Docker:", state.version if state else "not on this server")]
    if state is not None and memory_bytes is not None:
        rows += [
            ("Memory:", f"{size_words(memory_bytes)}, without the containers' processes"),
            ("Disk:", disk_words(state, settings)),
        ]
    rows.append(("Apps:", ", ".join(needing) or "none runs in containers"))
    print_table(("", ""), rows)
    if state is None:
        session.terminal.detail(f"To add it, on the server: {_command(settings, '--docker')}")


def docker_look(settings: Settings) -> EngineState | str | None:
    """What server:status shows: a sentence if it does not answer; None where there is none."""
    try:
        return engine_state(settings) if settings.docker else None
    except PaasError as error:
        return error.message


def docker_row(found: EngineState | str | None, settings: Settings) -> tuple[str, str] | None:
    """The same as a row."""
    if isinstance(found, EngineState):
        return "Docker:", f"{found.version}; {disk_words(found, settings)}"
    return ("Docker:", "does not answer") if found is not None else None


def disk_words(state: EngineState, settings: Settings) -> str:
    """What it takes of the disk, in parts."""
    registry = (
        f", registry of nodes {size_words(state.registry_bytes)}" if state.registry_bytes else ""
    )
    return (
        f"images {size_words(state.images_bytes)}, containers "
        f"{size_words(state.containers_bytes)}, build cache {size_words(state.cache_bytes)} (at "
        f"most {size_words(settings.docker_cache_mib * 1024**2)}){registry}"
    )


def _switch(session: Session, settings: Settings, *, on: bool) -> None:
    """Refuse, with the command that does it: install.sh runs apt, and restarts the gate."""
    if on == settings.docker:
        session.terminal.detail(
            "The server already has a Docker engine." if on else "The server has no Docker engine."
        )
        return
    if not on:
        refuse_removal(session.services.store)
    raise PaasError(
        "docker-by-installer",
        f"Docker is {'added' if on else 'removed'} by the installer, on the server itself: it "
        "changes packages and restarts the process that runs this command.",
        _command(settings, "--docker" if on else "--no-docker"),
    )


def _command(settings: Settings, option: str) -> str:
    """install.sh has no fixed place: it is where its administrator unpacked it."""
    root = f" --root {shlex.quote(str(settings.etc.parent))}" if settings.embedded else ""
    return f"sudo ./install.sh{root} {option} (in the directory from which it was installed)"


def _pids(settings: Settings) -> list[int]:
    rows = daemons.processes(settings)
    return [row.pid for row in rows if row.name in daemons.OF_DOCKER and row.pid is not None]
