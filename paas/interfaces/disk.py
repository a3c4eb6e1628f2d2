"""The disk that holds the platform's data."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from paas.domain.server.disk_usage import DiskUsage


class Disk(Protocol):
    """Measures disk usage; changes nothing of it."""

    def usage(
        self,
        app_ids: Sequence[int],
        slugs: Mapping[str, int] = MappingProxyType({}),
        *,
        datastores: Mapping[int, int],
    ) -> dict[int, DiskUsage]:
        """The disk usage of each of these apps; 0 for missing parts. Apps may be writing meanwhile.

        slugs: the sizes of slugs in bytes, by id, which are then not measured again; files that
        they share with others (hard links) count more than once. datastores: the apps that
        datastores belong to, by the ids of the datastores. Raises PaasError if it takes longer than
        10 minutes.
        """

    def last_total(self, app_id: int) -> int | None:
        """What an app used when it was last measured, in bytes; None if that is not known."""

    def forget(self, app_id: int) -> None:
        """Forget what an app used that is gone."""

    def trash_bytes(self) -> int:
        """The size of the trash in bytes."""

    def datastore_bytes(self) -> tuple[int, int]:
        """The size of all datastores, and of the backups on this server, in bytes."""

    def space(self) -> tuple[int, int]:
        """How many bytes are free for apps, and how many there are."""
