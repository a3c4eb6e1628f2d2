"""The trash: state/lost/ID holds a manifest, and below files/ what was moved, by its former path.

What is moved keeps its place in the tree (files/storage/7/3), so that it can be moved back by hand.
The manifest is written first, so a crash in between leaves nothing without one.
"""

import errno
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from paas.adapters.system import directories, files
from paas.domain.releases.releases import Instance
from paas.domain.routing.endpoints import LOOPBACK
from paas.domain.server.trash import TrashItem
from paas.domain.values.names import ProcessType
from paas.interfaces import Clock
from paas.settings import Settings

_GROUP = re.compile(r"([0-9]+)-v([0-9]+)-([0-9]+)")
_SPEC = re.compile(r"([0-9]+-v[0-9]+-[0-9]+)-([a-z0-9_-]+)\.([0-9]+)\.json", re.IGNORECASE)
_APP_ID = re.compile(r"([0-9]+)(?:[-.].*)?")
# Whose entries are named after apps: 7, 7.git, 7-1a2b3c4d.
_FOLDERS = ("git", "storage", "cache", "pages", "logs", "slugs", "dependencies", "builds", "certs")


class FileTrash:
    """`Trash` of interfaces."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._state = settings.state
        self._lost = settings.paths.trash
        self._clock = clock

    def app_ids(self) -> set[int]:
        found = (_APP_ID.fullmatch(path.name) for path in self._entries(*_FOLDERS))
        return {int(match[1]) for match in found if match}

    def move_app(self, app_id: int, why: str) -> int:
        own = [path for path in self._entries(*_FOLDERS) if _is_of(path, app_id)]
        outputs = self._entries("logs/builds", "logs/releases")
        own += [path for path in outputs if path.name.startswith(f"{app_id}-")]
        return self._move(f"app {app_id}", own, why)

    def move_slug(self, slug_id: str, why: str) -> int:
        own = [self._state / folder / slug_id for folder in ("slugs", "builds")]
        return self._move(f"slug {slug_id}", own, why)

    def move_storage(self, app_id: int, storage_id: int, why: str) -> int:
        path = self._settings.paths.storage / str(app_id) / str(storage_id)
        return self._move(f"storage directory {storage_id} of app {app_id}", [path], why)

    def move_certificate(self, id: str, why: str) -> int:
        return self._move(f"certificate {id}", [self._settings.paths.certificates / id], why)

    def move_store(self, why: str) -> int:
        names = ("state.db", "state.db-wal", "state.db-shm", "store.damaged")
        return self._move("the database", [self._state / name for name in names], why)

    def copy_store(self, why: str) -> int:
        latest = self._settings.paths.latest_copy
        if not latest.is_file():
            return 0
        folder = self._new("the latest copy of the database", [latest], why)
        os.link(latest, self._target(folder, latest))  # it is replaced, never written to
        return 1

    def copy_group(self, group: str, why: str) -> int:
        return self._copy(f"instances {group}", self._files_of(group), why)

    def copy_site(self, app_id: int, why: str) -> int:
        found = [
            path
            for path in self._entries("nginx/sites", "haproxy/sites")
            if path.name.partition(".")[0] == str(app_id)
        ]
        return self._copy(f"site of app {app_id}", found, why)

    def groups(self) -> set[str]:
        specs = (_SPEC.fullmatch(path.name) for path in self._specs())
        confs = {path.stem for path in self._settings.paths.programs.glob("*.conf")}
        return {match[1] for match in specs if match} | {x for x in confs if _GROUP.fullmatch(x)}

    def running(self, group: str, rollout_id: int | None) -> list[Instance]:
        match = _GROUP.fullmatch(group)
        if match is None:
            return []
        app_id, version, own = (int(word) for word in match.groups())
        found = []
        for path in self._specs():
            spec = _SPEC.fullmatch(path.name)
            if spec is not None and spec[1] == group:
                kind, number = ProcessType(spec[2]), int(spec[3])
                known = files.read_json(path) or {}
                port, address = _port(known), str(known.get("address", LOOPBACK))
                found.append(
                    Instance(app_id, version, own, kind, number, port, rollout_id, address)
                )
        return found

    def listing(self) -> list[TrashItem]:
        found = []
        for folder in sorted(self._lost.glob("*")):
            manifest = files.read_json(folder / "manifest.json")
            if manifest is not None and (folder / "files").is_dir():
                found.append(_lost(folder.name, manifest))
        return found

    def size_bytes(self) -> int:
        return directories.size_bytes(self._lost)

    def empty(self) -> int:
        count = len(self.listing())
        for folder in self._lost.glob("*"):
            directories.remove(folder)
        return count

    def _entries(self, *folders: str) -> Iterator[Path]:
        for folder in folders:
            with suppress(FileNotFoundError):
                yield from sorted((self._state / folder).iterdir())

    def _specs(self) -> list[Path]:
        return sorted(self._settings.paths.specs.glob("*.json"))

    def _files_of(self, group: str) -> list[Path]:
        specs = [(path, _SPEC.fullmatch(path.name)) for path in self._specs()]
        own = [path for path, match in specs if match and match[1] == group]
        return [*own, self._settings.paths.programs / f"{group}.conf"]

    def _in_use(self) -> set[Path]:
        """What launch specs name: an instance may be started from it at any time."""
        found: set[Path] = set()
        for path in self._specs():
            spec: Any = files.read_json(path) or {}
            found.add(Path(str(spec.get("slug"))))
            with suppress(TypeError, KeyError):
                found |= {Path(bind["source"]) for bind in spec.get("binds", ())}
        return found

    def _move(self, what: str, paths: Iterable[Path], why: str) -> int:
        there = [path for path in paths if path.exists() or path.is_symlink()]
        in_use = self._in_use() if there else set()
        there = [path for path in there if not any(used.is_relative_to(path) for used in in_use)]
        if not there:
            return 0
        folder = self._new(what, there, why)
        moved = 0
        for path in there:
            target = self._target(folder, path)
            try:
                path.rename(target)
            except OSError as error:
                # Another file system, or gone meanwhile: what cannot be moved stays.
                if error.errno not in {errno.EXDEV, errno.ENOENT, errno.EBUSY}:
                    raise
            else:
                moved += 1
                files.sync_directory(target.parent)
        if not moved:
            directories.remove(folder)
        return min(moved, 1)

    def _copy(self, what: str, paths: Iterable[Path], why: str) -> int:
        there = [path for path in paths if path.is_file()]
        if not there:
            return 0
        folder = self._new(what, there, why)
        for path in there:
            content = files.read_bytes(path)
            files.write_atomic(self._target(folder, path), content or b"", mode=0o600)
        return 1

    def _new(self, what: str, paths: list[Path], why: str) -> Path:
        now = self._clock.now().astimezone(UTC)
        files.make_directory(self._lost, mode=0o700)
        folder = self._lost / f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        files.make_directory(folder, mode=0o700)
        manifest = {
            "what": what,
            "whence": [str(path) for path in paths],
            "at": now.isoformat(),
            "why": why,
        }
        files.write_atomic(folder / "manifest.json", json.dumps(manifest, indent=1), mode=0o600)
        files.make_directory(folder / "files", mode=0o700)
        return folder

    def _target(self, folder: Path, path: Path) -> Path:
        root_of_files = folder / "files"
        for root, name in ((self._state, ""), (self._settings.run, "run")):
            if path.is_relative_to(root):
                target = root_of_files / name / path.relative_to(root)
                break
        else:
            target = root_of_files / path.name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return target


def _is_of(path: Path, app_id: int) -> bool:
    match = _APP_ID.fullmatch(path.name)
    return match is not None and int(match[1]) == app_id


def _port(spec: dict[str, Any]) -> int | None:
    try:
        return int(spec["env"]["PORT"])
    except (KeyError, TypeError, ValueError):
        return None


def _lost(id: str, manifest: dict[str, Any]) -> TrashItem:
    """A manifest, as far as it can be read."""
    origins = manifest.get("whence")
    parts = tuple(map(str, origins)) if isinstance(origins, list) else ()
    try:
        at = datetime.fromisoformat(str(manifest.get("at")))
    except ValueError:
        at = datetime.fromtimestamp(0, UTC)
    return TrashItem(id, str(manifest.get("what")), parts, at, str(manifest.get("why")))
