"""The files of the audit trail: JSON lines, one file a month.

``audit/2026-11.jsonl`` and so on, 0640 root:root in a directory that only root may enter. Whoever
appends locks the directory itself, cuts off a torn last line (of a write that was interrupted and
so never acknowledged), writes one line and syncs it. What an instant leaves behind is a whole line
or none.
"""

import fcntl
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from paas.adapters.logs.log_files import lines_backwards
from paas.adapters.system.disk_faults import disk_fault
from paas.adapters.system.files import make_directory
from paas.domain.audit.lines import Fields, Link, Verdict, check, follow_on, seal
from paas.domain.values.errors import PaasError

POLL_S = 0.25
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})\.jsonl")
_MODE = 0o640
_BLOCK_BYTES = 1_048_576
_TAIL_LINES = 1_000


@dataclass(frozen=True, slots=True)
class Place:
    """How far somebody has read: in which file, and how many bytes of it."""

    file: str
    offset: int


START_PLACE = Place("", 0)


class AuditFiles:
    """interfaces.AuditTrail. marks: a file whose bytes are locked by the changes that run.

    days: how long lines are kept at least; 0: for ever.
    """

    def __init__(self, directory: Path, marks: Path, *, days: int) -> None:
        self._directory = directory
        self._marks = marks
        self._days = days
        self._mark: int | None = None

    def begin(self, fields: Fields, at: datetime) -> int:
        with self._locked() as directory:
            line, link = self._next(fields)
            try:
                self._set_mark(link.n)  # before anybody reads the line
                self._append(directory, line, at)
            except BaseException:
                self._clear_mark()
                raise
        return link.n

    def end(self, fields: Fields, at: datetime) -> int:
        with self._locked() as directory:
            line, link = self._next(fields)
            self._append(directory, line, at)
        self._clear_mark()
        return link.n

    def is_running(self, n: int) -> bool:
        try:
            fd = os.open(self._marks, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, n)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(fd)

    def lines(self) -> Iterator[bytes]:
        for path in reversed(self._files()):
            with suppress(FileNotFoundError), path.open("rb") as file:  # it may have expired
                yield from lines_backwards(file, _whole_bytes(file.fileno()))

    def follow(self, stop: Callable[[], bool]) -> Iterator[list[bytes]]:
        return self._follow(self._end(), stop)

    def _follow(self, place: Place, stop: Callable[[], bool]) -> Iterator[list[bytes]]:
        while not stop():
            batch, place = self.after(place, _BLOCK_BYTES)
            yield batch
            time.sleep(POLL_S)

    def after(self, place: Place, most_bytes: int) -> tuple[list[bytes], Place]:
        """The next lines after a place, about so many bytes of them, and the place after these."""
        for path in self._files():
            if path.name < place.file:
                continue
            start = place.offset if path.name == place.file else 0
            data = _read_from(path, start, most_bytes)
            place = Place(path.name, start + len(data))
            if data:
                return data.splitlines(), place
        return [], place

    def check(self, *, all_files: bool) -> Verdict:
        paths = self._files()
        return check(_placed(paths if all_files else paths[-1:]))

    def expire(self, now: datetime) -> None:
        if not self._days:
            return
        oldest = f"{now.astimezone(UTC) - timedelta(days=self._days):%Y-%m}.jsonl"
        # The last file is what the next line follows.
        for path in self._files()[:-1]:
            if path.name < oldest:
                path.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Hold the lock of the directory; it is made if it is missing. Yields its descriptor.

        What goes wrong meanwhile is raised as PaasError.
        """
        try:
            directory = self._open_directory()
            try:
                fcntl.flock(directory, fcntl.LOCK_EX)
                yield directory
            finally:
                os.close(directory)
        except OSError as error:
            raise disk_fault(error, self._directory) or PaasError(
                "audit-not-written",
                f"The audit trail in {self._directory} cannot be written: {error.strerror}.",
                "The server's administrator can find the cause with: sudo paas doctor",
            ) from error

    def _open_directory(self) -> int:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            directory = os.open(self._directory, flags)
        except FileNotFoundError:
            make_directory(self._directory, mode=0o700)
            directory = os.open(self._directory, flags)
        found = os.fstat(directory)
        if found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return directory
        os.close(directory)
        raise _foreign(self._directory, "0700")

    def _next(self, fields: Fields) -> tuple[bytes, Link]:
        """The line with these fields, with its newline, and its link. Under the lock."""
        line, link = seal(follow_on(islice(self.lines(), _TAIL_LINES)), fields)
        return line + b"\n", link

    def _append(self, directory: int, line: bytes, at: datetime) -> None:
        """Add a line; on failure the files are as they were before."""
        path = self._directory / f"{at.astimezone(UTC):%Y-%m}.jsonl"
        # Never an older file than the last one, whatever the clock says.
        present = self._files()[-1:]
        is_new = not present or path > present[0]
        if is_new and present:
            os.close(_open_cut(present[0]))
        fd = _open_cut(path if is_new else present[0])
        try:
            size = os.fstat(fd).st_size
            try:
                _write(fd, line)
                os.fdatasync(fd)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(fd, size)
                raise
        finally:
            os.close(fd)
        if is_new:
            os.fsync(directory)

    def _set_mark(self, n: int) -> None:
        """Lock the byte of this change, until this process ends; its children do not have it.

        The kernel frees it with the process, and when the process closes any descriptor of the file
        (fcntl(2), record locks): so whoever has a mark does not ask for those of others.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._marks.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        self._mark = os.open(self._marks, flags, 0o600)
        fcntl.lockf(self._mark, fcntl.LOCK_EX, 1, n)

    def _clear_mark(self) -> None:
        if self._mark is not None:
            os.close(self._mark)
            self._mark = None

    def _files(self) -> list[Path]:
        """The files, oldest first."""
        try:
            return sorted(p for p in self._directory.iterdir() if _MONTH.fullmatch(p.name))
        except FileNotFoundError:
            return []

    def _end(self) -> Place:
        """Where the last file ends."""
        paths = self._files()
        if not paths:
            return START_PLACE
        with paths[-1].open("rb") as file:
            return Place(paths[-1].name, _whole_bytes(file.fileno()))


def _open_cut(path: Path) -> int:
    """Open a file of ours to append to it, without a torn last line; made if it is missing."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(path, flags, _MODE)
    found = os.fstat(fd)
    is_ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
    if not is_ours or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        os.close(fd)
        raise _foreign(path, "0640")
    size = _whole_bytes(fd)
    if size != found.st_size:
        os.ftruncate(fd, size)
    return fd


def _foreign(path: Path, mode: str) -> PaasError:
    return PaasError(
        "audit-foreign",
        f"{path} belongs to the audit trail, but accounts other than root can write to it.",
        f"Find out who changed that, then: sudo chown root:root {path}; sudo chmod {mode} {path}",
    )


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _whole_bytes(fd: int) -> int:
    """The size of a file without a torn last line."""
    size = os.fstat(fd).st_size
    while size:
        start = max(0, size - _BLOCK_BYTES)
        found = os.pread(fd, size - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        size = start
    return 0


def _read_from(path: Path, position: int, most_bytes: int) -> bytes:
    """Whole lines from a position on."""
    try:
        with path.open("rb") as file:
            file.seek(position)
            data = file.read(most_bytes)
    except FileNotFoundError:
        return b""
    return data[: data.rfind(b"\n") + 1]


def _placed(paths: list[Path]) -> Iterator[tuple[str, bytes]]:
    """The lines of these files, oldest first, each with its place."""
    for path in paths:
        with path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                if raw.endswith(b"\n") or path != paths[-1]:
                    yield f"{path.name}, line {number}", raw.removesuffix(b"\n")
