"""The table of commands, and the group that finds one by its name."""

import os
from collections.abc import Callable, Mapping

import click

from paas.domain.certificates.acme import RENEW_COMMAND
from paas.domain.cluster.lost import MOVE_COMMAND
from paas.domain.datastores.archives import DUE_COMMAND as ARCHIVES_COMMAND
from paas.domain.datastores.dumps import DUE_COMMAND as DUMP_COMMAND
from paas.domain.datastores.following import MEND_COMMAND
from paas.domain.git.previews import EXPIRE_COMMAND
from paas.domain.releases.parallel_starts import START_COMMAND
from paas.domain.routing.proofs import CHECK_COMMAND
from paas.domain.runs.cron import DUE_COMMAND
from paas.domain.server.findings import REPAIR_COMMAND
from paas.entrypoints.cli import (
    access,
    apps,
    archives,
    audit,
    auto_certificates,
    builders,
    buildpacks,
    builds,
    certificates,
    checks,
    client_side,
    config,
    cron,
    dashboard,
    deploy_on_push,
    disk,
    dns_challenge,
    docker,
    doctor,
    domains,
    drains,
    followers,
    git,
    git_credentials,
    heroku,
    history,
    images,
    imports,
    keys,
    maintenance,
    metrics,
    nodes,
    notifications,
    pipelines,
    previews,
    processes,
    proxy,
    quotas,
    releases,
    resources,
    router,
    runtime_image,
    sandbox,
    schedule_commands,
    scheduler,
    server,
    statics,
    storage,
    tcp_ports,
    tokens,
    users,
)
from paas.entrypoints.cli import (
    run as run_commands,
)
from paas.entrypoints.cli.datastore_table import DATASTORE_COMMANDS
from paas.entrypoints.cli.session import Session
from paas.entrypoints.cli.status_line import Look
from paas.entrypoints.gate.ssh import HOOK_COMMAND
from paas.entrypoints.laptop import suggestions
from paas.entrypoints.laptop.commands import SUMMARIES

COMMANDS: tuple[click.Command, ...] = (
    *DATASTORE_COMMANDS,
    apps.listing,
    apps.create,
    apps.info,
    apps.rename,
    apps.destroy,
    access.transfer,
    access.leave,
    access.listing,
    access.add,
    access.update,
    access.remove,
    client_side.init,
    dashboard.open_link,
    dashboard.close,
    heroku.environment,
    heroku.proxy,
    heroku.connect,
    client_side.open_app,
    apps.clone,
    buildpacks.listing,
    buildpacks.add,
    buildpacks.set_pack,
    buildpacks.remove,
    buildpacks.clear,
    builders.builder_set,
    images.report,
    runtime_image.runtime,
    images.set_args,
    images.unset_args,
    images.set_secrets,
    images.unset_secrets,
    images.set_port,
    images.login,
    images.logout,
    deploy_on_push.deploy_on_push,
    git_credentials.deploy_key,
    git_credentials.auth,
    images.from_image,
    images.load_image,
    builds.listing,
    builds.info,
    builds.output,
    builds.cancel,
    builds.purge_cache,
    certificates.listing,
    certificates.add,
    certificates.info,
    certificates.remove,
    auto_certificates.auto,
    dns_challenge.dns,
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
    cron.history,
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
    tokens.listing,
    tokens.create,
    tokens.revoke,
    users.listing,
    users.add,
    users.set_role,
    users.remove,
    users.whoami,
    users.teams,
    users.create_team,
    users.destroy_team,
    users.add_to_team,
    users.remove_from_team,
    history.logs,
    metrics.metrics,
    notifications.listing,
    notifications.add,
    notifications.remove,
    notifications.test,
    nodes.listing,
    nodes.init,
    nodes.end,
    nodes.add,
    nodes.info,
    nodes.drain,
    nodes.undrain,
    nodes.remove,
    nodes.check,
    pipelines.listing,
    pipelines.create,
    pipelines.add,
    pipelines.info,
    pipelines.remove,
    pipelines.destroy,
    pipelines.promote,
    pipelines.diff,
    previews.listing,
    previews.enable,
    previews.disable,
    previews.create,
    previews.destroy,
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
    scheduler.choose,
    scheduler.report,
    scheduler.place,
    run_commands.run,
    run_commands.detached,
    run_commands.listing,
    run_commands.stop,
    tcp_ports.listing,
    tcp_ports.add,
    tcp_ports.remove,
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
    docker.docker,
    server.status,
    disk.report,
    quotas.set_quotas,
    quotas.report,
    audit.audit,
    audit.verify,
    doctor.doctor,
    server.completion,
    server.version,
    server.help_command,
)
# Commands of the platform's own processes; each checks its caller.
INTERNAL: Mapping[str, Callable[[Session, list[str]], None]] = {
    HOOK_COMMAND: lambda session, _: git.hook(session, session.env),
    RENEW_COMMAND: lambda session, _: certificates.renew_due(session),
    CHECK_COMMAND: lambda session, _: domains.check_due(session),
    DUE_COMMAND: cron.due,
    DUMP_COMMAND: lambda session, _: schedule_commands.run_due(session),
    MEND_COMMAND: lambda session, _: followers.mend(session),
    ARCHIVES_COMMAND: lambda session, _: archives.due(session),
    EXPIRE_COMMAND: lambda session, _: previews.expire(session),
    START_COMMAND: processes.roll_out_again,
    MOVE_COMMAND: nodes.move,
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
