"""pg:fork, pg:rehearse, and what the monitor calls"""

from datetime import datetime

import click

from paas.domain.datastores.archives import Outcome
from paas.domain.datastores.names import attachment_name
from paas.domain.values.errors import PaasError
from paas.entrypoints.cli.session import Session, app_option, pass_session
from paas.entrypoints.cli.terminal import print_line
from paas.services.access import require_server
from paas.services.datastores.archives.watch import Restorable, rehearsal_words

TO = click.option("--to", metavar="TIME", help="A time in UTC, or relative: '10 min ago'.")


@click.command("pg:fork")
@click.argument("datastore", required=False, metavar="[NAME]")
@app_option
@TO
@click.option("--as", "wanted", metavar="NAME", help="The attachment's name: STATS.")
@pass_session
def fork(
    session: Session, datastore: str | None, app: str | None, to: str | None, wanted: str | None
) -> None:
    """Create a datastore from an app's PostgreSQL as of a time, by default now.

    Example: paas pg:fork -a shop --to '2026-11-29 14:05'
    """
    chosen = attachment_name(wanted) if wanted is not None else None
    session.services.forks.fork(
        session.actor,
        session.app_name(app),
        datastore,
        to,
        chosen,
        session.terminal,
        made=print_line,
    )


@click.command("pg:rehearse")
@click.argument("datastore", required=False, metavar="[NAME]")
@app_option
@pass_session
def rehearse(session: Session, datastore: str | None, app: str | None) -> None:
    """Restore the backup of an app's PostgreSQL to a copy, check the copy, and delete it.

    Example: paas pg:rehearse -a shop
    """
    run = session.services.archive_jobs.rehearse(
        session.actor, session.app_name(app), datastore, session.terminal
    )
    if run.outcome is not Outcome.DONE:
        raise PaasError(
            "rehearsal-failed",
            f"The rehearsal was {run.outcome}: {run.words}",
            "Whatever was restored is deleted again; the datastore is as it was.",
        )
    took_s = (run.ended - run.started).total_seconds()
    session.terminal.step(f"Restored in {took_s:.0f} s; the copy matches the original: {run.words}")


def due(session: Session) -> None:
    """Make the backups and rehearsals that are due; called by the monitor."""
    require_server(session.actor)
    session.services.archive_jobs.run_due(session.terminal)


def restorable_rows(found: Restorable, now: datetime) -> list[tuple[str, str]]:
    """What `pg:info` shows about it."""
    if found.lack is not None:
        return [("Restorable", f"no: {found.lack}")]
    if found.since is None or found.to is None:
        return [("Restorable", "not yet: the first backup is made within minutes")]
    ago_s = max(0, round((now - found.to).total_seconds()))
    return [
        (
            "Restorable",
            f"to {_ago(ago_s)} ago, back to {found.since:%Y-%m-%d %H:%M:%S} UTC",
        ),
        ("Rehearsed", rehearsal_words(found.rehearsed)),
        *(("Attention", words) for words in found.alarms),
    ]


def restorable_json(found: Restorable) -> dict[str, object]:
    """The same as JSON."""
    return {
        "restorable_from": found.since.isoformat() if found.since else None,
        "restorable_to": found.to.isoformat() if found.to else None,
        "rehearsed_at": found.rehearsed.ended.isoformat() if found.rehearsed else None,
        "rehearsal": str(found.rehearsed.outcome) if found.rehearsed else None,
        "backups_in": found.where or None,
        "backup_key_saved": found.key_saved,
        "alarms": list(found.alarms),
    }


def _ago(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7_200 else f"{seconds // 3_600} h"
