"""The command line: the table of commands, and running one for a user."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import click

from paas import settings
from paas.adapters.system.disk_faults import disk_fault
from paas.domain.apps.apps import Actor
from paas.domain.certificates.acme import RENEW_COMMAND
from paas.domain.git.access import ExecPlan
from paas.domain.releases.start_limits import START_COMMAND
from paas.domain.routing.proofs import CHECK_COMMAND
from paas.domain.runs.cron import DUE_COMMAND
from paas.domain.server.findings import REPAIR_COMMAND
from paas.domain.values.errors import EXIT_USAGE, PaasError
from paas.domain.values.names import AppName, user_name
from paas.entrypoints.cli import (
    apps,
    buildpacks,
    builds,
    certificates,
    checks,
    client_side,
    config,
    cron,
    disk,
    doctor,
    domains,
    drains,
    git,
    history,
    imports,
    keys,
    maintenance,
    processes,
    proxy,
    quotas,
    reading,
    releases,
    resources,
    router,
    sandbox,
    server,
    statics,
    storage,
)
from paas.entrypoints.cli import (
    run as run_commands,
)
from paas.entrypoints.cli.local import LocalCaller
from paas.entrypoints.cli.session import Session
from paas.entrypoints.cli.status_line import Look
from paas.entrypoints.cli.terminal import Terminal
from paas.entrypoints.laptop import suggestions
from paas.entrypoints.laptop.commands import SUMMARIES
from paas.interfaces import Caller
from paas.wiring.adapters import server_adapters
from paas.wiring.services import Services, all_services

COMMANDS: tuple[click.Command, ...] = (
    apps.listing,
    apps.create,
    apps.info,
    apps.rename,
    apps.destroy,
    client_side.init,
    client_side.open_app,
    apps.clone,
    buildpacks.listing,
    buildpacks.add,
    buildpacks.set_pack,
    buildpacks.remove,
    buildpacks.clear,
    buildpacks.builder_set,
    builds.listing,
    builds.info,
    builds.output,
    builds.cancel,
    builds.purge_cache,
    certificates.listing,
    certificates.add,
    certificates.info,
    certificates.remove,
    certificates.auto,
    checks.report,
    checks.set_limit,
    config.listing,
    config.get,
    config.set_vars,
    config.unset_vars,
    config.import_vars,
    config.export_vars,
    config.edit_vars,
    cron.listing,
    cron.run,
    cron.suspend,
    cron.resume,
    domains.listing,
    domains.add,
    domains.verify,
    domains.remove,
    domains.clear,
    domains.redirect,
    domains.set_global,
    apps.git_set,
    imports.from_archive,
    imports.sync,
    drains.listing,
    drains.add,
    drains.remove,
    keys.listing,
    keys.add,
    keys.remove,
    history.logs,
    processes.listing,
    processes.restart,
    processes.scale,
    processes.start,
    processes.stop,
    processes.wait,
    proxy.report,
    proxy.set_kind,
    releases.listing,
    releases.info,
    releases.output,
    releases.retry,
    releases.rollback,
    releases.diff,
    resources.limit,
    resources.clear,
    resources.report,
    resources.resize,
    sandbox.set_sandbox,
    sandbox.report,
    run_commands.run,
    run_commands.detached,
    run_commands.listing,
    run_commands.stop,
    statics.listing,
    statics.add,
    statics.remove,
    storage.listing,
    storage.add,
    storage.remove,
    maintenance.lock,
    maintenance.unlock,
    maintenance.show,
    maintenance.switch_on,
    maintenance.switch_off,
    maintenance.custom_page,
    maintenance.git_info,
    router.set_key,
    router.report,
    router.logins,
    router.add_login,
    router.remove_login,
    server.rotate_key,
    server.status,
    disk.report,
    quotas.set_quotas,
    quotas.report,
    doctor.doctor,
    server.completion,
    server.version,
    server.help_command,
)
# Commands of the platform's own processes; each checks its caller.
INTERNAL: Mapping[str, Callable[[Session, list[str]], None]] = {
    "git:hook": lambda session, _: git.hook(session, session.env),
    RENEW_COMMAND: lambda session, _: certificates.renew_due(session),
    CHECK_COMMAND: lambda session, _: domains.check_due(session),
    DUE_COMMAND: cron.due,
    START_COMMAND: processes.roll_out_again,
    REPAIR_COMMAND: lambda session, _: doctor.repair(session),
}


class Commands(click.Group):
    """The table of commands; knows Heroku's aliases, and suggests commands for mistyped ones."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names. Raises PaasError if there is none."""
        words = suggestions.in_place(args)
        if self.get_command(ctx, words[0]) is None:
            raise suggestions.no_command(words[0])
        return super().resolve_command(ctx, words)


@click.group("paas", cls=Commands, help="Your own Heroku: git push deploy main.")
@click.option("-a", "--app", "app", metavar="NAME", help="The app that a command is about.")
@click.option("--terminal", type=(int, bool), hidden=True)
@click.option("--stdout-terminal", is_flag=True, hidden=True)
@click.option("--stdin-terminal", is_flag=True, hidden=True)
@click.pass_context
def root(
    context: click.Context,
    app: str | None,
    terminal: tuple[int, bool] | None,
    stdout_terminal: bool,  # noqa: ARG001 - see goes_to_a_terminal
    stdin_terminal: bool,
) -> None:
    """Every command; nouns and verbs as on Heroku.

    terminal: the columns of the caller's terminal and whether it supports colors, where ssh gives
    us no terminal; about stderr. stdin_terminal: whether stdin is the caller's terminal.
    """
    session: Session = context.obj
    session.terminal.can_be_asked = stdin_terminal
    if terminal is not None and not os.isatty(2):
        session.terminal.is_seen_as(Look(*terminal))
    if app is not None:
        session.default_app = app


for command in COMMANDS:
    command.short_help = SUMMARIES[command.name or ""]
    root.add_command(command)


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
