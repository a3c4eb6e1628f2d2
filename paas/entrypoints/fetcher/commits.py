"""Turns archives into commits: their members go to git fast-import, and no file is ever written.

So no link in an archive can be followed, and the unpacked size is counted before it is stored.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from paas.domain.values.errors import PaasError
from paas.domain.values.names import shown
from paas.entrypoints.fetcher.archives import LINK_MAX, Member, too_large

_CHUNK = 1024**2


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an archive may hold."""

    files: int
    size_bytes: int


class CommitWriter:
    """Writes members as blobs, then a commit of them, for git fast-import."""

    def __init__(self, stream: IO[bytes], limits: Limits) -> None:
        self._stream = stream
        self._limits = limits
        self._size_bytes = 0
        self._entries = 0
        self._marks = 0
        self._files: dict[str, tuple[str, int]] = {}  # git's mode and the blob's mark
        self._links: dict[str, str] = {}
        self._left_out = False

    def write(self, members: Iterator[Member]) -> None:
        """Write every member. Raises PaasError at the first that is not allowed."""
        self._stream.write(b"feature done\n")
        for member in members:
            self._entries += 1
            if self._entries > self._limits.files:
                limit = self._limits.files
                raise too_large(f"the limit is {limit} files (setting max_tree_files)")
            path = _clean(member.path)
            if ".git" in path.lower().split("/"):
                self._leave_out(path)
            else:
                self._take(path, member)

    def commit(self, author: str, message: str, parent: str | None) -> None:
        """Write the commit, without the single top-level folder, if there is one."""
        if not self._files:
            raise PaasError("archive", "The archive has no files.", "Pack your app's files.")
        top = _top_folder(self._files)
        self._check_links(top)
        text = message.encode()
        out = [b"commit refs/heads/imported\n"]
        out += [b"committer %s %d +0000\n" % (author.encode(), int(time.time()))]
        out += [b"data %d\n%s\n" % (len(text), text)]
        out += [b"from %s\n" % parent.encode()] if parent else []
        out += [b"deleteall\n"]
        for path, (mode, mark) in self._files.items():
            out.append(b"M %s :%d %s\n" % (mode.encode(), mark, _quoted(path[len(top) :])))
        self._stream.write(b"".join([*out, b"done\n"]))

    def _take(self, path: str, member: Member) -> None:
        if member.kind == "file" and member.content is not None:
            self._count(member.size_bytes)
            self._add(path, _git_mode(member.mode), self._blob(member))
        elif member.kind == "link":
            target = os.fsencode(member.target)
            if b"\0" in target or len(target) >= LINK_MAX or not target:
                raise _refused(path, "is a link without a valid target")
            self._add(path, "120000", self._data(target))
            self._links[path] = member.target
        elif member.kind == "same":
            other = self._files.get(_clean(member.target))
            if other is None:
                raise _refused(
                    path, f"is a hard link to {shown(member.target)}, which is not in the archive"
                )
            self._add(path, *other)
        else:
            raise _refused(path, f"is a {member.kind}")

    def _add(self, path: str, mode: str, mark: int) -> None:
        self._files[path] = (mode, mark)
        self._links.pop(path, None)

    def _count(self, size_bytes: int) -> None:
        self._size_bytes += size_bytes
        if self._size_bytes > self._limits.size_bytes:
            limit = self._limits.size_bytes // 1024**2
            raise too_large(f"it unpacks to more than {limit} MiB (setting max_tree_mib)")

    def _blob(self, member: Member) -> int:
        """Write the content, which must have exactly the size that the archive states."""
        assert member.content is not None
        if member.size_bytes < 0:
            raise ValueError(f"{shown(member.path)} has a negative size")
        self._marks += 1
        self._stream.write(b"blob\nmark :%d\ndata %d\n" % (self._marks, member.size_bytes))
        left = member.size_bytes
        while left > 0:
            data = member.content.read(min(left, _CHUNK))
            if not data:
                raise EOFError(f"{shown(member.path)} is truncated")
            self._stream.write(data)
            left -= len(data)
        self._stream.write(b"\n")
        return self._marks

    def _data(self, content: bytes) -> int:
        self._marks += 1
        out = b"blob\nmark :%d\ndata %d\n%s\n" % (self._marks, len(content), content)
        self._stream.write(out)
        return self._marks

    def _leave_out(self, path: str) -> None:
        if not self._left_out:
            print(f" !     Left out: {shown(path)} and other files of git itself.", flush=True)
        self._left_out = True

    def _check_links(self, top: str) -> None:
        """Refuse files below another file (perhaps a link), and links that lead out of the app."""
        for path in self._files:
            parent = path.rpartition("/")[0]
            while parent:
                if parent in self._files:
                    what = "a link" if parent in self._links else "a file"
                    raise _refused(path, f"lies below {shown(parent)}, which is {what}")
                parent = parent.rpartition("/")[0]
        for path, target in self._links.items():
            folder = os.path.dirname(path[len(top) :])  # noqa: PTH120 - no path of this machine
            destination = os.path.normpath(os.path.join(folder, target))  # noqa: PTH118 - nor is this
            if target.startswith("/") or destination.split("/")[0] == "..":
                raise _refused(path, f"is a link out of the archive, to {shown(target)}")


def _clean(path: str) -> str:
    """A member's path without ``./``. Raises PaasError if it leads elsewhere."""
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if path.startswith("/") or ".." in parts or not parts or "\0" in path:
        raise _refused(path, "has a path that leads out of the archive")
    return "/".join(parts)


def _top_folder(files: dict[str, tuple[str, int]]) -> str:
    """``name/`` if all files are in one folder, as in archives of GitHub and ``npm pack``."""
    tops = {path.partition("/")[0] for path in files}
    one = len(tops) == 1 and not tops & set(files)
    return f"{tops.pop()}/" if one else ""


def _git_mode(mode: int) -> str:
    return "100755" if mode & 0o111 else "100644"


def _quoted(path: str) -> bytes:
    """A path as git fast-import reads it (git-fast-import(1), Path)."""
    name = os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + name + b'"'


def _refused(path: str, why: str) -> PaasError:
    return PaasError(
        "archive",
        f"{shown(path)} in the archive {why}, so nothing was imported.",
        "Pack only the app's own files and folders.",
    )
