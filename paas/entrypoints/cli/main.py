"""The command line: running a command, or a service of git, for a user."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import click

from paas import settings
from paas.adapters.system.disk_faults import disk_fault
from paas.domain.git.access import ExecPlan
from paas.domain.people.actors import Actor
from paas.domain.people.origins import Origin
from paas.domain.people.tokens import prefix_of
from paas.domain.people.users import Role, User
from paas.domain.values.errors import EXIT_USAGE, PaasError
from paas.domain.values.names import AppName, user_name
from paas.domain.values.secret import Secret
from paas.entrypoints.cli import git, reading
from paas.entrypoints.cli.command_table import INTERNAL, root
from paas.entrypoints.cli.local import LocalCaller
from paas.entrypoints.cli.login import Login
from paas.entrypoints.cli.recording import PUSH, Recording
from paas.entrypoints.cli.session import Session
from paas.entrypoints.cli.status_line import Look
from paas.entrypoints.cli.terminal import Terminal
from paas.entrypoints.gate.ssh import HOOK_COMMAND
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
    return all_services(server_adapters(settings.present(path)))


def run(
    argv: list[str],
    *,
    actor_name: str | None,
    origin: Origin,
    token: Secret | None = None,
    env: Mapping[str, str],
    reply: Callable[[int], None],
    client_gone: Callable[[], bool],
    caller: Caller,
) -> int:
    """Run one command for a user (None: the operator); returns the exit status.

    token: for whose user it is run instead, if one was sent. env: the client's; PAAS_ETC names the
    server. reply: answers the client with an exit status while the command continues in the
    background. caller: see Session.
    """

    def answer() -> None:
        recording.answered()
        reply(0)

    progress = Terminal(Look.of(env), client_gone, caller.in_foreground, reply=answer)
    try:
        services = services_of(env["PAAS_ETC"])
        command = PUSH if argv[:1] == [HOOK_COMMAND] else reading.command_of(root, argv)
        login = Login(actor_name, origin, token)
        actor, origin = _admitted(services, login, command, progress)
        recording = Recording(services.audit, actor, origin, progress)
        session = Session(services, actor, client_gone, caller, env, progress, origin=origin)
        session.admitted = lambda: _admitted(services, login, None, progress)[0]
        session.recording = recording
        with recording.until_end(lambda: session.status):
            _perform(session, argv)
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


def _perform(session: Session, argv: list[str]) -> None:
    if argv and argv[0] in INTERNAL:
        INTERNAL[argv[0]](session, argv[1:])
    else:
        root.main(args=argv or ["help"], obj=session, prog_name="paas", standalone_mode=False)


def _suggest(argv: list[str], progress: Terminal) -> None:
    """Suggest config:set after ``paas config set A=1`` has failed."""
    if command := suggestions.two_words(argv):
        progress.warn(f"Did you mean: paas {command}")


def git_service(
    words: list[str],
    *,
    actor_name: str | None,
    origin: Origin,
    token: Secret | None = None,
    env: Mapping[str, str],
) -> ExecPlan | int:
    """The program that ``git-receive-pack APP`` and the like execute, or an exit status.

    token: as of `run`.
    """
    progress = Terminal()
    try:
        services = services_of(env["PAAS_ETC"])
        login = Login(actor_name, origin, token)
        actor, origin = _admitted(services, login, words[0], progress)
        caller = LocalCaller()
        session = Session(services, actor, lambda: False, caller, env, progress, origin=origin)
        session.recording = Recording(services.audit, actor, origin, progress)
        with session.recording.until_end(lambda: 0):
            return git.service(session, words[0], AppName(words[1]), env, login)
    except (PaasError, OSError) as error:
        return _report(error, progress)


def _report(error: PaasError | OSError, progress: Terminal) -> int:
    """Show an error; returns the exit status. Raises it if it is not one of a full or bad disk."""
    shown = error if isinstance(error, PaasError) else disk_fault(error)
    if shown is None:
        raise error
    progress.error(shown)
    return shown.exit_code


def _admitted(
    services: Services, login: Login, command: str | None, progress: Terminal
) -> tuple[Actor, Origin]:
    """For whom the command is run, and its origin with the token that was verified.

    Where a token was sent, its user: the key has then only let it in. Raises PaasError if one of
    the two is not valid; what was meant for a token is never done for the key's user. If the
    command would change something, that is recorded.
    """
    actor = _of_key(services, login, command, progress)
    if login.token is None:
        return actor, login.origin
    try:
        found = services.tokens.actor(login.token, login.origin.address)
    except PaasError as error:
        Recording(services.audit, actor, login.origin, progress).turned_away(command, error)
        raise
    return found, replace(login.origin, token=prefix_of(login.token))


def _of_key(services: Services, login: Login, command: str | None, progress: Terminal) -> Actor:
    """Whose key let the request in.

    Raises PaasError if there is no such user, or their key is no longer valid; if the command would
    change something, that is recorded.
    """
    name, origin = login.user, login.origin
    if reading.only_reads(command):
        return reading.admit(services.store, services.admission, name, origin, progress)
    if name is None:
        return Actor(None)
    user = services.store.users.find(user_name(name))
    try:
        if user is None:
            raise reading.no_such_user(name)
        services.admission.admit(user.name, origin)
    except PaasError as error:
        stranger = Actor(User(user_name(name), Role.MEMBER))
        Recording(services.audit, stranger, origin, progress).turned_away(command, error)
        raise
    return Actor(user)
