"""The commands that fill and empty each kind of datastore: pg:export, pg:import and the like."""

import click

from paas.entrypoints.cli.backup_commands import backup_commands
from paas.entrypoints.cli.dump_streams import (
    print_dump,
    read_dump,
    refuse_terminal_input,
    refuse_terminal_output,
)
from paas.entrypoints.cli.dump_words import CONFIRM_NAME, NAME, WORDINGS, Wording
from paas.entrypoints.cli.schedule_commands import schedule_commands
from paas.entrypoints.cli.session import Session, app_option, pass_session


def all_kinds() -> tuple[click.Command, ...]:
    """All commands for dumps that each kind has, including those for backups."""
    return tuple(
        command
        for wording in WORDINGS
        for command in (
            *backup_commands(wording),
            *schedule_commands(wording),
            *(_copy(wording), _export(wording), _import(wording), _reset(wording)),
        )
    )


def _export(wording: Wording) -> click.Command:
    prefix, end = wording.prefix, wording.printed_end

    @click.command(
        f"{prefix}:export",
        help=f"""Print a dump of a {wording.one} as it is now, {wording.printed}.

        Example: paas {prefix}:export -a shop > shop{end}
        """,
    )
    @NAME
    @app_option
    @pass_session
    def command(session: Session, datastore: str | None, app: str | None) -> None:
        name = session.app_name(app)
        refuse_terminal_output(f"paas {prefix}:export -a {name} > {name}{end}")
        session.services.contents.export(session.actor, name, datastore, wording.kind, print_dump)

    return command


def _import(wording: Wording) -> click.Command:
    prefix, end = wording.prefix, wording.printed_end

    @click.command(
        f"{prefix}:import",
        help=f"""Replace everything in a {wording.one} with a dump from standard input.

        It may be {wording.taken}.

        Example: paas {prefix}:import -a shop < shop{end}
        """,
    )
    @NAME
    @app_option
    @CONFIRM_NAME
    @pass_session
    def command(
        session: Session, datastore: str | None, app: str | None, confirm: str | None
    ) -> None:
        name = session.app_name(app)
        refuse_terminal_input(session, f"paas {prefix}:import -a {name} < {name}{end}")
        session.services.contents.load(
            session.actor, name, datastore, wording.kind, read_dump(), confirm, session.terminal
        )

    return command


def _copy(wording: Wording) -> click.Command:
    prefix, first = wording.prefix, wording.kind.traits.firsts[0]

    @click.command(
        f"{prefix}:copy",
        help=f"""Replace everything in one {wording.one} with the content of another.

        Example: paas {prefix}:copy shop::{first} {first} -a shop-staging
        """,
    )
    @click.argument("source", metavar="[APP::]SOURCE")
    @click.argument("target", metavar="[APP::]TARGET")
    @app_option
    @CONFIRM_NAME
    @pass_session
    def command(
        session: Session, source: str, target: str, app: str | None, confirm: str | None
    ) -> None:
        taker, _, wanted = target.rpartition("::")
        taker = session.app_name(taker or app)
        giver, _, given = source.rpartition("::")
        session.services.contents.copy(
            session.actor,
            (giver or taker, given),
            (taker, wanted),
            wording.kind,
            confirm,
            session.terminal,
        )

    return command


def _reset(wording: Wording) -> click.Command:
    prefix, kind = wording.prefix, wording.kind

    @click.command(
        f"{prefix}:reset",
        help=f"""Delete everything in a {wording.one}; its URL stays.

        Example: paas {prefix}:reset -a shop --confirm {kind}-curly-1234
        """,
    )
    @NAME
    @app_option
    @CONFIRM_NAME
    @pass_session
    def command(
        session: Session, datastore: str | None, app: str | None, confirm: str | None
    ) -> None:
        session.services.contents.reset(
            session.actor, session.app_name(app), datastore, kind, confirm, session.terminal
        )

    return command
