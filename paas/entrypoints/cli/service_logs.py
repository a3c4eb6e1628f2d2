"""logs --service: the log of a datastore's own server"""

import json

from paas.domain.people.permissions import Permission
from paas.domain.values.names import printable
from paas.entrypoints.cli.session import Session
from paas.entrypoints.cli.terminal import print_line
from paas.entrypoints.cli.waiting import waiting


def show(
    session: Session, app: str, service: str, count: int, *, tail: bool, as_json: bool
) -> None:
    """Print its last lines; with tail, follow it."""
    found = session.services.datastores.info(session.actor, app, service, None).datastore
    logs = session.services.datastore_logs

    def print_all(lines: list[str]) -> None:
        if lines:
            shown = (json.dumps({"service": found.name, "text": line}) for line in lines)
            print_line("\n".join(shown if as_json else map(printable, lines)))

    if not tail:
        print_all(logs.tail(found, count))
        return
    with waiting(session, app, Permission.VIEW) as stop:
        for lines in logs.follow(found, count, stop):
            print_all(lines)
