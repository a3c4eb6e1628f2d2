"""What users had chosen of a datastore's settings, as a backup's note keeps it."""

from collections.abc import Mapping

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import Plan
from paas.domain.datastores.postgresql_settings import SETTINGS
from paas.domain.datastores.redis import POLICY, Policy


def allowed(kind: DatastoreKind, kept: Mapping[str, str], plan: Plan) -> dict[str, str]:
    """Those that a datastore of a kind and plan may have. Nothing of a note is trusted."""
    read = {name: _read(kind, name, value, plan) for name, value in kept.items()}
    return {name: value for name, value in read.items() if value is not None}


def _read(kind: DatastoreKind, name: str, value: str, plan: Plan) -> str | None:
    if kind is DatastoreKind.POSTGRESQL and name in SETTINGS:
        return SETTINGS[name].read(value, plan)
    is_policy = kind is DatastoreKind.REDIS and name == POLICY and value in {*Policy}
    return value if is_policy else None
