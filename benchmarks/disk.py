"""The file system that everything is measured on."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.commands import BenchError, progress, run, wait_until

SIZE = "8G"


@contextmanager
def room(parent: Path, *, own_disk: bool) -> Iterator[Path]:
    """An empty directory below parent that every user can enter; removed at the end.

    own_disk: on a separate ext4, in a sparse file. ext4 skips inodes that were deleted within the
    last minutes (recently_deleted in Linux's fs/ext4/ialloc.c), so otherwise a test run that has
    just removed its files would make each new file ten times as expensive.
    """
    top = Path(tempfile.mkdtemp(prefix="paas-bench-", dir=parent))
    top.chmod(0o755)
    try:
        if own_disk and _mounted(top):
            try:
                yield top / "m"
            finally:
                _unmount(top / "m")
        else:
            yield top
    finally:
        shutil.rmtree(top, ignore_errors=True)


def _mounted(top: Path) -> bool:
    image, point = top / "disk", top / "m"
    point.mkdir()
    try:
        run(["truncate", "--size", SIZE, image])
        # Write all inode tables now: otherwise the kernel writes them in the background.
        options = "lazy_itable_init=0,lazy_journal_init=0"
        run(["mkfs.ext4", "-q", "-F", "-m", "0", "-E", options, image])
        run(["mount", "-o", "loop", image, point])
    except (BenchError, OSError) as error:
        image.unlink(missing_ok=True)
        point.rmdir()
        progress(f" !     No separate file system, so deleted files affect the figures: {error}")
        return False
    shutil.rmtree(point / "lost+found")
    return True


def _unmount(point: Path) -> None:
    """Unmount it as soon as no process uses it; at once where a signal ends the waiting."""

    def gone() -> bool:
        try:
            run(["umount", point])
        except BenchError:
            return False
        return True

    try:
        wait_until(gone, 10, "the unmounting", poll_s=0.2)
    except BenchError:
        progress(f" !     Something still uses {point}.")
    finally:
        if point.is_mount():
            run(["umount", "--lazy", point])
