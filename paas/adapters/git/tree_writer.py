"""Goes through a commit's tree, within the limits, and has its files written."""

import os
import stat
from pathlib import Path

from dulwich.object_store import BaseObjectStore
from dulwich.objects import S_ISGITLINK, ObjectID
from dulwich.objects import Tree as GitTree
from dulwich.pack import PackFileDisappeared

from paas.adapters.git.lfs_objects import is_pointer, pointed_to
from paas.adapters.git.tree_files import TreeFiles
from paas.domain.values.errors import PaasError
from paas.domain.values.names import shown


def too_large(why: str) -> PaasError:
    """The refusal of a commit's tree. why: which limit it exceeds."""
    return PaasError(
        "tree-too-large",
        f"The commit's files are too many or too large: {why}.",
        "Remove what the app does not need (git rm), commit, and push again.",
    )


class Blobs:
    """Objects by id.

    Looks first into the packs that existed at the start: a store checks for loose objects and
    new packs each time, which takes longer than reading a small file.
    """

    def __init__(self, objects: BaseObjectStore) -> None:
        self._objects = objects
        self._packs = list(objects.packs)

    def tree(self, object_id: ObjectID) -> GitTree:
        """Raises PaasError if it is not a tree."""
        found = self._objects[object_id]
        if not isinstance(found, GitTree):
            raise PaasError("bad-tree", f"{object_id.decode()} is not a tree.")
        return found

    def content(self, object_id: ObjectID) -> bytes:
        """A file's bytes."""
        for pack in self._packs:
            try:
                return pack.get_raw(object_id)[1]
            except (KeyError, PackFileDisappeared):
                continue
        return self._objects.get_raw(object_id)[1]


class TreeWriter:
    """Goes through one tree and has its files written."""

    def __init__(self, blobs: Blobs, target: TreeFiles, max_bytes: int, max_files: int) -> None:
        self._blobs = blobs
        self._target = target
        self._max_bytes = max_bytes
        self._max_files = max_files
        self.repository = Path()
        self.files = 0
        self.size_bytes = 0
        self.submodules: dict[str, str] = {}
        self.lfs_pointers: list[str] = []

    def write(self, tree: ObjectID) -> None:
        """Write the tree, folders before their contents."""
        pending = [(b"", tree)]
        while pending:
            folder, tree_id = pending.pop()
            if folder:
                self._target.folder(folder)
            for name, mode, object_id in self._blobs.tree(tree_id).iteritems():
                path = self._checked(folder, name)
                if stat.S_ISDIR(mode):
                    pending.append((path, object_id))
                elif S_ISGITLINK(mode):
                    self.submodules[os.fsdecode(path)] = object_id.decode()
                else:
                    self._write_file(path, mode, object_id)

    def _checked(self, folder: bytes, name: bytes) -> bytes:
        path = folder + b"/" + name if folder else name
        if name in {b"", b".", b".."} or name.lower() == b".git" or b"/" in name:
            text = path.decode("utf-8", "replace")
            raise PaasError("bad-path", f"The commit has a path that paas refuses: {text!r}.")
        self.files += 1
        if self.files > self._max_files:
            raise too_large(f"the limit is {self._max_files} files (setting max_tree_files)")
        return path

    def _write_file(self, path: bytes, mode: int, object_id: ObjectID) -> None:
        try:
            content = self._blobs.content(object_id)
        except MemoryError as error:
            raise too_large(f"the file {_shown(path)} is too large to read") from error
        if is_pointer(content) and not stat.S_ISLNK(mode):
            found = pointed_to(self.repository, content)
            if found is not None:
                self._count(found.size_bytes)
                self._target.copy(path, mode, found.path, found.oid)
                return
            self.lfs_pointers.append(os.fsdecode(path))
        self._count(len(content))
        self._target.add(path, mode, content)

    def _count(self, size_bytes: int) -> None:
        self.size_bytes += size_bytes
        if self.size_bytes > self._max_bytes:
            limit_mib = self._max_bytes // 1024**2
            raise too_large(f"the limit is {limit_mib} MiB in all (setting max_tree_mib)")


def _shown(path: bytes) -> str:
    return shown(path.decode("utf-8", "replace"))
