"""Opens the client of a datastore, such as psql, for the commands of each kind."""

import os

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.people.permissions import Permission
from paas.entrypoints.cli.session import Session
from paas.entrypoints.cli.waiting import waiting


def open_client(
    session: Session, app: str | None, wanted: str | None, kind: DatastoreKind, sql: str | None
) -> None:
    """Run it on a datastore of an app until it ends; the command exits with its status.

    sql: run this instead of reading statements.
    """
    name = session.app_name(app)
    terminal = None
    if sql is None and os.isatty(0) and os.isatty(1):
        terminal = session.env.get("TERM", "")
    with waiting(session, name, Permission.OPERATE):
        session.status = session.services.datastore_sessions.run(
            session.actor,
            name,
            wanted,
            kind,
            sql,
            terminal=terminal,
            caller=session.caller,
            progress=session.terminal,
        )
