"""Which one-off processes run: a file for each number of an app, locked while its process lives.

The lock belongs to the process that waits for it, so the kernel shows when that has ended, however
it ended. Files are not deleted while the app exists, for the same reason as in locks.py.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from paas.adapters.system import files
from paas.adapters.system.flocks import is_held
from paas.domain.runs.runs import Run
from paas.domain.values.errors import PaasError

_TEXT_BYTES = 65_536


class Claim:
    """A number that is ours for as long as this is open, here or in a forked child."""

    def __init__(self, fd: int, number: int, leftover: bool) -> None:
        self.fd = fd
        self.number = number
        self.leftover = leftover

    def write(self, run: Run) -> None:
        """Record what runs under it; readers find it whole or, for a moment, empty."""
        plain = {**asdict(run), "since": run.since.isoformat()}
        text = json.dumps(plain).encode("utf-8", "surrogatepass")
        os.pwrite(self.fd, text.ljust(os.fstat(self.fd).st_size), 0)
        os.ftruncate(self.fd, len(text))

    def release(self) -> None:
        """Nothing runs under the number any longer."""
        os.ftruncate(self.fd, 0)
        os.close(self.fd)

    def leave_to_child(self) -> None:
        """Keep the number taken by the forked child only."""
        os.close(self.fd)


class RunRecords:
    """The records of one server. directory: run/runs."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def claim(self, app_id: int, limit: int) -> Claim:
        """Take the lowest free number. Raises PaasError if limit are taken."""
        files.make_directory(self._directory)
        files.make_directory(self._directory / str(app_id))
        for number in range(1, limit + 1):
            claim = self._try(app_id, number)
            if claim is not None:
                return claim
        raise PaasError(
            "too-many-runs",
            f"The app has {limit} one-off processes, the most that it may have (max_runs).",
            "See and stop them: paas run:list; paas run:stop run.1",
        )

    @contextmanager
    def starting(self, app_id: int, job: str) -> Iterator[None]:
        """Hold the lock for starting runs of a cron job."""
        files.make_directory(self._directory)
        files.make_directory(self._directory / str(app_id))
        path = self._directory / str(app_id) / f"starting-{job}"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def dead(self, app_id: int) -> Iterator[Claim]:
        """The numbers whose keeper was killed, each ours until it is released."""
        for number in self._numbers(app_id):
            if self._path(app_id, number).stat().st_size == 0:
                continue
            claim = self._try(app_id, number)
            if claim is not None and claim.leftover:
                yield claim
            elif claim is not None:
                claim.release()

    def listing(self, app_id: int) -> list[Run]:
        """What runs, by number."""
        found = (self._read(self._path(app_id, number)) for number in self._numbers(app_id))
        return [run for run in found if run is not None]

    def path(self, app_id: int, number: int) -> Path:
        """The launch spec that goes with a number."""
        return self._directory / str(app_id) / f"run.{number}.json"

    def apps(self) -> list[int]:
        """The ids of the apps that ever had a one-off process since the server's start."""
        return sorted(int(path.name) for path in self._directory.glob("[0-9]*"))

    def remove(self, app_id: int) -> None:
        """Forget an app that is gone."""
        directory = self._directory / str(app_id)
        for path in directory.glob("*"):
            files.remove(path)
        if directory.is_dir():
            directory.rmdir()

    def _path(self, app_id: int, number: int) -> Path:
        return self._directory / str(app_id) / f"run.{number}"

    def _numbers(self, app_id: int) -> list[int]:
        names = (path.name for path in (self._directory / str(app_id)).glob("run.*"))
        return sorted(int(name[4:]) for name in names if name[4:].isdigit())

    def _try(self, app_id: int, number: int) -> Claim | None:
        fd = os.open(
            self._path(app_id, number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        return Claim(fd, number, leftover=os.fstat(fd).st_size > 0)

    def _read(self, path: Path) -> Run | None:
        """The process that a record describes; None if no process holds its lock."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        try:
            return _run(os.pread(fd, _TEXT_BYTES, 0)) if is_held(fd) else None
        finally:
            os.close(fd)


def _run(text: bytes) -> Run | None:
    try:
        plain: dict[str, Any] = json.loads(text)
        return Run(**{**plain, "since": datetime.fromisoformat(plain["since"])})
    except (ValueError, KeyError, TypeError):
        return None
