"""pg:backups, pg:backups:capture, and the same of the other kinds"""

from paas.domain.datastores.dumps import Dump
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.people.permissions import Permission
from paas.entrypoints.operations.call import Call, Run


def listing(kind: DatastoreKind) -> Run:
    """The operation that lists the dumps of an app's datastores of a kind."""

    def run(call: Call, *, app: str) -> list[dict[str, object]]:
        """In the order of their creation."""
        return [_plain(one) for one in call.services.dumps.listing(call.actor, app, kind)]

    return run


def capture(kind: DatastoreKind) -> Run:
    """The operation that dumps a datastore of a kind."""

    def run(call: Call, *, app: str, datastore: str) -> dict[str, object]:
        """The answer does not wait for the end, which the dump tells."""
        call.services.apps.find(call.actor, app, to=Permission.CONFIGURE)
        made = call.services.dumps.capture(
            call.actor,
            app,
            datastore,
            kind,
            call.progress,
            begun=lambda dump: call.answer(_plain(dump)),
        )
        return _plain(made)

    return run


def _plain(dump: Dump) -> dict[str, object]:
    return {
        "id": dump.id,
        "name": dump.name,
        "app": dump.app_id,
        "datastore": dump.datastore,
        "state": str(dump.state),
        "by_hand": dump.user is not None,
        "started_at": dump.started_at.isoformat(),
        "ended_at": dump.ended_at.isoformat() if dump.ended_at is not None else None,
        "size_bytes": dump.size_bytes,
        "why": dump.why,
    }
