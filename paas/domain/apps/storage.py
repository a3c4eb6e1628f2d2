"""Directories of an app that outlive its instances and releases."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import shown

STORAGE_MAX = 10
_PATH = re.compile(r"/app(?:/[A-Za-z0-9._@+=,~-]{1,100}){1,10}")


@dataclass(frozen=True, slots=True)
class Storage:
    """One directory. id: unique on the server; path: where the app's processes find it."""

    id: int
    path: str


def storage_path(text: str, present: Sequence[Storage]) -> str:
    """Validate a new one's path: below /app, and neither inside nor around another one."""
    path = text.removesuffix("/")
    parts = path.split("/")
    if _PATH.fullmatch(path) is None or {".", ".."} & set(parts):
        raise usage_error(
            "storage-path",
            f"{shown(text)} cannot be a storage directory: it must be an absolute path below /app, "
            "of letters, digits and the signs . _ @ + = , ~ -",
            "paas storage:add /app/data",
        )
    for other in present:
        if f"{path}/".startswith(f"{other.path}/") or f"{other.path}/".startswith(f"{path}/"):
            raise PaasError(
                "storage-taken",
                f"{path} overlaps with the storage directory {other.path}.",
                "paas storage",
            )
    if len(present) >= STORAGE_MAX:
        raise PaasError("storage-many", f"An app has at most {STORAGE_MAX} storage directories.")
    return path
