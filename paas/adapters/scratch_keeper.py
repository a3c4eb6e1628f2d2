"""Keeps the throw-away layer of each instance for the moment after its end, to see what is lost.

A layer is a tmpfs that only its instance's mount namespace knows. The launcher hands a descriptor
of it to this socket, with one of its own process (launching/ending.py): the one keeps the files
when the namespace is gone, the other can be read when the process has ended, however it did. So
nothing is mounted on the host, and what this process leaves, the kernel clears away.

Of instances that were started while nobody listened, a later keeper finds the layer in their
namespace, in a directory that only root may enter (launching/mounts.py).
"""

import array
import os
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.throwaway import layer_of, survey
from paas.domain.losses import Layer

SOCKET = "watch.sock"
_NAME_BYTES = 256
_FDS = 2


@dataclass(frozen=True, slots=True)
class _Kept:
    """An instance that runs. process: a pidfd. scratch: a descriptor of its layer."""

    name: str
    process: int
    scratch: int


class ScratchKeeper:
    """One loop, for one thread. ended: called with an instance's name and what it had written."""

    def __init__(self, run: Path, ended: Callable[[str, Layer], None]) -> None:
        self._ended = ended
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
                continue
            self._keep(_Kept(name.decode("ascii", "replace"), fds[0], fds[1]))

    def _keep(self, kept: _Kept) -> None:
        self._kept[kept.process] = kept
        try:
            self._epoll.register(kept.process, select.EPOLLIN)
        except OSError:
            self._forget(kept)

    def _forget(self, kept: _Kept) -> None:
        del self._kept[kept.process]
        with suppress(OSError):
            self._epoll.unregister(kept.process)
        os.close(kept.process)
        os.close(kept.scratch)
