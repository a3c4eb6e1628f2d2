"""Measures the disk usage of apps with du: links are not followed, holes do not count."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from paas.adapters.builds.dependencies import known_size
from paas.adapters.system import directories, files
from paas.domain.server.disk_usage import PARTS, DiskUsage
from paas.domain.values.errors import PaasError
from paas.paths import Paths

# The repository, and the copy that becomes a repository.
_GIT = (".git", ".new")


class DiskMeter:
    """`Disk` of interfaces."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def usage(
        self,
        app_ids: Sequence[int],
        slugs: Mapping[str, int] = MappingProxyType({}),
        *,
        datastores: Mapping[int, int],
    ) -> dict[int, DiskUsage]:
        found: dict[int, dict[str, int]] = {id: dict.fromkeys(PARTS, 0) for id in app_ids}
        # In the order of the parts: du counts a file with several names in the first directory.
        places = {path: (id, part) for part in PARTS for id, path in self._places(part, app_ids)}
        for datastore_id, owner in datastores.items():
            if owner in found:
                places[self._paths.datastores / str(datastore_id)] = owner, "datastores"
        sizes = {path: slugs[path.name] for path in places if self._is_slug(path, slugs)}
        sizes |= self._known_layers(places)
        sizes |= directories.sizes(path for path in places if path not in sizes)
        for path, size_bytes in sizes.items():
            id, part = places[path]
            found[id][part] += size_bytes
        usage = {id: DiskUsage(**parts) for id, parts in found.items()}
        self._note({id: used.total for id, used in usage.items()})
        return usage

    def last_total(self, app_id: int) -> int | None:
        try:
            return int((self._paths.disk_usage / str(app_id)).read_text())
        except FileNotFoundError:
            return None

    def forget(self, app_id: int) -> None:
        (self._paths.disk_usage / str(app_id)).unlink(missing_ok=True)

    def trash_bytes(self) -> int:
        return directories.size_bytes(self._paths.trash)

    def datastore_bytes(self) -> tuple[int, int]:
        paths = (self._paths.datastores, self._paths.backups)
        sizes = directories.sizes(paths)
        return sizes.get(paths[0], 0), sizes.get(paths[1], 0)

    def space(self) -> tuple[int, int]:
        found = os.statvfs(self._paths.state)
        return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize

    def _is_slug(self, path: Path, slugs: Mapping[str, int]) -> bool:
        return path.parent == self._paths.slugs and path.name in slugs

    def _known_layers(self, places: Iterable[Path]) -> dict[Path, int]:
        root = self._paths.dependencies
        layers = {path: known_size(path) for path in places if path.parent.parent == root}
        return {path: size for path, size in layers.items() if size is not None}

    def _note(self, totals: Mapping[int, int]) -> None:
        """Keep them for `last_total`; on a full disk they are not known."""
        with suppress(PaasError):
            files.make_directory(self._paths.disk_usage, mode=0o700)
            for id, total in totals.items():
                path = self._paths.disk_usage / str(id)
                files.write_atomic(path, str(total), durable=False)

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
                for id in app_ids:
                    yield from ((id, one) for one in (paths.dependencies / str(id)).glob("*"))
            case "logs":
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
