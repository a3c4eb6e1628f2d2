"""How much disk space an app uses, by kind of data."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """Bytes on the disk. slugs: with builds in progress. logs: with the output of builds.

    datastores: of those that belong to the app, whichever apps they are attached to.

    A file with several names (hard links) counts once, for the first of these that has it.
    """

    storage: int = 0
    repository: int = 0
    slugs: int = 0
    cache: int = 0
    logs: int = 0
    datastores: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return sum(getattr(self, part.name) for part in fields(self))


PARTS = tuple(part.name for part in fields(DiskUsage))
