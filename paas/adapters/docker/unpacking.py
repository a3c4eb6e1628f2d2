"""Ends what Docker's engine unpacks when the disk becomes full.

The layers of a base image are compressed, and nothing says how large they are unpacked. Debian 12's
engine unpacks each in a program of its own to its end, even if the build has been cancelled; where
that program is killed, the engine still decompresses the rest. So both are killed, and supervisord
restarts the engine while containers keep running. The engine then knows nothing of the layer, so
what was unpacked of it is deleted here.
"""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from paas.domain.values.errors import PaasError
from paas.settings import Settings

_PROC = Path("/proc")
# The names by which the engine runs itself once more.
_UNPACKERS = {"docker-untar", "docker-applyLayer"}
# What a disk and a processor unpack at most in a second.
_FASTEST_BYTES = 2 * 2**30
_SOON_S, _LATE_S = 0.1, 5.0
_LEAST_INODES = 1_000


@dataclass(frozen=True, slots=True)
class _Unpacker:
    """A program that unpacks. layer: the folder of the layer, if it is one."""

    pid: int
    layer: Path | None


class UnpackGuard:
    """Of the server's own engine. least_bytes: what is to stay free on its disk."""

    def __init__(self, settings: Settings, least_bytes: int) -> None:
        self._settings = settings
        self._least_bytes = least_bytes

    def look(self) -> bool:
        """If the disk is full, end all that is unpacked; returns whether there was any."""
        if not self._is_full():
            return False
        engine = self._engine()
        unpackers = [*self._unpackers(engine)] if engine is not None else []
        if engine is None or not unpackers:
            return False
        for pid in (engine, *(one.pid for one in unpackers)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for one in unpackers:
            if one.layer is not None:
                _empty(one.layer)
        return True

    def next_look_s(self) -> float:
        """How long the disk cannot become full."""
        try:
            left_bytes = shutil.disk_usage(self._settings.paths.docker).free - self._least_bytes
        except FileNotFoundError:  # the engine has not been started yet
            return _LATE_S
        return min(_LATE_S, max(_SOON_S, left_bytes / _FASTEST_BYTES))

    def _is_full(self) -> bool:
        try:
            found = os.statvfs(self._settings.paths.docker)
        except FileNotFoundError:
            return False
        lacks_inodes = bool(found.f_files) and found.f_favail < _LEAST_INODES
        return lacks_inodes or found.f_bavail * found.f_frsize < self._least_bytes

    def _engine(self) -> int | None:
        """The process dockerd; another one may have its number by now."""
        own = self._settings.paths.docker_run
        with suppress(OSError, ValueError):
            pid = int((own / "dockerd.pid").read_text())
            if str(own / "dockerd.json") in _words(pid):
                return pid
        return None

    def _unpackers(self, engine: int) -> Iterator[_Unpacker]:
        layers = re.escape(str(self._settings.paths.docker / "data/overlay2"))
        for pid in _children(engine):
            name, *words = _words(pid) or ("",)
            if name in _UNPACKERS:
                layer = next((w for w in words if re.fullmatch(rf"{layers}/\w+/diff", w)), None)
                yield _Unpacker(pid, Path(layer) if layer is not None else None)


def base_image_too_large() -> PaasError:
    """The error for a build whose base image was being unpacked."""
    return PaasError(
        "image-too-large",
        "A base image does not fit on the server's disk, which became full while the image was "
        "unpacked. What had been unpacked is deleted.",
        "Use a smaller base image, or free space on the server: df -h shows where it is used.",
    )


def _children(pid: int) -> Iterator[int]:
    for path in _PROC.glob(f"{pid}/task/*/children"):
        with suppress(OSError):
            yield from map(int, path.read_text().split())


def _words(pid: int) -> list[str]:
    """The command line of a process; empty if it has ended."""
    try:
        content = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return []
    return content.decode("utf-8", "surrogateescape").rstrip("\0").split("\0")


def _empty(folder: Path) -> None:
    with suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                Path(entry.path).unlink(missing_ok=True)
