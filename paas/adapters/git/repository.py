"""The git repositories, read and written with dulwich: no hooks, config files or subprocesses.

A push's objects are in quarantine while its pre-receive hook runs (git-receive-pack(1)); they are
read by laying that object store over the repository's own.
"""

import os
import resource
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dulwich.errors import NotGitRepository
from dulwich.object_store import BaseObjectStore, DiskObjectStore, OverlayObjectStore
from dulwich.objects import Commit as GitCommit
from dulwich.objects import ObjectID, Tag
from dulwich.objects import Tree as GitTree
from dulwich.refs import Ref
from dulwich.repo import Repo

from paas.adapters.git.damage import damage, partial_files
from paas.adapters.git.lfs_objects import LFS_DIRECTORY, LFS_INCOMING
from paas.adapters.git.tree_changes import tree_changes
from paas.adapters.git.tree_files import TreeFiles
from paas.adapters.git.tree_writer import Blobs, TreeWriter, too_large
from paas.domain.releases.diffs import FileChange
from paas.domain.values.errors import NoSuchCommitError, PaasError
from paas.interfaces import Commit, Quarantine, Tree

TREE_MEMORY_BYTES: Final = 3 * 1024**3


class DulwichRepository:
    """Repository of interfaces: <root>/<app id>.git, owned by the platform's account."""

    def __init__(
        self, root: Path, owner: tuple[int, int], *, max_bytes: int, max_files: int
    ) -> None:
        self._root = root
        self._owner = owner
        self._max_bytes = max_bytes
        self._max_files = max_files

    def path(self, app_id: int) -> Path:
        return self._root / f"{app_id}.git"

    def create(self, app_id: int) -> None:
        path = self.path(app_id)
        if (path / "HEAD").exists():
            return
        unfinished = path.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        with Repo.init_bare(str(unfinished), mkdir=True, default_branch=b"main"):
            pass
        self._own(unfinished)
        unfinished.rename(path)

    def copy(self, source_id: int, app_id: int) -> None:
        path = self.path(app_id)
        unfinished = path.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        passing = shutil.ignore_patterns("tmp_objdir-*", "*.lock")
        uploads = str(self.path(source_id) / LFS_DIRECTORY)

        def ignore(folder: str, names: list[str]) -> set[str]:
            """Skip files that may vanish before they are copied."""
            return passing(folder, names) | ({LFS_INCOMING} if folder == uploads else set())

        shutil.copytree(str(self.path(source_id)), unfinished, symlinks=True, ignore=ignore)
        self._own(unfinished)
        shutil.rmtree(path, ignore_errors=True)
        unfinished.rename(path)

    def _own(self, path: Path) -> None:
        for folder, names, files in os.walk(path):
            for name in (".", *names, *files):
                os.chown(Path(folder, name), *self._owner, follow_symlinks=False)

    def remove(self, app_id: int) -> None:
        shutil.rmtree(self.path(app_id), ignore_errors=True)

    def all(self) -> list[int]:
        names = [path.stem for path in self._root.glob("*.git")]
        return sorted(int(name) for name in names if name.isdecimal())

    def remove_partial(self, app_id: int) -> int:
        found, locks = partial_files(self.path(app_id))
        for path in found:
            shutil.rmtree(path, ignore_errors=True)
        for path in locks:
            path.unlink(missing_ok=True)
        return len(found) + len(locks)

    def partial_files(self, app_id: int) -> int:
        found, locks = partial_files(self.path(app_id))
        return len(found) + len(locks)

    def damage(self, app_id: int) -> str | None:
        return damage(self.path(app_id), self._owner[0])

    def head(self, app_id: int, branch: str) -> str | None:
        try:
            with Repo(str(self.path(app_id))) as repo:
                found = repo.refs.read_ref(Ref(f"refs/heads/{branch}".encode()))
        except NotGitRepository:
            return None
        return found.decode() if found else None

    def commit(self, app_id: int, commit_id: str, quarantine: Quarantine | None) -> Commit:
        with self._objects(app_id, quarantine) as objects:
            found = _peel(objects, commit_id)
            lines = found.message.decode("utf-8", "replace").splitlines()
            author = found.author.decode("utf-8", "replace").partition(" <")[0]
            return Commit(found.id.decode(), lines[0] if lines else "", author)

    def write_tree(
        self, app_id: int, commit_id: str, quarantine: Quarantine | None, target: Path, uid: int
    ) -> Tree:
        with self._objects(app_id, quarantine) as objects, _memory_limit(TREE_MEMORY_BYTES):
            root = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                with TreeFiles(root, uid) as files:
                    writer = TreeWriter(Blobs(objects), files, self._max_bytes, self._max_files)
                    writer.repository = self.path(app_id)
                    writer.write(_peel(objects, commit_id).tree)
            except MemoryError as error:
                raise too_large("there is not enough memory to read it") from error
            finally:
                os.close(root)
            pointers = tuple(sorted(writer.lfs_pointers))
            return Tree(writer.files, writer.size_bytes, writer.submodules, pointers)

    def read_file(
        self, app_id: int, commit_id: str, quarantine: Quarantine | None, name: str, limit: int
    ) -> bytes | None:
        with self._objects(app_id, quarantine) as objects, _memory_limit(TREE_MEMORY_BYTES):
            tree = objects[_peel(objects, commit_id).tree]
            *folders, last = name.encode().split(b"/")
            for folder in folders:
                if not isinstance(tree, GitTree) or folder not in tree:
                    return None
                mode, object_id = tree[folder]
                if not stat.S_ISDIR(mode):
                    return None
                tree = objects[object_id]
            if not isinstance(tree, GitTree) or last not in tree:
                return None
            mode, object_id = tree[last]
            if not stat.S_ISREG(mode):
                raise PaasError(
                    "not-a-file", f"{name} must be a plain file, not a link or a folder."
                )
            _kind, content = objects.get_raw(object_id)
            if len(content) > limit:
                raise PaasError("file-too-large", f"{name} is larger than {limit} bytes.")
            return bytes(content)

    def changes(
        self, app_id: int, old: str | None, new: str, quarantine: Quarantine | None
    ) -> list[FileChange]:
        with self._objects(app_id, quarantine) as objects, _memory_limit(TREE_MEMORY_BYTES):
            former = _peel(objects, old).tree if old is not None else None
            try:
                found = tree_changes(objects, former, _peel(objects, new).tree, self._max_files)
            except KeyError as error:
                raise NoSuchCommitError("no-commit", f"A folder of {new} is missing.") from error
            if found is None:
                raise too_large(f"the limit is {self._max_files} files (setting max_tree_files)")
            return found

    @contextmanager
    def _objects(self, app_id: int, quarantine: Quarantine | None) -> Iterator[BaseObjectStore]:
        stores: list[BaseObjectStore] = [DiskObjectStore(str(self.path(app_id) / "objects"))]
        if quarantine is not None:
            stores.insert(0, DiskObjectStore(str(quarantine.objects)))
        try:
            yield OverlayObjectStore(stores) if len(stores) > 1 else stores[0]
        finally:
            for store in stores:
                store.close()


def _peel(objects: BaseObjectStore, object_id: str) -> GitCommit:
    """The commit of this id, through annotated tags."""
    try:
        found = objects[ObjectID(object_id.encode())]
        while isinstance(found, Tag):
            found = objects[found.object[1]]
    except KeyError as error:
        raise NoSuchCommitError(
            "no-commit", f"The repository has no commit {object_id}."
        ) from error
    if not isinstance(found, GitCommit):
        raise NoSuchCommitError("no-commit", f"{object_id} is not a commit.")
    return found


@contextmanager
def _memory_limit(size_bytes: int) -> Iterator[None]:
    """Bound the address space: a small pack can hold a blob that expands without end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
