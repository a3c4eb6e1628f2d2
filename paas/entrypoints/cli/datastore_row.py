"""What server:status shows about datastores: one row."""

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.values.sizes import size_words
from paas.services.datastores.overview import Overview

_LISTS = (
    ("not_running", "not running"),
    ("not_answering", "not answering"),
    ("without_backup", "without a recent backup"),
)


def datastore_row(found: Overview) -> tuple[str, str] | None:
    """``2 PostgreSQL, 1 Redis; 1.2 GiB, backups 300 MiB; not running: redis-...``; None without
    any.
    """
    counts = [
        f"{count} {DatastoreKind(kind).traits.product}"
        for kind, count in found.kinds.items()
        if count
    ]
    if not counts:
        return None
    parts = [
        ", ".join(counts),
        f"{size_words(found.disk_bytes)}, backups {size_words(found.backups_bytes)}",
    ]
    for name, words in _LISTS:
        if names := getattr(found, name):
            parts.append(f"{words}: {', '.join(names)}")
    return "Datastores:", "; ".join(parts)
