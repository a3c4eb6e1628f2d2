"""Backups in memory: their settings, and the objects of each target."""

import hashlib
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime

from paas.domain.backups.keys import BackupKey
from paas.domain.backups.targets import LocalTarget, Target
from paas.domain.values.errors import BackupMissingError, PaasError
from paas.domain.values.secret import Secret
from paas.interfaces.backups import Checking, Sink, StoredObject, Written

KEY = BackupKey(Secret("AGE-SECRET-KEY-1CANARY"), Secret("age1canary"))


class FakeBackupSettings:
    """`BackupSettings`."""

    def __init__(self) -> None:
        self.chosen: Target = LocalTarget()
        self.saved: datetime | None = None

    def target(self) -> Target:
        return self.chosen

    def set_target(self, target: Target) -> None:
        self.chosen = target

    def key(self) -> BackupKey:
        return KEY

    def saved_at(self) -> datetime | None:
        return self.saved

    def note_saved(self, at: datetime) -> None:
        self.saved = at


class FakeEncryptedObjects:
    """`EncryptedObjects` of one target. kept: by name. fail: raised by the next use.

    damaged: the names of those that cannot be read any more.
    """

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.damaged: set[str] = set()
        self.fail: PaasError | None = None
        self.begun = False

    def begin(self) -> None:
        self._may_fail()
        self.begun = True

    def write(
        self, name: str, source: Iterator[bytes], checking: Checking | None = None
    ) -> Written:
        self._may_fail()
        content = b"".join(source)
        with (checking or (lambda: nullcontext(lambda _data: None)))() as check:
            check(content)
        self.kept[name] = content
        return Written(len(content), len(content) + 200, hashlib.sha256(content).hexdigest())

    def read(self, name: str, sink: Sink) -> None:
        self._may_fail()
        if name not in self.kept:
            raise BackupMissingError("backup-missing", f"There is no {name} in memory.")
        if name in self.damaged:
            raise PaasError("backup-damaged", f"{name} is damaged.")
        sink(self.kept[name])

    def listing(self, prefix: str) -> list[StoredObject]:
        self._may_fail()
        return [
            StoredObject(name, len(content))
            for name, content in sorted(self.kept.items())
            if name.startswith(f"{prefix}/")
        ]

    def delete(self, name: str) -> None:
        self._may_fail()
        self.kept.pop(name, None)

    def _may_fail(self) -> None:
        if self.fail is not None:
            raise self.fail


class TargetsInMemory:
    """Opens targets; each keeps its own objects."""

    def __init__(self) -> None:
        self.opened: dict[str, FakeEncryptedObjects] = {}

    def __call__(self, target: Target) -> FakeEncryptedObjects:
        return self.opened.setdefault(target.words, FakeEncryptedObjects())

    @property
    def own(self) -> FakeEncryptedObjects:
        """Those of the platform's own directory."""
        return self(LocalTarget())
