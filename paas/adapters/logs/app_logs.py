"""The apps' logs as files: written by the log process, Nginx and the platform itself.

Each app has logs/ID/app.log and router.log, rotated to app.log.1 and so on by the log process
(paas/entrypoints/logd/process.py); each build has logs/builds/ID.log.
"""

import contextlib
import heapq
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from pathlib import Path

from paas.adapters.logs.log_files import Followed, lines_backwards, parse_line
from paas.adapters.logs.log_marks import Mark, parse_mark
from paas.domain.logs.loglines import EVERY_LINE, LogFilter
from paas.interfaces import Clock, LogLine
from paas.settings import Settings

POLL_S = 0.1
# Between two looks at a log that is followed. Each look and what it finds costs each follower and
# the process that sends it on some 0.2 ms, and there may be hundreds of them.
FOLLOW_S = 0.3
FIRST_START = " from down to starting"
STARTS = " to starting"  # how the launcher's line ends that begins a process's output
_SEARCH_LINES = 50_000
_CHUNK_BYTES = 65_536
# How far the lines of a file may be out of order: several programs write and stamp them.
_DISORDER = timedelta(seconds=10)


class FileLogs:
    """Logs of interfaces."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._directory = settings.paths.logs
        self._files = settings.log_files
        self._build_max_bytes = settings.log_file_mib * 1_048_576
        self._outputs = settings.keep_outputs
        self._clock = clock

    def write(self, app_id: int, process: str, text: str) -> None:
        """Add a line from the platform itself; a full disk loses it, with no other effect."""
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

    def tail(self, app_id: int, count: int, wanted: LogFilter = EVERY_LINE) -> list[LogLine]:
        """The last matching lines, oldest first, router lines included."""
        return self._tail(app_id, count, wanted, {})

    def _tail(
        self, app_id: int, count: int, wanted: LogFilter, ends: "dict[str, Followed]"
    ) -> list[LogLine]:
        newest_first = heapq.merge(
            *(self._backwards(app_id, name, wanted, ends.get(name)) for name in _names(wanted)),
            key=lambda line: line.at,
            reverse=True,
        )
        found = filter(wanted.takes, newest_first)
        return list(itertools.islice(found, max(count, 0)))[::-1]

    def follow(
        self,
        app_id: int,
        stop: Callable[[], bool],
        wanted: LogFilter = EVERY_LINE,
        count: int = 0,
    ) -> Iterator[LogLine]:
        """The last lines, then new ones from this call on, until stop returns true."""
        followed = {name: Followed(self._path(app_id, name)) for name in _names(wanted)}
        first = self._tail(app_id, count, wanted, followed)
        return itertools.chain(first, self._follow(list(followed.values()), stop, wanted))

    def _follow(
        self, followed: list[Followed], stop: Callable[[], bool], wanted: LogFilter
    ) -> Iterator[LogLine]:
        try:
            while not stop():
                lines = [line for file in followed for line in file.new_lines()]
                yield from filter(wanted.takes, sorted(lines, key=lambda line: line.at))
                self._pause(followed)
        finally:
            for file in followed:
                file.close()

    def resumable(
        self,
        app_id: int,
        stop: Callable[[], bool],
        wanted: LogFilter,
        count: int,
        after: str,
    ) -> Iterator[tuple[str, LogLine]]:
        """As `follow`, each with a mark: given as after, it continues behind that line."""
        names = _names(wanted)
        mark = parse_mark(after, names)
        at = mark.places if mark is not None else [None] * len(names)
        files = [
            Followed(self._path(app_id, name), place) for name, place in zip(names, at, strict=True)
        ]
        try:
            places = [file.place for file in files]
            left = count if mark is None else min(mark.left, count)
            ends = dict(zip(names, files, strict=True))
            first = self._tail(app_id, left, wanted, ends) if left else []
            for number, line in enumerate(first, 1):
                yield str(Mark(len(first) - number, tuple(places))), line
            while not stop():
                for line, index, place in _merged(files):
                    places[index] = place
                    if wanted.takes(line):
                        yield str(Mark(0, tuple(places))), line
                self._pause(files)
        finally:
            for file in files:
                file.close()

    def _pause(self, files: list[Followed]) -> None:
        if not any(file.is_behind for file in files):
            self._clock.sleep(FOLLOW_S)

    def instance_tail(
        self, app_id: int, process: str, count: int, *, ended: bool = False
    ) -> list[str]:
        """The last lines that one process printed since it was last started.

        If it has printed nothing since, those of the previous start: a process that crashed is
        restarted at once. ended: those of the previous start in any case, if it printed something.
        Never those of another release's process of that name.
        """
        found: list[str] = []
        newer: list[str] = []
        for line in itertools.islice(self._backwards(app_id, "app.log"), _SEARCH_LINES):
            if line.process != process:
                continue
            if line.source == "app":
                found.append(line.text)
            elif line.text.endswith(FIRST_START):
                break
            elif line.text.endswith(STARTS) and ended:
                newer, found, ended = found, [], False
            elif line.text.endswith(STARTS) and found:
                break
            if len(found) == count and not ended:
                break
        return (found or newer)[:count][::-1]

    def open_build(self, build_id: str) -> Callable[[bytes], None]:
        """A function that appends one line to the build's output, up to a limit."""
        path = self._build_path(build_id)
        self._make_room(path, f"{build_id.partition('-')[0]}-*.log")
        return self._appender(path)

    def build_output(self, build_id: str, stop: Callable[[], bool]) -> Iterator[str]:
        """The lines of a build's output, and new ones until stop returns true."""
        return lines_until(self._build_path(build_id), stop, self._clock)

    def _build_path(self, build_id: str) -> Path:
        return self._directory / "builds" / f"{build_id}.log"

    def open_release(self, app_id: int, version: int) -> Callable[[bytes], None]:
        """A function that appends one line to a release command's output, up to a limit."""
        path = self._release_path(app_id, version)
        self._make_room(path, f"{app_id}-v*.log")
        return self._appender(path)

    def release_output(self, app_id: int, version: int) -> list[str]:
        """What the release command printed; nothing if it did not run."""
        try:
            text = self._release_path(app_id, version).read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            return []
        return text.removesuffix("\n").split("\n")

    def release_lines(self, app_id: int, version: int, stop: Callable[[], bool]) -> Iterator[str]:
        """The same, and new lines until stop returns true."""
        return lines_until(self._release_path(app_id, version), stop, self._clock)

    def _release_path(self, app_id: int, version: int) -> Path:
        return self._directory / "releases" / f"{app_id}-v{version}.log"

    def _make_room(self, new: Path, pattern: str) -> None:
        """Delete the oldest outputs, so that a new one stays within the number that is kept."""
        present = sorted(new.parent.glob(pattern), key=_written_at, reverse=True)
        for path in present[max(self._outputs - 1, 0) :]:
            path.unlink(missing_ok=True)

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
        """Delete the app's logs; no error if there are none."""
        shutil.rmtree(self._directory / str(app_id), ignore_errors=True)
        for path in (self._directory / "releases").glob(f"{app_id}-v*.log"):
            path.unlink(missing_ok=True)
        for path in (self._directory / "builds").glob(f"{app_id}-*.log"):
            path.unlink(missing_ok=True)

    def _path(self, app_id: int, name: str) -> Path:
        return self._directory / str(app_id) / name

    def _backwards(
        self,
        app_id: int,
        name: str,
        wanted: LogFilter = EVERY_LINE,
        followed: Followed | None = None,
    ) -> Iterator[LogLine]:
        """The lines of a log and its rotated parts, newest first; malformed lines are left out.

        Lines that cannot match may be left out, too. followed: include only what came before it.
        """
        first = self._path(app_id, name)
        rotated = [first.with_name(f"{name}.{number}") for number in range(1, self._files + 1)]
        oldest = wanted.since - _DISORDER if wanted.since else None
        needle = wanted.grep.encode().lower() if wanted.grep else b""
        for path in (first, *rotated):
            for raw in _lines_of(path, followed):
                # Parsing lines that are not wanted would take most of the time.
                if needle and needle not in raw.lower() and needle.isascii():
                    continue
                line = parse_line(raw)
                if line is None:
                    continue
                if oldest is not None and line.at < oldest:
                    return
                yield line


def _lines_of(path: Path, followed: Followed | None) -> Iterator[bytes]:
    """The lines of one file, newest first; of the followed file, those before its start."""
    try:
        file = path.open("rb")
    except OSError:
        return
    with file:
        end, inode = None, os.fstat(file.fileno()).st_ino
        if followed is not None and inode in followed.later:
            return
        if followed is not None and inode == followed.inode:
            end = followed.start
        elif followed is not None and not path.suffix[1:].isdigit():
            return  # created since then: it will be followed from its beginning
        yield from lines_backwards(file, end)


def _merged(files: list[Followed]) -> Iterator[tuple[LogLine, int, tuple[int, int]]]:
    """New lines by time, but those of one file in its order, so that its place only grows."""
    batches = [
        [(line, index, place) for line, place in file.new_entries()]
        for index, file in enumerate(files)
    ]
    return heapq.merge(*batches, key=lambda entry: entry[0].at)


def _names(wanted: LogFilter) -> list[str]:
    """The files that may contain a matching line."""
    names = ((wanted.wants_others, "app.log"), (wanted.wants_requests, "router.log"))
    return [name for is_wanted, name in names if is_wanted]


def _written_at(path: Path) -> float:
    """When a file was last written to; one that has been deleted meanwhile counts as the oldest."""
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_mtime
    return 0.0


def _append(path: Path, data: bytes) -> None:
    """Append with a single write to a file that others append to as well."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    fd = os.open(path, flags, 0o640)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)


def _one_line(text: str) -> str:
    """A text without anything that would end the line or move a terminal's cursor."""
    return "".join(
        char if char.isprintable() or char == "\t" else repr(char)[1:-1] for char in text
    )


def lines_until(path: Path, stop: Callable[[], bool], clock: Clock) -> Iterator[str]:
    """The lines of a growing file; at its end, new ones until stop returns true.

    The file may not exist yet. Lines that arrive before stop returns true are not lost.
    """
    rest, position = b"", 0
    while True:
        stopped = stop()
        while chunk := _read(path, position):
            position += len(chunk)
            *whole, rest = (rest + chunk).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in whole)
        if stopped:
            break
        clock.sleep(POLL_S)
    if rest:
        yield rest.decode("utf-8", "replace")


def _read(path: Path, position: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(position)
            return file.read(_CHUNK_BYTES)
    except FileNotFoundError:
        return b""
