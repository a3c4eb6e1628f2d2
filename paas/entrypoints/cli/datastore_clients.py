"""Opens the client of a datastore, psql and its like: for the commands of each kind."""

import os

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.people.permissions import Permission
from paas.entrypoints.cli.session import Session
from paas.entrypoints.cli.waiting import waiting


def open_client(
    session: Session, app: str | None, wanted: str | None, kind: DatastoreKind, sql: str | None
) -> None:
    """Run it until it ends, on a datastore of an app; its exit status becomes the command's.

    sql: run instead of reading some.
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
