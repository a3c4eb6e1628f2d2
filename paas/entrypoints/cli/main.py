"""The command line: running a command, or a service of git, for a user."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import click

from paas import settings
from paas.adapters.system.disk_faults import disk_fault
from paas.domain.apps.apps import Actor
from paas.domain.git.access import ExecPlan
from paas.domain.values.errors import EXIT_USAGE, PaasError
from paas.domain.values.names import AppName, user_name
from paas.entrypoints.cli import git, reading
from paas.entrypoints.cli.command_table import INTERNAL, root
from paas.entrypoints.cli.local import LocalCaller
from paas.entrypoints.cli.session import Session
from paas.entrypoints.cli.status_line import Look
from paas.entrypoints.cli.terminal import Terminal
from paas.entrypoints.laptop import suggestions
from paas.interfaces import Caller
from paas.wiring.adapters import server_adapters
from paas.wiring.services import Services, all_services


def services_of(etc: str) -> Services:
    """The services of the server with settings in that directory; built again when they change.

    The gate calls it before it forks, so that no command has to build it (3 ms each).
    """
    path = Path(etc) / "server.yml"
    return _services_of(path, path.stat().st_mtime_ns if path.exists() else 0)


@lru_cache(maxsize=1)
def _services_of(path: Path, _changed_ns: int) -> Services:
    return all_services(server_adapters(settings.load(path)))


def run(
    argv: list[str],
    *,
    actor_name: str | None,
    env: Mapping[str, str],
    reply: Callable[[int], None],
    client_gone: Callable[[], bool],
    caller: Caller,
) -> int:
    """Run one command for a user (None: the operator); returns the exit status.

    env: the client's; PAAS_ETC names the server. reply: answers the client with an exit
    status while the command continues in the background. caller: see Session.
    """
    progress = Terminal(Look.of(env), client_gone, caller.in_foreground, reply=lambda: reply(0))
    try:
        services = services_of(env["PAAS_ETC"])
        actor = _actor(services, actor_name, argv, progress)
        session = Session(services, actor, client_gone, caller, env, progress)
        if argv and argv[0] in INTERNAL:
            INTERNAL[argv[0]](session, argv[1:])
        else:
            root.main(args=argv or ["help"], obj=session, prog_name="paas", standalone_mode=False)
    except (PaasError, OSError) as error:
        status = _report(error, progress)
        _suggest(argv, progress)
        return status
    except click.UsageError as error:
        progress.warn(error.format_message())
        if error.ctx is not None:
            progress.warn(f"See: paas help {error.ctx.info_name}".replace("help paas", "help"))
        _suggest(argv, progress)
        return EXIT_USAGE
    except (click.exceptions.Abort, KeyboardInterrupt):
        return 130
    except click.exceptions.Exit as done:
        return done.exit_code
    return session.status


def _suggest(argv: list[str], progress: Terminal) -> None:
    """Suggest config:set after ``paas config set A=1`` has failed."""
    if command := suggestions.two_words(argv):
        progress.warn(f"Did you mean: paas {command}")


def git_service(
    words: list[str], *, actor_name: str | None, env: Mapping[str, str]
) -> ExecPlan | int:
    """The program that ``git-receive-pack APP`` and the like execute, or an exit status."""
    progress = Terminal()
    try:
        services = services_of(env["PAAS_ETC"])
        actor = _actor(services, actor_name, (), progress)
        session = Session(services, actor, lambda: False, LocalCaller(), env, progress)
        return git.service(session, words[0], AppName(words[1]), env)
    except (PaasError, OSError) as error:
        return _report(error, progress)


def _report(error: PaasError | OSError, progress: Terminal) -> int:
    """Show an error; returns the exit status. Raises it if it is not one of a full or bad disk."""
    shown = error if isinstance(error, PaasError) else disk_fault(error)
    if shown is None:
        raise error
    progress.error(shown)
    return shown.exit_code


def _actor(services: Services, name: str | None, argv: Sequence[str], progress: Terminal) -> Actor:
    """The user who runs the command. Raises PaasError if there is no such user."""
    if reading.only_reads(root, argv):
        return reading.admit(services.store, name, progress)
    if name is None:
        return Actor(None)
    user = services.store.users.find(user_name(name))
    if user is None:
        raise reading.no_such_user(name)
    return Actor(user)
