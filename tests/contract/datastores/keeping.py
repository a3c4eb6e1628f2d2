"""What tests of dumps of each kind share: objects that keep them, and commands that are killed."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from paas.adapters.backups.encrypted import AgeObjects, open_target
from paas.adapters.backups.settings_file import FileBackupSettings
from paas.domain.backups.targets import LocalTarget
from paas.domain.datastores.datastores import Datastore
from paas.domain.values.errors import PaasError
from paas.interfaces.dumps import DatastoreDumps
from paas.paths import Paths
from tests.processes import with_words
from tests.waiting import wait_for

OBJECT = "x/b001.age"


@dataclass(frozen=True)
class Keeping:
    """Where dumps of one datastore are kept, encrypted, below a directory."""

    dumps: DatastoreDumps
    one: Datastore
    paths: Paths

    @property
    def objects(self) -> AgeObjects:
        """In the platform's own directory."""
        return open_target(LocalTarget(), FileBackupSettings(self.paths), self.paths.backups)

    def keep(self) -> None:
        """What a capture does."""
        with closing(self.dumps.dump(self.one, compressed=True)) as parts:  # type: ignore[type-var]
            self.objects.write(OBJECT, parts, lambda: self.dumps.checking(self.one))

    def bring_back(self) -> None:
        """What a restore does."""
        with self.dumps.spool() as spool:
            self.objects.read(OBJECT, spool.write)
            self.dumps.load(self.one, spool, lambda _text: None)

    def names(self) -> list[str]:
        """Those that are kept."""
        return [found.name for found in self.objects.listing("x")]


def keeping(dumps: DatastoreDumps, one: Datastore, directory: Path) -> Keeping:
    """With a key of its own."""
    return Keeping(dumps, one, Paths(directory, directory, directory, directory))


def refuses_what_was_spoiled(kept: Keeping) -> None:
    """A damaged object, a cut one, one of another key, none: each by name, before anything else."""
    kept.keep()
    path = next(kept.paths.backups.rglob("b001.age"))
    whole = path.read_bytes()
    for spoiled in (whole[:-40] + bytes(40), whole[: len(whole) // 2]):
        path.write_bytes(spoiled)
        _refused(kept, "backup-damaged")
    path.write_bytes(whole)
    key = kept.paths.backup_key.read_bytes()
    kept.paths.backup_key.unlink()
    _refused(kept, "backup-key")
    kept.paths.backup_key.write_bytes(key)
    path.unlink()
    _refused(kept, "backup-missing")
    path.write_bytes(whole)
    kept.bring_back()


def _refused(kept: Keeping, reference: str) -> None:
    with pytest.raises(PaasError) as caught:
        kept.bring_back()
    assert caught.value.reference == reference


def leaves_nothing_on_a_full_disk(kept: Keeping) -> None:
    """The target's disk has a mebibyte, and the dump is larger."""
    kept.paths.backups.mkdir(exist_ok=True)
    with _small_disk(kept.paths.backups):
        with pytest.raises(PaasError) as caught:
            kept.keep()
        assert "space" in caught.value.report or "full" in caught.value.report
        assert kept.names() == []


@contextmanager
def _small_disk(path: Path) -> Iterator[None]:
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(path)]
    subprocess.run(mount, check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


def kill_in_the_middle(work: Callable[[], None], begun: Callable[[], bool]) -> None:
    """Do work in another process, which gets kill -9 once it has begun."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    try:
        wait_for(begun)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def kill_unless_ended(work: Callable[[], None], begun: Callable[[], object]) -> None:
    """The same, but it may be done before it is seen to have begun."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            work()
        finally:
            os._exit(0)
    ended = False

    def may_be_killed() -> object:
        nonlocal ended
        ended = os.waitpid(pid, os.WNOHANG) != (0, 0)
        return ended or begun()

    try:
        wait_for(may_be_killed)
    finally:
        if not ended:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def stalled(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The first part, and then nothing for ever: so that its reader is killed in the middle."""
    yield next(parts)
    signal.pause()


def has_process(*words: str) -> bool:
    """Whether one runs whose command line has all of these; one of them names this server."""
    return bool(with_words(*words))
