"""Whether there is space: on disks, in inodes, and whether they can be written to at all."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from paas.domain.server.findings import Finding
from paas.settings import Settings

GIB, MIB = 1024**3, 1024**2
# Below the first share there is a warning; below the second, things begin to fail.
WARN_SHARE, GRAVE_SHARE = 0.1, 0.02


def disk_findings(settings: Settings) -> Iterator[Finding]:
    """Each file system is reported once, by the first of the platform's paths on it."""
    seen = set()
    for path in _directories(settings):
        try:
            device, found = path.stat().st_dev, os.statvfs(path)
        except OSError:
            continue  # a missing directory is reported as such
        if device in seen:
            continue
        seen.add(device)
        if found.f_flag & os.ST_RDONLY and path != settings.opt:
            yield Finding(
                check="disk",
                message=f"The disk of {path} is read-only: nothing can be changed.",
                command=f"dmesg | tail; mount -o remount,rw {_mount_point(path)}",
            )
        yield from _bytes(path, found, settings.min_free_mib if path == settings.state else 0)
        yield from _inodes(path, found)


def _directories(settings: Settings) -> tuple[Path, ...]:
    return (
        settings.state,
        settings.run,
        settings.etc,
        settings.opt,
        Path(tempfile.gettempdir()),
    )


def _bytes(path: Path, found: os.statvfs_result, min_free_mib: int) -> Iterator[Finding]:
    free, total = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
    grave = free < min_free_mib * MIB or (free < total * GRAVE_SHARE and free < GIB)
    if grave or (free < max(total * WARN_SHARE, 2 * min_free_mib * MIB) and free < 5 * GIB):
        words = f"{free / MIB:.0f} MiB" if free < GIB else f"{free / GIB:.1f} GiB"
        refused = f", and builds need {min_free_mib} MiB" if free < min_free_mib * MIB else ""
        yield Finding(
            check="disk",
            message=f"The disk of {path} has {words} free of {total / GIB:.1f} GiB{refused}.",
            command=f"df -h {path}; du -xh -d 2 {path} | sort -h | tail",
            grave=grave,
        )


def _inodes(path: Path, found: os.statvfs_result) -> Iterator[Finding]:
    free, total = found.f_favail, found.f_files
    if total and free < total * WARN_SHARE:  # total: 0 if the file system has no such limit
        yield Finding(
            check="inodes",
            message=f"The disk of {path} has {free} inodes free of {total}: "
            "no file can be made without one.",
            command=f"df -i {path}; du -x --inodes -d 2 {path} | sort -n | tail",
            grave=free < total * GRAVE_SHARE,
        )


def _mount_point(path: Path) -> Path:
    while not path.is_mount():
        path = path.parent
    return path
