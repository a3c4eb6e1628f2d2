"""How far the audit drain has come, and whether it fails: a small file, so that a restart knows."""

import json
from contextlib import suppress
from pathlib import Path

from paas.adapters.audit.files import START_PLACE, Place
from paas.adapters.system.files import read_json, write_atomic
from paas.domain.server.findings import Finding
from paas.domain.values.errors import PaasError
from paas.settings import Settings


def read_place(path: Path, target: str) -> Place:
    """Up to where that receiver has the lines; the beginning, if the file tells of another one."""
    with suppress(PaasError, OSError):
        match read_json(path):
            case {"target": found, "file": str() as file, "offset": int() as offset}:
                return Place(file, offset) if found == target else START_PLACE
    return START_PLACE


def record(path: Path, target: str, place: Place, failing: str = "") -> None:
    """failing: why the receiver accepts nothing. A full disk must not stop the drain."""
    plain = {"target": target, "file": place.file, "offset": place.offset, "failing": failing}
    with suppress(PaasError, OSError):
        write_atomic(path, json.dumps(plain), mode=0o600)


def findings(settings: Settings) -> list[Finding]:
    """What doctor reports of a drain that fails."""
    found = None
    with suppress(PaasError, OSError):
        found = read_json(settings.paths.audit_drain) if settings.audit_drain else None
    failing = found.get("failing") if found is not None else None
    if not failing:
        return []
    message = f"The drain of the audit trail accepts nothing: {failing}. Its lines wait."
    command = f"tail {settings.paths.logs / 'drains.log'}"
    return [Finding(check="audit-drain", message=message, command=command, grave=False)]
