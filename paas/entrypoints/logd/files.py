"""The log process's files: appended to, rotated by size and age; errors never stop it.

With a full disk or a removed directory lines are lost, counted, and reported once it works again.
"""

import os
import time

from paas.entrypoints.logd.lines import Bucket

APP_LOG = "app.log"
ROUTER_LOG = "router.log"
AGE_LOOK_S = 300
_SIGUSR1 = 10

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class AppLog:
    """One app's log file, with its share of the rate and its lines not written yet."""

    def __init__(self, path: str, *, rotation: "Rotation", bucket: Bucket) -> None:
        self.path = path
        self.bucket = bucket
        self.pipes = 0
        self._rotation = rotation
        self._fd: int | None = None
        self._batch: list[bytes] = []
        self._made = False
        self._torn = False
        self.lost = 0
        self.lost_why = ""

    def add(self, block: bytes) -> None:
        """Keep lines for the next write."""
        if block:
            self._batch.append(block)

    def write(self, stamp: bytes, *, create: bool = True) -> None:
        """Write what was kept; rotate if the file has become too large.

        create: make the app's directory again if it was removed.
        """
        if not self._batch:
            return
        data = b"".join(self._batch)
        self._batch.clear()
        head = b"\n" if self._torn else b""
        if self.lost:
            head += b"%s paas[log]: %d lines were lost: %s\n" % (
                stamp,
                self.lost,
                self.lost_why.encode(),
            )
        try:
            fd = self._open(create)
            written = os.write(fd, head + data)
            if written == len(head) + len(data):
                self._torn, self.lost = False, 0
            else:  # the disk filled up in the middle
                self._torn = True
                self._lose(data[max(written - len(head), 0) :], "the disk is full")
            if os.fstat(fd).st_size >= self._rotation.file_bytes:
                self.close()
                rotate(self.path, self._rotation.files)
        except OSError as error:
            self._lose(data, os.strerror(error.errno or 0))
            self.close()

    def _lose(self, data: bytes, why: str) -> None:
        self.lost += data.count(b"\n")
        self.lost_why = why

    def _open(self, create: bool) -> int:
        if self._fd is None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            try:
                self._fd = os.open(self.path, flags, 0o640)
            except FileNotFoundError:
                if self._made and not create:
                    raise
                os.mkdir(os.path.dirname(self.path), 0o711)
                self._fd = os.open(self.path, flags, 0o640)
            self._made = True
        return self._fd

    def check(self) -> None:
        """Close a file that was removed or renamed by another process."""
        if self._fd is None:
            return
        try:
            if os.stat(self.path).st_ino == os.fstat(self._fd).st_ino:
                return
        except OSError:
            pass
        self.close()

    def close(self) -> None:
        """Close the file; the next write opens it again."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def rotate(path: str, files: int) -> None:
    """Rename app.log to app.log.1, app.log.1 to app.log.2 and so on; keep at most files of them."""
    for number in range(max(files - 2, 0), -1, -1):
        older = path if number == 0 else f"{path}.{number}"
        try:
            os.replace(older, f"{path}.{number + 1}")
        except OSError:
            pass


class Rotation:
    """When log files are renamed, and when they are deleted.

    file_bytes and file_s: how large a file becomes, and how old its first line (0: any age).
    files: how many of each are kept, the current one included; those last written to that many
    times file_s ago are deleted, too.
    """

    def __init__(self, logs: str, *, file_bytes: int, files: int, file_s: int) -> None:
        self._logs = logs
        self.file_bytes = file_bytes
        self.files = files
        self._file_s = file_s
        self._ages_at = 0

    def run(self, now: int, opened: "Mapping[str, AppLog]") -> bool:
        """Rotate old files and those that others write. now: Unix time.

        Others write router.log, and app.log of apps that are not open.

        Returns whether a router.log was rotated, so that Nginx must be signalled.
        """
        by_age = self._file_s > 0 and not 0 <= now - self._ages_at < AGE_LOOK_S
        if by_age:
            self._ages_at = now
        has_router_log = False
        try:
            names = [name for name in os.listdir(self._logs) if name.isdigit()]
        except OSError:
            return False
        for name in names:
            for file in (ROUTER_LOG, APP_LOG):
                path = os.path.join(self._logs, name, file)
                app = opened.get(name) if file == APP_LOG else None
                if by_age:
                    self._remove_old(path, now)
                old = by_age and began_before(path, now - self._file_s)
                if old or (app is None and size_of(path) >= self.file_bytes):
                    if app is not None:
                        app.close()
                    rotate(path, self.files)
                    has_router_log = has_router_log or file == ROUTER_LOG
        return has_router_log

    def _remove_old(self, path: str, now: int) -> None:
        """Delete what was rotated so long ago that an app that keeps logging would have lost it."""
        for number in range(1, self.files + 1):
            older = f"{path}.{number}"
            try:
                if os.stat(older).st_mtime < now - self._file_s * self.files:
                    os.unlink(older)
            except OSError:
                continue


def size_of(path: str) -> int:
    """The size of a file; 0 if there is none."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def began_before(path: str, unix_s: int) -> bool:
    """Whether a log's first line is from before that time. Its stamp is ISO 8601 or Unix time."""
    try:
        with open(path, "rb") as file:
            first = file.read(19)
    except OSError:
        return False
    if first[4:5] == b"-":
        return first < utc(unix_s).encode()
    seconds = first.partition(b".")[0]
    return seconds.isdigit() and int(seconds) < unix_s


def utc(seconds: int) -> str:
    """Whole seconds of Unix time as date and time."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def ask_to_reopen(pid_file: str) -> None:
    """Make Nginx reopen its log files (USR1 to the master), if the pid is Nginx's."""
    try:
        with open(pid_file) as file:
            pid = int(file.read())
        with open(f"/proc/{pid}/comm") as file:
            if file.read().strip() == "nginx":
                os.kill(pid, _SIGUSR1)
    except (OSError, ValueError):
        pass
