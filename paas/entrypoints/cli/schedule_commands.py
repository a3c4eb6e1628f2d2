"""When each kind of datastore is backed up: pg:backups:schedule and the like."""

import click

from paas.domain.datastores.dumps import parse_schedule
from paas.entrypoints.cli.dump_words import NAME, Wording
from paas.entrypoints.cli.session import Session, app_option, pass_session
from paas.entrypoints.cli.tables import list_options, print_table
from paas.entrypoints.cli.terminal import print_json


def schedule_commands(wording: Wording) -> tuple[click.Command, ...]:
    """The commands of a kind."""
    return _schedule(wording), _unschedule(wording), _schedules(wording)


def run_due(session: Session) -> None:
    """Make the backups that are due, and delete what is no longer kept; for the monitor."""
    session.services.captures.run_due(session.actor)
    session.services.upgrades.delete_former()


def _schedule(wording: Wording) -> click.Command:
    prefix = wording.prefix

    @click.command(
        f"{prefix}:backups:schedule",
        help=f"""Back up a {wording.one} each day at a time of your choice.

        Example: paas {prefix}:backups:schedule -a shop --at '02:00 Europe/Stockholm'
        """,
    )
    @NAME
    @app_option
    @click.option("--at", "at", required=True, metavar="TIME", help="'HH:MM ZONE', as '02:00 UTC'.")
    @pass_session
    def command(session: Session, datastore: str | None, app: str | None, at: str) -> None:
        wanted = parse_schedule(at)
        found = session.services.dumps.schedule(
            session.actor, session.app_name(app), datastore, wording.kind, wanted
        )
        session.terminal.step(f"{found.name} is backed up daily at {wanted.words}")

    return command


def _unschedule(wording: Wording) -> click.Command:
    prefix = wording.prefix

    @click.command(
        f"{prefix}:backups:unschedule",
        help=f"""Stop the daily backups of a {wording.one}; existing backups stay.

        Example: paas {prefix}:backups:unschedule -a shop
        """,
    )
    @NAME
    @app_option
    @pass_session
    def command(session: Session, datastore: str | None, app: str | None) -> None:
        found = session.services.dumps.schedule(
            session.actor, session.app_name(app), datastore, wording.kind, None
        )
        session.terminal.step(f"{found.name} is no longer backed up daily")

    return command


def _schedules(wording: Wording) -> click.Command:
    prefix, title = wording.prefix, wording.title

    @click.command(
        f"{prefix}:backups:schedules",
        help=f"""Show when each {wording.one} of an app is backed up.

        Example: paas {prefix}:backups:schedules -a shop
        """,
    )
    @list_options
    def command(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
        found = session.services.dumps.scheduled(
            session.actor, session.app_name(app, name), wording.kind
        )
        if as_json:
            print_json(
                [
                    {"datastore": one.name, "daily": when.words if when else None}
                    for one, when in found
                ]
            )
            return
        print_table(
            (title, "Daily at"),
            [(one.name, when.words if when else "not scheduled") for one, when in found],
            flexible=title,
        )

    return command
