"""The apps' logs as files: what the log process, Nginx and the platform itself append to.

Each app has logs/ID/app.log and router.log, rotated to app.log.1 and so on by the log process
(paas/entrypoints/logkeeping/process.py); each build has logs/builds/ID.log.
"""

import contextlib
import heapq
import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from paas.adapters.build_log import lines_until
from paas.domain.interfaces import Clock, LogLine
from paas.settings import Settings

POLL_S = 0.1
FIRST_START = " from down to starting"
STARTS = " to starting"  # how the launcher's line ends that begins a process's output
_CHUNK_BYTES = 65_536
_SEARCH_LINES = 50_000
_LINE = re.compile(r"(\S+) (?:(app|paas)\[([^\]]*)\]|(router)): (.*)")


class FileLogs:
    """Logs of domain.interfaces."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._directory = settings.state / "logs"
        self._files = settings.log_files
        self._build_max_bytes = settings.log_file_mib * 1_048_576
        self._clock = clock

    def write(self, app_id: int, process: str, text: str) -> None:
        """Add a line of the platform itself; a full disk loses it, no more."""
        self._add(app_id, f"paas[{process}]: {_one_line(text)}")

    def _add(self, app_id: int, line: str) -> None:
        stamp = self._clock.now().astimezone(UTC).isoformat(timespec="microseconds")
        path = self._path(app_id, "app.log")
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
            _append(path, f"{stamp} {line}\n".encode())

    def write_output(self, app_id: int, process: str, line: bytes) -> None:
        """Add a line that a process of the app printed."""
        text = _one_line(line.decode("utf-8", "replace"))
        self._add(app_id, f"app[{process}]: {text}")

    def tail(self, app_id: int, count: int) -> list[LogLine]:
        """The last lines, oldest first, router lines included."""
        newest_first = heapq.merge(
            self._backwards(app_id, "app.log"),
            self._backwards(app_id, "router.log"),
            key=lambda line: line.at,
            reverse=True,
        )
        return list(itertools.islice(newest_first, max(count, 0)))[::-1]

    def follow(self, app_id: int, stop: Callable[[], bool]) -> Iterator[LogLine]:
        """Lines as they arrive, from this call on, until stop says so."""
        followed = [_Followed(self._path(app_id, name)) for name in ("app.log", "router.log")]
        return self._follow(followed, stop)

    def _follow(self, followed: "list[_Followed]", stop: Callable[[], bool]) -> Iterator[LogLine]:
        try:
            while not stop():
                lines = [line for file in followed for line in file.new_lines()]
                yield from sorted(lines, key=lambda line: line.at)
                if not lines:
                    self._clock.sleep(POLL_S)
        finally:
            for file in followed:
                file.close()

    def instance_tail(self, app_id: int, process: str, count: int) -> list[str]:
        """The last lines that one process printed since it was last started.

        Where it has printed nothing since, those of the start before: a process that crashed is
        started again at once. Never those of another release's process of that name.
        """
        found: list[str] = []
        for line in itertools.islice(self._backwards(app_id, "app.log"), _SEARCH_LINES):
            if line.process != process:
                continue
            if line.source == "app":
                found.append(line.text)
            elif line.text.endswith(FIRST_START) or (found and line.text.endswith(STARTS)):
                break
            if len(found) == count:
                break
        return found[::-1]

    def open_build(self, build_id: str) -> Callable[[bytes], None]:
        """A function that appends one line to the build's output, up to a limit."""
        return self._appender(self._build_path(build_id))

    def build_output(self, build_id: str, stop: Callable[[], bool]) -> Iterator[str]:
        """The lines of a build's output, and those that arrive until stop says so."""
        return lines_until(self._build_path(build_id), stop, self._clock)

    def _build_path(self, build_id: str) -> Path:
        return self._directory / "builds" / f"{build_id}.log"

    def open_release(self, app_id: int, version: int) -> Callable[[bytes], None]:
        """A function that appends one line to a release command's output, up to a limit."""
        return self._appender(self._release_path(app_id, version))

    def release_output(self, app_id: int, version: int) -> list[str]:
        """What the release command printed; none where it did not run."""
        try:
            text = self._release_path(app_id, version).read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            return []
        return text.removesuffix("\n").split("\n")

    def _release_path(self, app_id: int, version: int) -> Path:
        return self._directory / "releases" / f"{app_id}-v{version}.log"

    def _appender(self, path: Path) -> Callable[[bytes], None]:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        left = self._build_max_bytes

        def append(line: bytes) -> None:
            nonlocal left
            if left <= 0:
                return
            left -= len(line) + 1
            end = b"\n" if left > 0 else b"\n(the rest of the output is not kept)\n"
            with contextlib.suppress(OSError):
                _append(path, line + end)

        return append

    def remove(self, app_id: int) -> None:
        """Delete the app's logs; no error where there are none."""
        shutil.rmtree(self._directory / str(app_id), ignore_errors=True)
        for path in (self._directory / "releases").glob(f"{app_id}-v*.log"):
            path.unlink(missing_ok=True)
        for path in (self._directory / "builds").glob(f"{app_id}-*.log"):
            path.unlink(missing_ok=True)

    def _path(self, app_id: int, name: str) -> Path:
        return self._directory / str(app_id) / name

    def _backwards(self, app_id: int, name: str) -> Iterator[LogLine]:
        """The lines of a log and its rotated parts, newest first; what is none is left out."""
        first = self._path(app_id, name)
        rotated = [first.with_name(f"{name}.{number}") for number in range(1, self._files + 1)]
        for path in (first, *rotated):
            try:
                file = path.open("rb")
            except OSError:
                continue
            with file:
                for raw in _lines_backwards(file):
                    line = parse_line(raw)
                    if line is not None:
                        yield line


class _Followed:
    """One growing file, read from its present end; a file that is renamed is read to its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rest = b""
        self._file = self._open()
        if self._file is not None:
            self._file.seek(0, os.SEEK_END)

    def _open(self) -> BinaryIO | None:
        try:
            return self._path.open("rb", buffering=0)
        except OSError:
            return None

    def new_lines(self) -> list[LogLine]:
        """The whole lines that have come since the last call, at most some thousand."""
        if self._file is None:
            self._file = self._open()
        if self._file is None:
            return []
        replaced = self._is_replaced(self._file)  # before the read: then nothing comes after it
        data = self._file.read(16 * _CHUNK_BYTES) or b""
        if not data and replaced:
            self.close()
            self._rest = b""
            return self.new_lines() if self._path.exists() else []
        *whole, self._rest = (self._rest + data).split(b"\n")
        return [line for raw in whole if (line := parse_line(raw)) is not None]

    def _is_replaced(self, file: BinaryIO) -> bool:
        opened = os.fstat(file.fileno())
        try:
            present = self._path.stat()
        except OSError:
            return True
        return present.st_ino != opened.st_ino or present.st_size < file.tell()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def parse_line(raw: bytes) -> LogLine | None:
    """A line of a log file, or None where it has not the form of one."""
    match = _LINE.fullmatch(raw.decode("utf-8", "replace"))
    if match is None:
        return None
    stamp, source, process, router, text = match.groups()
    try:
        at = parse_stamp(stamp)
    except ValueError:
        return None
    return LogLine(at, source or router, process or "", text)


def parse_stamp(stamp: str) -> datetime:
    """The time of a line: ISO 8601, or Nginx's seconds since 1970. Raises ValueError."""
    if "T" in stamp:
        return datetime.fromisoformat(stamp).astimezone(UTC)
    return datetime.fromtimestamp(float(stamp), UTC)


def _lines_backwards(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file from its end, without reading more than is asked for."""
    position = file.seek(0, os.SEEK_END)
    rest = b""
    while position > 0:
        size = min(_CHUNK_BYTES, position)
        position -= size
        file.seek(position)
        rest, *lines = (file.read(size) + rest).split(b"\n")
        yield from (line for line in reversed(lines) if line)
    if rest:
        yield rest


def _append(path: Path, data: bytes) -> None:
    """One write at the end of a file that others append to as well."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    fd = os.open(path, flags, 0o640)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)


def _one_line(text: str) -> str:
    """A text without what would end the line or move a terminal's cursor."""
    return "".join(
        char if char.isprintable() or char == "\t" else repr(char)[1:-1] for char in text
    )
