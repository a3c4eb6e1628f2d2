"""The commands for backups that each kind of datastore has: pg:backups and the like."""

from datetime import UTC, datetime

import click

from paas.domain.datastores.dumps import Dump
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.values.sizes import size_words
from paas.entrypoints.cli.archives import restorable_rows
from paas.entrypoints.cli.dump_streams import print_dump, refuse_terminal_output
from paas.entrypoints.cli.dump_words import CONFIRM_NAME, NAME, Wording
from paas.entrypoints.cli.session import Session, app_option, json_option, pass_session
from paas.entrypoints.cli.tables import list_options, print_table
from paas.entrypoints.cli.terminal import print_json, print_line

_BACKUP = click.argument("backup", metavar="BACKUP")


def backup_commands(wording: Wording) -> tuple[click.Command, ...]:
    """The commands of a kind."""
    return (
        _listing(wording),
        _info(wording),
        _capture(wording),
        _download(wording),
        _restore(wording),
        _delete(wording),
    )


def _listing(wording: Wording) -> click.Command:
    prefix, kind = wording.prefix, wording.kind

    @click.command(
        f"{prefix}:backups",
        help=f"""List the backups of an app's {kind.traits.product}, the newest first.

        Example: paas {prefix}:backups -a shop
        """,
    )
    @list_options
    def command(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
        name = session.app_name(app, name)
        found = session.services.dumps.listing(session.actor, name, kind)
        if as_json:
            print_json([_plain(one) for one in found])
            return
        if not found:
            session.terminal.detail(
                f"No backups yet. To make one: paas {prefix}:backups:capture -a {name}"
            )
        rows = [
            (
                one.name,
                one.datastore,
                _minute(one.started_at),
                one.user or "schedule",
                str(one.state),
                size_words(one.size_bytes) if one.size_bytes else "",
            )
            for one in reversed(found)
        ]
        columns = ("Name", wording.title, "Made (UTC)", "By", "State", "Size")
        print_table(columns, rows, flexible="By")
        _print_moments(session, name, kind)

    return command


def _print_moments(session: Session, name: str, kind: DatastoreKind) -> None:
    """To which moments each can be restored, for kinds with archives."""
    for shown in session.services.datastores.listing(session.actor, name):
        if shown.datastore.kind is not kind:
            continue
        restorable = session.services.archive_watch.restorable(shown.datastore)
        if restorable is not None:
            for label, text in restorable_rows(restorable, datetime.now(UTC)):
                session.terminal.detail(f"{shown.datastore.name}: {label.lower()} {text}")


def _info(wording: Wording) -> click.Command:
    prefix, kind = wording.prefix, wording.kind

    @click.command(
        f"{prefix}:backups:info",
        help=f"""Show a backup: when it was made, its size, where it is.

        Example: paas {prefix}:backups:info b012 -a shop
        """,
    )
    @_BACKUP
    @app_option
    @json_option
    @pass_session
    def command(session: Session, backup: str, app: str | None, as_json: bool) -> None:
        found = session.services.dumps.info(session.actor, session.app_name(app), backup, kind)
        if as_json:
            print_json(_plain(found))
            return
        rows = [
            ("Name", found.name),
            ("Of", f"{found.datastore}, {kind.traits.product} {found.version}"),
            ("State", f"{found.state}{f': {found.why}' if found.why else ''}"),
            ("Made", f"{_minute(found.started_at)} UTC by {found.user or 'schedule'}"),
            ("Ended", f"{_minute(found.ended_at)} UTC" if found.ended_at else "not yet"),
            ("Size", size_words(found.size_bytes)),
            ("Target", found.target),
            ("Object", found.object),
            ("SHA-256", found.sha256 or "none"),
        ]
        for label, text in rows:
            print_line(f"{label + ':':<9} {text}")

    return command


def _capture(wording: Wording) -> click.Command:
    @click.command(
        f"{wording.prefix}:backups:capture",
        help=f"""Back up an app's {wording.one} now; the backup counts once it has been read back.

        Example: paas {wording.prefix}:backups:capture -a shop
        """,
    )
    @NAME
    @app_option
    @pass_session
    def command(session: Session, datastore: str | None, app: str | None) -> None:
        made = session.services.dumps.capture(
            session.actor, session.app_name(app), datastore, wording.kind, session.terminal
        )
        session.terminal.step(
            f"Backed up {made.datastore} as {made.name}: {size_words(made.size_bytes)}, read back"
        )
        print_line(made.name)

    return command


def _download(wording: Wording) -> click.Command:
    prefix = wording.prefix

    @click.command(
        f"{prefix}:backups:download",
        help=f"""Print a backup, decrypted, {wording.kept}.

        Example: paas {prefix}:backups:download b012 -a shop > shop{wording.kept_end}
        """,
    )
    @_BACKUP
    @app_option
    @pass_session
    def command(session: Session, backup: str, app: str | None) -> None:
        refuse_terminal_output(
            f"paas {prefix}:backups:download {backup} > {backup}{wording.kept_end}"
        )
        session.services.dumps.download(
            session.actor, session.app_name(app), backup, wording.kind, print_dump
        )

    return command


def _restore(wording: Wording) -> click.Command:
    prefix, kind = wording.prefix, wording.kind

    @click.command(
        f"{prefix}:backups:restore",
        help=f"""Replace everything in a {wording.one} with the content of a backup.

        Example: paas {prefix}:backups:restore b012 -a shop --confirm {kind}-curly-1234
        """,
    )
    @_BACKUP
    @NAME
    @app_option
    @CONFIRM_NAME
    @pass_session
    def command(
        session: Session, backup: str, datastore: str | None, app: str | None, confirm: str | None
    ) -> None:
        session.services.dumps.restore(
            session.actor, session.app_name(app), backup, datastore, kind, confirm, session.terminal
        )

    return command


def _delete(wording: Wording) -> click.Command:
    prefix = wording.prefix

    @click.command(
        f"{prefix}:backups:delete",
        help=f"""Delete a backup, for good.

        Example: paas {prefix}:backups:delete b012 -a shop --confirm b012
        """,
    )
    @_BACKUP
    @app_option
    @click.option("--confirm", metavar="BACKUP", help="The backup's name, to confirm.")
    @pass_session
    def command(session: Session, backup: str, app: str | None, confirm: str | None) -> None:
        found = session.services.dumps.delete(
            session.actor, session.app_name(app), backup, wording.kind, confirm
        )
        session.terminal.step(f"Deleted {found.name}")

    return command


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _plain(dump: Dump) -> dict[str, object]:
    return {
        "name": dump.name,
        "datastore": dump.datastore,
        "version": dump.version,
        "state": str(dump.state),
        "user": dump.user,
        "started_at": dump.started_at.isoformat(),
        "ended_at": dump.ended_at.isoformat() if dump.ended_at else None,
        "size_bytes": dump.size_bytes,
        "sha256": dump.sha256,
        "target": dump.target,
        "object": dump.object,
        "why": dump.why,
    }
