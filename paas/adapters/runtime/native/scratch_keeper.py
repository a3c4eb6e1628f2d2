"""Keeps the throw-away layer of each instance for the moment after its end, to see what is lost.

A layer is a tmpfs that only its instance's mount namespace knows. The launcher hands a descriptor
of it to this socket, with one of its own process (launcher/ending.py): the one keeps the files
when the namespace is gone, the other can be read when the process has ended, however it did. So
nothing is mounted on the host, and what this process leaves, the kernel clears away.

It also sees when a layer is full, which no error of the app's names: at a look each second, or when
the log process, which reads what apps print, sends the name of an instance that said so.

Of instances that were started while nobody listened, a later keeper finds the layer in their
namespace, in a directory that only root may enter (launcher/mounts.py).
"""

import array
import os
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.runtime.native.throwaway import layer_of, survey
from paas.domain.releases.losses import Layer

SOCKET = "watch.sock"
_NAME_BYTES = 256
# Before the name, in what the log process sends (paas/entrypoints/logd/process.py).
FULL = b"full "
LOOK_S = 1.0
REMEMBERED = 1_000
# Less than this share is left where a write has just failed, or is about to.
_FULL_SHARE = 1 / 64
_FDS = 2


@dataclass(frozen=True, slots=True)
class _Kept:
    """An instance that runs. process: a pidfd. scratch: a descriptor of its layer."""

    name: str
    process: int
    scratch: int

    def size_bytes(self) -> int:
        """What the layer can hold."""
        found = os.fstatvfs(self.scratch)
        return found.f_blocks * found.f_frsize

    def is_full(self) -> bool:
        """Whether nothing much can be written to it."""
        found = os.fstatvfs(self.scratch)
        return found.f_bavail < found.f_blocks * _FULL_SHARE or found.f_ffree == 0 < found.f_files


class ScratchKeeper:
    """One loop, for one thread.

    ended: called with an instance's name and what it had written. filled: called once with the name
    of an instance whose layer is or was full, and the layer's size in bytes.
    """

    def __init__(
        self,
        run: Path,
        ended: Callable[[str, Layer], None],
        filled: Callable[[str, int], None] = lambda *_: None,
    ) -> None:
        self._ended = ended
        self._filled = filled
        self._full: set[str] = set()
        self._kept: dict[int, _Kept] = {}
        path = run / SOCKET
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        # Its mode from the beginning. A umask would be that of the other threads, too.
        os.fchmod(self._socket.fileno(), 0o600)
        self._socket.bind(str(path))
        self._epoll = select.epoll()
        self._epoll.register(self._socket, select.EPOLLIN)

    def close(self) -> None:
        """Let everything go."""
        for kept in list(self._kept.values()):
            self._forget(kept)
        self._epoll.close()
        self._socket.close()

    def turn(self, limit_s: float) -> None:
        """Wait for news, for so long at most, and see to it."""
        for fd, _ in self._epoll.poll(limit_s):
            kept = self._kept.get(fd)
            if kept is None:
                self._receive()
                continue
            try:
                layer = survey(kept.scratch)
            finally:
                self._forget(kept)
            if layer.is_noted:
                self._ended(kept.name, layer)
        for kept in list(self._kept.values()):
            if kept.name not in self._full and kept.is_full():
                self._tell_full(kept)

    def _tell_full(self, kept: _Kept) -> None:
        self._full.add(kept.name)
        self._filled(kept.name, kept.size_bytes())

    def adopt(self, name: str, pid: int) -> None:
        """Keep the layer of a running process whose launcher did not reach us."""
        if any(kept.name == name for kept in self._kept.values()):
            return
        with suppress(OSError):
            process = os.pidfd_open(pid)
            scratch = layer_of(pid)
            # Only now is it certain that the number has not gone to another process.
            if scratch is None or select.select([process], [], [], 0)[0]:
                for fd in (process, scratch):
                    if fd is not None:
                        os.close(fd)
                return
            self._keep(_Kept(name, process, scratch))

    def _receive(self) -> None:
        """All that launchers have sent; what is no such message is dropped."""
        while True:
            fds = array.array("i")
            room = socket.CMSG_SPACE(_FDS * fds.itemsize)
            try:
                name, ancillary, _, _ = self._socket.recvmsg(
                    _NAME_BYTES, room, socket.MSG_CMSG_CLOEXEC
                )
            except OSError:
                return
            for level, kind, data in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
            if len(fds) != _FDS:
                for fd in fds:
                    os.close(fd)
                if name.startswith(FULL):
                    self._hear_full(name.removeprefix(FULL).decode("ascii", "replace"))
                continue
            self._keep(_Kept(name.decode("ascii", "replace"), fds[0], fds[1]))

    def _hear_full(self, name: str) -> None:
        for kept in list(self._kept.values()):
            if kept.name == name and name not in self._full:
                self._tell_full(kept)

    def _keep(self, kept: _Kept) -> None:
        self._kept[kept.process] = kept
        try:
            self._epoll.register(kept.process, select.EPOLLIN)
        except OSError:
            self._forget(kept)

    def _forget(self, kept: _Kept) -> None:
        del self._kept[kept.process]
        # A process that is started again in its place has the same name: it was told of.
        if len(self._full) > REMEMBERED:
            self._full &= {other.name for other in self._kept.values()}
        with suppress(OSError):
            self._epoll.unregister(kept.process)
        os.close(kept.process)
        os.close(kept.scratch)
