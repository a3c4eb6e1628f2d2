"""BuildKit's cache: what builds leave for later ones, over all apps, and how much of it stays."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.disk_usage import disk_usage
from paas.domain.builds.cache_records import CacheRecord, Span, unused
from paas.settings import Settings

if TYPE_CHECKING:
    from docker import DockerClient

_ID = re.compile(r"[a-z0-9]{10,64}")


class BuildCache:
    """Of the server's own engine."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def keep(self, used: Sequence[Span]) -> int:
        """Delete what builds at none of these times used last, and what exceeds docker_cache_mib.

        Returns how many bytes were freed. What is in use, and what something else is made from,
        stays. Raises PaasError.
        """
        if not self._settings.paths.docker.exists():
            return 0
        most_bytes = self._settings.docker_cache_mib * 1024**2
        with docker_client(self._settings) as client:
            freed = sum(_prune(client, record.id) for record in unused(_records(client), used))
            return freed + _freed(client.api.prune_builds(keep_storage=most_bytes, all=True))


def _records(client: "DockerClient") -> Iterator[CacheRecord]:
    """Those that no build uses now."""
    for found in disk_usage(client).get("BuildCache") or ():
        if found.get("InUse") or not _ID.fullmatch(str(found.get("ID"))):
            continue
        made_at = datetime.fromisoformat(found["CreatedAt"])
        used = found.get("LastUsedAt")
        used_at = datetime.fromisoformat(used) if used else None
        yield CacheRecord(found["ID"], made_at, used_at, int(found.get("Size") or 0))


def _prune(client: "DockerClient", record_id: str) -> int:
    """Delete one record. The engine takes one id at a time, as a pattern."""
    return _freed(client.api.prune_builds(filters={"id": [record_id]}, all=True))


def _freed(answer: Mapping[str, Any]) -> int:
    return int(answer.get("SpaceReclaimed") or 0)
