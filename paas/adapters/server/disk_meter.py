"""Measures the disk usage of apps with du: links are not followed, holes do not count."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from paas.adapters.system import directories
from paas.domain.server.disk_usage import PARTS, DiskUsage
from paas.paths import Paths

# The repository, and the copy that becomes a repository.
_GIT = (".git", ".new")


class DiskMeter:
    """`Disk` of interfaces."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def usage(self, app_ids: Sequence[int]) -> dict[int, DiskUsage]:
        found: dict[int, dict[str, int]] = {id: dict.fromkeys(PARTS, 0) for id in app_ids}
        # In the order of the parts: du counts a file with several names in the first directory.
        places = {path: (id, part) for part in PARTS for id, path in self._places(part, app_ids)}
        for path, size_bytes in directories.sizes(places).items():
            id, part = places[path]
            found[id][part] += size_bytes
        return {id: DiskUsage(**parts) for id, parts in found.items()}

    def trash_bytes(self) -> int:
        return directories.size_bytes(self._paths.trash)

    def space(self) -> tuple[int, int]:
        found = os.statvfs(self._paths.state)
        return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize

    def _places(self, part: str, app_ids: Sequence[int]) -> Iterator[tuple[int, Path]]:
        """The files and directories of each app that belong to this part."""
        paths = self._paths
        match part:
            case "storage" | "cache":
                parent = paths.storage if part == "storage" else paths.cache
                yield from ((id, parent / str(id)) for id in app_ids)
            case "repository":
                yield from ((id, paths.git / f"{id}{end}") for id in app_ids for end in _GIT)
            case "slugs":
                yield from _named(app_ids, paths.slugs, paths.builds)
            case _:
                yield from ((id, paths.logs / str(id)) for id in app_ids)
                yield from _named(app_ids, paths.logs / "builds", paths.logs / "releases")


def _named(app_ids: Iterable[int], *folders: Path) -> Iterator[tuple[int, Path]]:
    """Entries whose names begin with an app's id and a dash."""
    by_app: dict[str, list[Path]] = defaultdict(list)
    for folder in folders:
        try:
            found = [*folder.iterdir()]
        except FileNotFoundError:
            continue
        for path in found:
            by_app[path.name.partition("-")[0]].append(path)
    for id in app_ids:
        yield from ((id, path) for path in sorted(by_app.get(str(id), ())))
