"""Writing the files of a commit's tree, while the next ones are being read.

Reading objects and creating files take about equally long, and both release Python's lock most of
the time. Meanwhile only the platform has access to the directory, and every entry is newly created,
so no symlink in the tree is ever followed.
"""

import errno
import hashlib
import os
import stat
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final

from paas.adapters.system.disk_faults import disk_fault
from paas.domain.values.errors import PaasError
from paas.domain.values.names import shown

BATCH_FILES: Final = 64
BATCH_BYTES: Final = 4 * 1024**2
_COPY_BYTES: Final = 1024**2
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


class TreeFiles:
    """Creates files below an open directory, owned by uid.

    Use as a context manager: at its end all are written. At most two batches are in memory.

    Raises PaasError from any call, or at the end, if something cannot be written.
    """

    def __init__(self, root: int, uid: int) -> None:
        self._root = root
        self._uid = uid
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._batch: list[tuple[bytes, int, bytes]] = []
        self._batch_bytes = 0
        self._former: Future[None] | None = None

    def __enter__(self) -> "TreeFiles":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._hand_over()
                self._wait()
        finally:
            self._pool.shutdown()

    def folder(self, path: bytes) -> None:
        """Create a folder immediately."""
        try:
            os.mkdir(path, 0o755, dir_fd=self._root)
            os.chown(path, self._uid, self._uid, dir_fd=self._root, follow_symlinks=False)
        except OSError as error:
            raise _wrapped(error, path, self._root) from error

    def add(self, path: bytes, mode: int, content: bytes) -> None:
        """Queue a file or a symbolic link to be created. mode: git's."""
        self._batch.append((path, mode, content))
        self._batch_bytes += len(content)
        if len(self._batch) >= BATCH_FILES or self._batch_bytes >= BATCH_BYTES:
            self._hand_over()

    def copy(self, path: bytes, mode: int, source: Path, sha256: str) -> None:
        """Copy a file immediately; its content must have that hash."""
        digest = hashlib.sha256()
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with open(os.open(source, flags), "rb") as content:  # noqa: PTH123 - a descriptor
                made = os.open(path, _NEW_FILE, _permissions(mode), dir_fd=self._root)
                with open(made, "wb") as target:  # noqa: PTH123 - a descriptor
                    os.fchown(made, self._uid, self._uid)
                    while data := content.read(_COPY_BYTES):
                        digest.update(data)
                        target.write(data)
        except OSError as error:
            raise _wrapped(error, path, self._root) from error
        if digest.hexdigest() != sha256:
            name = shown(path.decode("utf-8", "replace"))
            raise PaasError("lfs-damaged", f"The server's copy of {name} in Git LFS is damaged.")

    def _hand_over(self) -> None:
        self._wait()
        self._former = self._pool.submit(self._write_all, self._batch)
        self._batch, self._batch_bytes = [], 0

    def _wait(self) -> None:
        if self._former is not None:
            self._former.result()

    def _write_all(self, batch: list[tuple[bytes, int, bytes]]) -> None:
        for path, mode, content in batch:
            try:
                self._write(path, mode, content)
            except OSError as error:
                raise _wrapped(error, path, self._root) from error

    def _write(self, path: bytes, mode: int, content: bytes) -> None:
        if stat.S_ISLNK(mode):
            if b"\0" in content:
                raise OSError(errno.EINVAL, "the link's target has a NUL in it")
            os.symlink(content, path, dir_fd=self._root)
            os.chown(path, self._uid, self._uid, dir_fd=self._root, follow_symlinks=False)
            return
        descriptor = os.open(path, _NEW_FILE, _permissions(mode), dir_fd=self._root)
        try:
            os.fchown(descriptor, self._uid, self._uid)
            written = os.write(descriptor, content) if content else 0
            while written < len(content):
                written += os.write(descriptor, memoryview(content)[written:])
        finally:
            os.close(descriptor)


def _permissions(mode: int) -> int:
    return 0o755 if mode & 0o111 else 0o644


def _wrapped(error: OSError, path: bytes, root: int) -> PaasError:
    name = shown(path.decode("utf-8", "replace"))
    return disk_fault(error, Path(f"/proc/self/fd/{root}")) or PaasError(
        "tree-not-written", f"{name} could not be written: {error.strerror}."
    )
