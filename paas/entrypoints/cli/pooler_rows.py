"""What addons:info and pg:info show about a datastore's connection pooler."""

from typing import Any

from paas.domain.datastores.datastores import Datastore
from paas.entrypoints.cli.session import Session


def pooler_rows(session: Session, one: Datastore) -> list[tuple[str, str]]:
    """Its rows; none without a pooler."""
    found = session.services.pooling.shown(one)
    if found is None:
        return []
    pooler, answers = found
    words = f"{pooler.connections} connections, for up to {pooler.clients} clients"
    return [("Pooler", words if answers else f"{words}; it does not answer")]


def pooler_json(session: Session, one: Datastore) -> dict[str, Any]:
    """The same for programs."""
    found = session.services.pooling.shown(one)
    if found is None:
        return {}
    pooler, answers = found
    return {
        "pooler": {
            "connections": pooler.connections,
            "clients": pooler.clients,
            "answers": answers,
        }
    }
