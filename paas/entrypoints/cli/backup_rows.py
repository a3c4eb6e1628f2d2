"""What addons:info and pg:info show about a datastore's backups."""

from paas.domain.backups.targets import LocalTarget
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.dumps import Dump, Dumped
from paas.domain.values.errors import PaasError
from paas.domain.values.sizes import size_words
from paas.entrypoints.cli.session import Session


def backup_rows(session: Session, one: Dumped) -> list[tuple[str, str]]:
    """When it is backed up, its last backup, and warnings for its users."""
    if isinstance(one, Datastore) and one.leader is not None:
        return [("Backups", f"those of its leader, {one.leader.name}")]
    status = session.services.dump_schedules.status(one)
    when = f"daily at {status.schedule.words}" if status.schedule else "not scheduled"
    rows = [("Backups", when), ("Last backup", _last(status.last))]
    if status.overdue is not None:
        rows.append(("Warning", f"no good backup since {status.overdue:%Y-%m-%d %H:%M} UTC"))
    try:
        state = session.services.backups.seen_by_users()
    except PaasError as error:  # their settings or key are damaged
        return [*rows, ("Warning", error.summary)]
    if isinstance(state.target, LocalTarget) and state.target.directory is None:
        rows.append(("Warning", "backups are only on this server's disk: paas backups:target"))
    if state.saved_at is None:
        rows.append(("Warning", "an admin should save the backups' key: paas backups:key"))
    return rows


def _last(dump: Dump | None) -> str:
    if dump is None:
        return "none yet"
    size = size_words(dump.size_bytes)
    return f"{dump.name}, {dump.started_at:%Y-%m-%d %H:%M} UTC, {size}, in {dump.target}"
