"""The settings of a server's backups and their key, in files beside its own settings.

Only root can read ``backups.json`` and ``backups.key``. The key's file is in the form that age and
rage read: ``age -d -i backups.key``.
"""

import contextlib
import json
import os
import secrets
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from paas.adapters.backups.age import BadKeyError, new_key, read_key
from paas.adapters.system.files import read_bytes, read_json, sync_directory, write_atomic
from paas.domain.backups.keys import BackupKey
from paas.domain.backups.targets import LocalTarget, S3Target, Target
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.paths import Paths

_HEAD = """\
# The key of this paas server's backups: it decrypts them, with paas or with: age -d -i FILE
# Without it they are lost: keep a copy of this file, apart from the backups.
"""
_IDENTITY = "AGE-SECRET-KEY-1"


class FileBackupSettings:
    """`BackupSettings` in two files."""

    def __init__(self, paths: Paths) -> None:
        self._settings, self._key = paths.backup_settings, paths.backup_key

    def target(self) -> Target:
        """See `BackupSettings`."""
        raw = self._read().get("target")
        if raw is None:
            return LocalTarget()
        try:
            return _target(raw)
        except (KeyError, TypeError, AttributeError) as error:
            raise self._damaged() from error

    def set_target(self, target: Target) -> None:
        """See `BackupSettings`."""
        self._change(target=_plain(target))

    def key(self) -> BackupKey:
        """See `BackupSettings`."""
        data = read_bytes(self._key)
        if data is None:
            self._make_key()
            data = read_bytes(self._key) or b""
        lines = data.decode("ascii", "replace").splitlines()
        identity = next((line for line in lines if line.startswith(_IDENTITY)), "")
        try:
            return read_key(identity.strip())
        except BadKeyError as error:
            raise PaasError(
                "backup-key-file",
                f"{self._key} contains no key, or a damaged one.",
                f"Put the copy that you saved in its place: a line that begins with {_IDENTITY}",
            ) from error

    def saved_at(self) -> datetime | None:
        """See `BackupSettings`."""
        known = self._read()
        if known.get("key_saved") != self.key().id:
            return None
        return datetime.fromisoformat(str(known.get("key_saved_at")))

    def note_saved(self, at: datetime) -> None:
        """See `BackupSettings`."""
        self._change(key_saved=self.key().id, key_saved_at=at.isoformat())

    def _make_key(self) -> None:
        """Put a new key there, unless another process was faster."""
        made = self._key.with_name(f".{self._key.name}.{secrets.token_hex(6)}.tmp")
        write_atomic(made, f"{_HEAD}{new_key().identity.reveal()}\n", mode=0o600)
        try:
            with contextlib.suppress(FileExistsError):
                os.link(made, self._key)
        finally:
            made.unlink()
        sync_directory(self._key.parent)

    def _change(self, **values: object) -> None:
        changed = {**self._read(), **values}
        write_atomic(self._settings, json.dumps(changed, indent=2) + "\n", mode=0o600)

    def _read(self) -> dict[str, object]:
        found = read_json(self._settings)
        if found is None and self._settings.exists():
            raise self._damaged()
        return found or {}

    def _damaged(self) -> PaasError:
        return PaasError(
            "backup-settings",
            f"{self._settings} is damaged.",
            "Remove it and set the target again: paas backups:target",
        )


def _plain(target: Target) -> dict[str, str | None]:
    if isinstance(target, LocalTarget):
        directory = str(target.directory) if target.directory is not None else None
        return {"kind": "local", "directory": directory}
    return {
        "kind": "s3",
        "bucket": target.bucket,
        "endpoint": target.endpoint,
        "region": target.region,
        "prefix": target.prefix,
        "access_key": target.access_key,
        "secret_key": target.secret_key.reveal(),
    }


def _target(raw: Any) -> Target:
    if raw["kind"] == "local":
        directory = raw["directory"]
        return LocalTarget(PurePosixPath(directory) if directory is not None else None)
    return S3Target(
        raw["bucket"],
        raw["endpoint"],
        raw["region"],
        raw["prefix"],
        raw["access_key"],
        Secret(raw["secret_key"]),
    )
