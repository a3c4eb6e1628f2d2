"""backups:recover"""

from datetime import UTC

import click

from paas.domain.datastores.plans import PLANS
from paas.domain.values.errors import usage_error
from paas.domain.values.sizes import size_words
from paas.entrypoints.cli.archives import TO
from paas.entrypoints.cli.session import Session, app_option, json_option, pass_session
from paas.entrypoints.cli.tables import print_table
from paas.entrypoints.cli.terminal import print_json, print_line
from paas.services.datastores.archives.forks import Kept
from paas.services.datastores.archives.notes import Note
from paas.services.datastores.dumps.recovery import KeptDump


@click.command("backups:recover")
@click.argument("backup", required=False, metavar="[BACKUP]")
@app_option
@TO
@click.option("--plan", type=click.Choice(list(PLANS)), help="The plan, if not the same as before.")
@json_option
@pass_session
def recover(
    session: Session,
    backup: str | None,
    app: str | None,
    to: str | None,
    plan: str | None,
    as_json: bool,
) -> None:
    """List what the backup target contains, or create a datastore from it; for admins.

    Example: paas backups:recover postgresql-curly-1234.20261129T154200Z -a shop
    """
    if backup is None:
        _list(session, as_json=as_json)
        return
    name = session.app_name(app)
    chosen = PLANS[plan] if plan is not None else None
    if "/" not in backup:
        session.services.forks.recover(
            session.actor, name, backup, to, chosen, session.terminal, made=print_line
        )
        return
    if to is not None:
        raise usage_error(
            "arguments",
            f"{backup} is a backup of one moment; --to works only with archives.",
            f"Without it: paas backups:recover {backup} -a {name}",
        )
    session.services.dump_recovery.recover(
        session.actor, name, backup, chosen, session.terminal, made=print_line
    )


def _list(session: Session, *, as_json: bool) -> None:
    archives = session.services.forks.kept(session.actor)
    dumps = session.services.dump_recovery.kept(session.actor)
    if as_json:
        print_json([*map(_plain, archives), *map(_plain_dump, dumps)])
        return
    if not archives and not dumps:
        session.terminal.detail("The target is empty. See: paas backups:target")
    rows = [(str(one.name), _of(one.note), one.note.app, _state(one)) for one in archives]
    rows += [(str(one.name), _of(one.note), one.note.app, _dump_state(one)) for one in dumps]
    print_table(("Backup", "Of", "App", "State"), rows, flexible="State")


def _of(note: Note) -> str:
    return f"{note.kind.traits.product} {note.version}, {note.plan.name}".replace(" ,", ",")


def _state(one: Kept) -> str:
    if one.datastore is not None:
        return f"of {one.datastore}"
    if one.until is not None:
        return f"its datastore was destroyed; kept until {one.until.astimezone(UTC):%Y-%m-%d}"
    return "of another server, or of a former datastore"


def _dump_state(one: KeptDump) -> str:
    where = "of this server" if one.is_here else "not of a datastore that this server has"
    return f"{size_words(one.size_bytes)}, {where}"


def _plain(one: Kept) -> dict[str, object]:
    return {
        "name": one.name,
        **_plain_note(one.note),
        "datastore": one.datastore,
        "kept_until": one.until.isoformat() if one.until else None,
    }


def _plain_dump(one: KeptDump) -> dict[str, object]:
    return {
        "name": str(one.name),
        **_plain_note(one.note),
        "datastore": one.name.datastore if one.is_here else None,
        "kept_until": None,
    }


def _plain_note(note: Note) -> dict[str, object]:
    return {
        "app": note.app,
        "kind": str(note.kind),
        "version": note.version,
        "plan": note.plan.name,
    }
