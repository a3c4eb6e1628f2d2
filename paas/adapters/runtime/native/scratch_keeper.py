"""Keeps each process's throw-away layer until it ends, to see which databases are lost then.

A layer is a tmpfs that only its process's mount namespace knows. The launcher sends a descriptor of
it to this socket, with one of its own process (launcher/notices.py): the first keeps the files when
the namespace is gone, the second becomes readable when the process has ended, however it did. So
nothing is mounted on the host, and the kernel cleans up if this process dies.

It also notices when a layer is full, which no error of the app names: by a check four times a
second, and a hundred times while it fills, since an app may delete its upload as soon as a write
fails; or when the log process, which reads what apps print, sends the name of a process that
reported it.

For processes that were started while nothing listened, a later keeper finds the layer in their
namespace, in a directory that only root may enter (launcher/mounts.py).
"""

import array
import os
import select
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.runtime.native.throwaway import databases, layer_of
from paas.domain.releases.losses import LostFile

_NAME_BYTES = 256
# Before the name, in what the log process sends (paas/entrypoints/logd/process.py).
FULL = b"full "
LOOK_S = 0.25
# For a while after a layer has filled by this share.
_CLOSE_LOOK_S = 0.01
_FILLING_SHARE, _FILLING_S = 1 / 32, 1.0
# Less than this share is free if a write has just failed, or is about to.
_FULL_SHARE = 1 / 64
_FDS = 2


@dataclass(slots=True)
class _Kept:
    """A process that runs. process: a pidfd. scratch: a descriptor of its layer."""

    name: str
    process: int
    scratch: int
    is_reported_full: bool = False
    used_blocks: int = 0
    is_filling_until: float = 0.0

    def is_full(self, now: float) -> bool:
        """Whether next to nothing can be written to the layer; notes whether it is filling.

        now: of the monotonic clock, in seconds.
        """
        found = os.fstatvfs(self.scratch)
        used = found.f_blocks - found.f_bavail
        if used - self.used_blocks >= found.f_blocks * _FILLING_SHARE:
            self.used_blocks, self.is_filling_until = used, now + _FILLING_S
        self.used_blocks = min(used, self.used_blocks)
        return found.f_bavail < found.f_blocks * _FULL_SHARE or found.f_ffree == 0 < found.f_files


class ScratchKeeper:
    """One loop, for one thread.

    ended: called with a process's name and the databases that are lost with it. filled: called once
    with the name of a process whose layer is or was full, and the layer's size in bytes.
    """

    def __init__(
        self,
        path: Path,
        ended: Callable[[str, Sequence[LostFile]], None],
        filled: Callable[[str, int], None],
    ) -> None:
        self._ended = ended
        self._filled = filled
        self._kept: dict[int, _Kept] = {}
        self._look_at = 0.0
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        # Its mode from the beginning. A umask would affect the other threads, too.
        os.fchmod(self._socket.fileno(), 0o600)
        self._socket.bind(str(path))
        self._epoll = select.epoll()
        self._epoll.register(self._socket, select.EPOLLIN)

    def close(self) -> None:
        """Close everything."""
        for kept in list(self._kept.values()):
            self._forget(kept)
        self._epoll.close()
        self._socket.close()

    def turn(self, limit_s: float) -> None:
        """Wait for events, at most that long, and handle them; look at each layer.

        The wait is short while a layer is filling; the others are looked at as often as before.
        """
        now = time.monotonic()
        filling = [kept for kept in self._kept.values() if kept.is_filling_until > now]
        for fd, _ in self._epoll.poll(_CLOSE_LOOK_S if filling else limit_s):
            kept = self._kept.get(fd)
            if kept is None:
                self._receive()
                continue
            try:
                files = databases(kept.scratch)
            finally:
                self._forget(kept)
            if files:
                self._ended(kept.name, files)
        now = time.monotonic()
        if not filling or now >= self._look_at:
            filling, self._look_at = list(self._kept.values()), now + LOOK_S
        for kept in filling:
            if self._kept.get(kept.process) is kept and kept.is_full(now):
                self._report_full(kept)

    def _report_full(self, kept: _Kept) -> None:
        if kept.is_reported_full:
            return
        kept.is_reported_full = True
        found = os.fstatvfs(kept.scratch)
        self._filled(kept.name, found.f_blocks * found.f_frsize)

    def adopt(self, name: str, pid: int) -> None:
        """Keep the layer of a running process whose launcher did not reach us."""
        if any(kept.name == name for kept in self._kept.values()):
            return
        with suppress(OSError):
            process = os.pidfd_open(pid)
            scratch = layer_of(pid)
            # Only now is it certain that the pid does not belong to another process.
            if scratch is None or select.select([process], [], [], 0)[0]:
                for fd in (process, scratch):
                    if fd is not None:
                        os.close(fd)
                return
            self._keep(_Kept(name, process, scratch))

    def _receive(self) -> None:
        """All that launchers and the log process have sent; any other message is dropped."""
        while True:
            fds = array.array("i")
            room = socket.CMSG_SPACE(_FDS * fds.itemsize)
            try:
                # Not socket.recv_fds, which in Python 3.11 drops the flag.
                text, ancillary, _, _ = self._socket.recvmsg(
                    _NAME_BYTES, room, socket.MSG_CMSG_CLOEXEC
                )
            except OSError:
                return
            for level, kind, data in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
            name = text.removeprefix(FULL).decode("ascii", "replace")
            if len(fds) == _FDS:
                self._keep(_Kept(name, fds[0], fds[1]))
                continue
            for fd in fds:
                os.close(fd)
            for kept in list(self._kept.values()) if text.startswith(FULL) else ():
                if kept.name == name:
                    self._report_full(kept)

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
