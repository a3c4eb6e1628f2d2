"""Which files differ between two git trees."""

import stat

from dulwich.diff_tree import walk_trees
from dulwich.object_store import BaseObjectStore
from dulwich.objects import ObjectID, TreeEntry

from paas.domain.releases.diffs import Change, FileChange


def tree_changes(
    objects: BaseObjectStore, old: ObjectID | None, new: ObjectID, limit: int
) -> list[FileChange] | None:
    """The files that were added, changed or deleted, by path; None beyond the limit.

    limit: files and folders to look at in each tree; a few hundred bytes of objects can describe
    any number of them. Identical folders are skipped. Raises KeyError if an object is missing.
    """
    found: list[FileChange] = []
    for seen, (former, present) in enumerate(
        walk_trees(objects, old, new, prune_identical=True), start=1
    ):
        if seen > 2 * limit:
            return None
        was, now = _file(former), _file(present)
        if was == now:
            continue
        if was is None:
            found.append(FileChange(_path(present), Change.ADDED))
        elif now is None:
            found.append(FileChange(_path(former), Change.DELETED))
        else:
            found.append(FileChange(_path(present), Change.CHANGED))
    return sorted(found, key=lambda file: file.path)


def _file(entry: TreeEntry | None) -> tuple[int, bytes] | None:
    """What a path holds, unless it is a folder: mode and object."""
    if entry is None or entry.mode is None or stat.S_ISDIR(entry.mode):
        return None
    return entry.mode, entry.sha or b""


def _path(entry: TreeEntry | None) -> str:
    assert entry is not None
    return (entry.path or b"").decode("utf-8", "replace")
