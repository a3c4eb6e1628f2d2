"""The disk that holds the platform's data."""

from collections.abc import Sequence
from typing import Protocol

from paas.domain.server.disk_usage import DiskUsage


class Disk(Protocol):
    """Measures what there is; nothing is changed."""

    def usage(self, app_ids: Sequence[int]) -> dict[int, DiskUsage]:
        """What each of these apps has; nothing counts as 0. Apps may be writing meanwhile.

        Raises PaasError if it takes longer than 10 minutes.
        """

    def trash_bytes(self) -> int:
        """What the trash has."""

    def space(self) -> tuple[int, int]:
        """How many bytes are free for apps, and how many there are."""
