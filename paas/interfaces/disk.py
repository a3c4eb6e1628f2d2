"""The disk that holds the platform's data."""

from collections.abc import Sequence
from typing import Protocol

from paas.domain.server.disk_usage import DiskUsage


class Disk(Protocol):
    """Measures disk usage; changes nothing."""

    def usage(self, app_ids: Sequence[int]) -> dict[int, DiskUsage]:
        """The disk usage of each of these apps; 0 for missing parts. Apps may be writing meanwhile.

        Raises PaasError if it takes longer than 10 minutes.
        """

    def trash_bytes(self) -> int:
        """The size of the trash in bytes."""

    def space(self) -> tuple[int, int]:
        """How many bytes are free for apps, and how many there are."""
