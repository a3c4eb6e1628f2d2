"""Dependencies that the slugs of an app share: state/dependencies/APP/NAME.

A layer is what a build installed (``files/.venv``), for the builds and slugs that need the same:
``key`` says what that is, as the buildpack wrote it, and ``size`` how much it takes. It is taken
from the build's tree by rename, when no process of the build is left, and is complete from the
rename to its name on. Its parents belong to root, and it is never shown writable, so nothing can
change it any more. NAME is the id of the build that made it.

A build that needs something else may change the newest layer in an overlay of it. The result is a
layer too, or part of the slug; unchanged files have a name in both layers.
"""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from paas.adapters.builds.changed_layers import copy, link, merge
from paas.adapters.builds.untrusted import discard, read_plain_file
from paas.adapters.system import directories, files
from paas.domain.releases.launch_spec import Bind, Changeable
from paas.domain.values.errors import PaasError
from paas.paths import Paths

FOLDER = ".venv"
# Where a build sees the newest layer, or an empty directory; and, in its cache, what it offers.
IN_SANDBOX = "/tmp/paas/dependencies"  # noqa: S108 - in the sandbox's own /tmp
CHANGEABLE = f"{IN_SANDBOX}-changeable"
OFFER = "dependencies-key"
KEY_MAX_BYTES = 1024**2
LIST_MAX_BYTES = 16 * 1024**2
_SUM = re.compile(rb"^([0-9a-f]{64})  ([A-Za-z0-9_.-][A-Za-z0-9_./-]*)$", re.MULTILINE)
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

    def changeable(self, app_id: int, layer: Path, name: str, uid: int) -> Changeable:
        """How the build of that name can change it, for ``changed`` to find."""
        room = self._changes(app_id, name)
        directories.remove(room)
        files.make_directory(room, mode=0o700)
        files.make_directory(room / "work", mode=0o700)
        files.make_directory(room / "upper", mode=0o755, owner=(uid, uid))
        return Changeable(str(layer / _FILES / FOLDER), str(room), CHANGEABLE)

    def may_differ(self, layer: Path, tree: Path) -> bool:
        """Whether the build may need something else than the layer.

        Only to save an overlay: whatever this says, the build finds out. False if all lists that
        the key names, as ``sha256sum`` prints them, are in the tree's top directory, as they were;
        it names settings by absolute paths, and no layer is changed where one of these differs.
        """
        key, _, _ = (files.read_bytes(layer / _KEY, KEY_MAX_BYTES) or b"").partition(b"\0")
        named = _SUM.findall(key)
        for digest, name in named:
            path = name.decode()
            content = read_plain_file(tree, path, LIST_MAX_BYTES) if "/" not in path else None
            if content is None or hashlib.sha256(content).hexdigest() != digest.decode():
                return True
        return not named

    def forget_changes(self, app_id: int, name: str) -> None:
        """When that build is over."""
        directories.remove(self._changes(app_id, name))

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
        key = read_plain_file(cache, OFFER, KEY_MAX_BYTES + 1)
        if not key or len(key) > KEY_MAX_BYTES:
            key = None
        if stat.S_ISLNK(found.st_mode):
            target = os.readlink(venv)  # noqa: PTH115 - as it is, not normalized
            if shown is None or target not in (CHANGEABLE, f"{IN_SANDBOX}/{_FILES}/{FOLDER}"):
                return None
            venv.unlink()
            if target != CHANGEABLE:
                return shown.name
            return self._take_changed(app_id, tree, key, shown)
        if not stat.S_ISDIR(found.st_mode) or key is None:
            return None
        self._seal(app_id, tree.name, key, venv.rename)
        return tree.name

    def _take_changed(self, app_id: int, tree: Path, key: bytes | None, shown: Path) -> str | None:
        """A layer of what a build has made from another, or, without a key, a part of its tree."""
        lower, upper = shown / _FILES / FOLDER, self._changes(app_id, tree.name) / "upper"
        try:
            if key is None:
                merge(str(lower), str(upper), str(tree / FOLDER), copy)
                return None
            place = partial(merge, str(lower), str(upper), place=link)
            self._seal(app_id, tree.name, key, lambda target: place(str(target)), like=shown)
        except OSError as error:
            raise PaasError(
                "dependencies-unusable",
                f"What the build has installed cannot be kept: {error.strerror}.",
                "Push again. If it fails again, have the next build install everything: "
                "paas builds:cache:purge",
            ) from error
        return tree.name

    def _seal(
        self,
        app_id: int,
        name: str,
        key: bytes,
        place: Callable[[Path], object],
        like: Path | None = None,
    ) -> None:
        """Make a layer. place: puts it at a path. like: the layer with which it shares files."""
        room = self._room(app_id)
        files.make_directory(room, mode=0o711)
        new = room / f".{name}"
        files.make_directory(new, mode=0o755)
        files.make_directory(new / _FILES, mode=0o755)
        place(new / _FILES / FOLDER)
        # What it has beside the other, whose files du counts first.
        size_bytes = directories.sizes([*([like] if like else []), new])[new]
        files.write_atomic(new / _SIZE, str(size_bytes), durable=False)
        files.write_atomic(new / _KEY, key, mode=0o644, durable=False)
        new.rename(room / name)

    def sizes(self, app_id: int) -> dict[str, int]:
        """How many bytes each takes, by name."""
        return {path.name: known_size(path) or 0 for path in self._all(app_id)}

    def remove_unused(self, app_id: int, unused: Collection[str]) -> None:
        """Remove these, but for the one that the next build may use, and what is unfinished."""
        newest = self.newest(app_id)
        removed = False
        for path in self._all(app_id):
            if path.name[0] == "." or (path.name in unused and path != newest):
                directories.remove(path)
                removed = removed or path.name[0] != "."
        if removed:
            self._measure(app_id)

    def _measure(self, app_id: int) -> None:
        """Note the sizes again: files that a layer shared may be its own now."""
        for path, size_bytes in directories.sizes(self._all(app_id)).items():
            if known_size(path) is not None:
                files.write_atomic(path / _SIZE, str(size_bytes), durable=False)

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

    def _changes(self, app_id: int, name: str) -> Path:
        """What the build of that name has changed; a crash leaves it among what is unfinished."""
        return self._room(app_id) / f".{name}.changes"

    def _room(self, app_id: int) -> Path:
        return self._root / str(app_id)


def _is_whole(layer: Path) -> bool:
    """Whether a build can use it: also where somebody has deleted a part by hand."""
    return (layer / _KEY).is_file() and (layer / _FILES / FOLDER / "bin").is_dir()


def known_size(layer: Path) -> int | None:
    """How many bytes it takes, as measured when it was made; None: it is not finished."""
    text = files.read_bytes(layer / _SIZE)
    return int(text) if text and text.isdigit() else None
