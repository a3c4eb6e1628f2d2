"""Dependencies that the slugs of an app share: state/dependencies/APP/NAME.

A layer is what a build installed (``files/.venv``), for the builds and slugs that need the same:
``key`` says what that is, as the buildpack wrote it, and ``size`` how much it takes. It is taken
from the build's tree by rename, when no process of the build is left, and is complete from the
rename to its name on. Its parents belong to root, and it is never shown writable, so nothing can
change it any more. NAME is the id of the build that made it.
"""

import os
import stat
from collections.abc import Collection
from pathlib import Path

from paas.adapters.builds.untrusted import discard, read_plain_file
from paas.adapters.system import directories, files
from paas.domain.releases.launch_spec import Bind
from paas.paths import Paths

FOLDER = ".venv"
# Where a build sees the newest layer, or an empty directory; and, in its cache, what it offers.
IN_SANDBOX = "/tmp/paas/dependencies"  # noqa: S108 - in the sandbox's own /tmp
OFFER = "dependencies-key"
KEY_MAX_BYTES = 65_536
_FILES, _KEY, _SIZE = "files", "key", "size"


class DependencyLayers:
    """The layers of all apps. Whoever changes those of an app holds the app's lock."""

    def __init__(self, paths: Paths) -> None:
        self._root = paths.dependencies

    def files(self, app_id: int, name: str) -> Path:
        """What belongs below /app."""
        return self._room(app_id) / name / _FILES

    def newest(self, app_id: int) -> Path | None:
        """The layer that the next build may use."""
        whole = [path for path in self._all(app_id) if path.name[0] != "." and _is_whole(path)]
        return whole[-1] if whole else None

    def show(self, layer: Path | None, room: Path) -> Bind:
        """How a build sees it. room: where a directory may be made that stands for none."""
        if layer is None:
            layer = room / "no-dependencies"
            files.make_directory(layer, mode=0o755)
        return Bind(str(layer), IN_SANDBOX)

    def clear_offer(self, cache: Path) -> None:
        """That of an earlier build must not be taken for this one's."""
        discard(cache / OFFER)

    def take(self, app_id: int, tree: Path, cache: Path, shown: Path | None) -> str | None:
        """The name of the layer that a finished build needs; the tree has no part of it then.

        shown: the layer that the build could use. None: the tree has all that it needs.
        """
        venv = tree / FOLDER
        try:
            found = venv.lstat()
        except OSError:
            return None
        if stat.S_ISLNK(found.st_mode):
            target = os.readlink(venv)  # noqa: PTH115 - as it is, not normalized
            if shown is None or target != f"{IN_SANDBOX}/{_FILES}/{FOLDER}":
                return None
            venv.unlink()
            return shown.name
        key = read_plain_file(cache, OFFER, KEY_MAX_BYTES + 1)
        if not stat.S_ISDIR(found.st_mode) or not key or len(key) > KEY_MAX_BYTES:
            return None
        self._seal(app_id, venv, tree.name, key)
        return tree.name

    def _seal(self, app_id: int, venv: Path, name: str, key: bytes) -> None:
        room = self._room(app_id)
        files.make_directory(room, mode=0o711)
        new = room / f".{name}"
        files.make_directory(new, mode=0o755)
        files.make_directory(new / _FILES, mode=0o755)
        venv.rename(new / _FILES / FOLDER)
        size_bytes = directories.size_bytes(new)
        files.write_atomic(new / _SIZE, str(size_bytes), durable=False)
        files.write_atomic(new / _KEY, key, mode=0o644, durable=False)
        new.rename(room / name)

    def sizes(self, app_id: int) -> dict[str, int]:
        """How many bytes each takes, by name."""
        return {path.name: known_size(path) or 0 for path in self._all(app_id)}

    def remove_unused(self, app_id: int, unused: Collection[str]) -> None:
        """Remove these, but for the one that the next build may use, and what is unfinished."""
        newest = self.newest(app_id)
        for path in self._all(app_id):
            if path.name[0] == "." or (path.name in unused and path != newest):
                directories.remove(path)

    def forget_keys(self, app_id: int) -> None:
        """Have the next build install everything again."""
        for path in self._all(app_id):
            files.remove(path / _KEY)

    def remove(self, app_id: int) -> None:
        """Those of an app that is gone."""
        directories.remove(self._room(app_id))

    def _all(self, app_id: int) -> list[Path]:
        """Including those that a crash left unfinished."""
        return sorted(self._room(app_id).glob("*"))

    def _room(self, app_id: int) -> Path:
        return self._root / str(app_id)


def _is_whole(layer: Path) -> bool:
    """Whether a build can use it: also where somebody has deleted a part by hand."""
    return (layer / _KEY).is_file() and (layer / _FILES / FOLDER / "bin").is_dir()


def known_size(layer: Path) -> int | None:
    """How many bytes it takes, as measured when it was made; None: it is not finished."""
    text = files.read_bytes(layer / _SIZE)
    return int(text) if text and text.isdigit() else None
