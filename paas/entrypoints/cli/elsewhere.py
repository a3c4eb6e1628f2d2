"""What the commands of several kinds print about a database elsewhere; never its URL."""

from collections.abc import Sequence
from typing import Any

from paas.domain.datastores.external import External
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.names import variable
from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.backup_rows import backup_rows
from paas.entrypoints.cli.session import Session
from paas.entrypoints.cli.tables import print_rows
from paas.entrypoints.cli.terminal import print_json


def show_external(session: Session, app: str, one: External, *, as_json: bool) -> None:
    """Print what is known about one that an app has attached."""
    listed = session.services.externals.listing(session.actor, app)
    names = next(names for found, names in listed if found.name == one.name)
    if as_json:
        print_json(plain_external(one, names, app))
        return
    tls = "with TLS" if one.facts.encrypted else "without TLS"
    print_rows(
        [
            ("Name", one.name),
            ("App", app),
            ("Attached as", ", ".join(variable(AttachmentName(name)) for name in names)),
            ("Version", f"{one.facts.words(one.kind)}, when it was checked"),
            ("Host", f"{one.parsed.host}, {tls}"),
            ("Attached", f"{one.created_at:%Y-%m-%d %H:%M} UTC"),
            *_backup_rows(session, one),
        ]
    )


def _backup_rows(session: Session, one: External) -> list[tuple[str, str]]:
    if one.kind not in session.services.captures.sources.external_dumps:
        return [("Backups", "none by this server")]
    status = session.services.dump_schedules.status(one)
    if status.schedule is None and status.last is None:
        command = f"paas {one.kind.traits.prefix}:backups:schedule {one.name} --at '02:00 UTC'"
        return [("Backups", f"none by this server: {command}")]
    return backup_rows(session, one)


def refuse_to_print(session: Session, app: str, wanted: str | None, kind: DatastoreKind) -> None:
    """Raises PaasError if this would print the URL of a database elsewhere."""
    elsewhere = session.services.externals.chosen(session.actor, app, wanted, kind)
    if elsewhere is not None:
        raise usage_error(
            "external",
            f"{elsewhere.name} is a database elsewhere, whose URL is not printed.",
            f"Those who may see the config can find it there: paas config -a {app}",
        )


def plain_external(one: External, names: Sequence[str], app: str) -> dict[str, Any]:
    """A database elsewhere as JSON; only the host of its URL."""
    return {
        "name": one.name,
        "kind": str(one.kind),
        "version": one.facts.version,
        "plan": "external",
        "state": "external",
        "app": app,
        "attachments": list(names),
        "created_at": one.created_at.isoformat(),
        "host": one.parsed.host,
        "tls": one.facts.encrypted,
    }
