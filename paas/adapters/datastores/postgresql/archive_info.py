"""Reads the output of ``pgbackrest info --output=json``, whose exit status says nothing.

https://pgbackrest.org/command.html#command-info
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from paas.domain.datastores.archives import BaseBackup, Holdings
from paas.domain.values.errors import PaasError

# Codes of its status.
_OK, _NO_PATH, _NO_BACKUP, _NO_DATA = 0, 1, 2, 3
# What it says of a file that another passphrase opens, of which it tried two copies.
_OTHER_KEY = ("CryptoError", "FormatError")


def read_info(name: str, lines: Sequence[str]) -> Holdings | None:
    """What an archive contains; None if it does not exist. Raises PaasError."""
    start = next((n for n, line in enumerate(lines) if line.startswith("[")), None)
    try:
        found = json.loads("\n".join(lines[start:]), strict=False) if start is not None else None
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise _unreadable(name, "pgBackRest printed no answer.", lines[-10:])
    if not found:
        return None
    try:
        return _holdings(name, found[0])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise _unreadable(name, f"pgBackRest's answer lacks {error}.", ()) from error


def _holdings(name: str, stanza: dict[str, Any]) -> Holdings | None:
    status = stanza["status"]
    code, message = status["code"], str(status["message"])
    if code in (_NO_PATH, _NO_DATA):
        return None
    if code not in (_OK, _NO_BACKUP):
        # The reason is in the status of the repository.
        words = " ".join(str(repo["status"]["message"]) for repo in stanza["repo"]) or message
        if any(sign in words for sign in _OTHER_KEY):
            raise PaasError(
                "archive-key",
                f"The archive {name} cannot be opened with this server's backup key.",
                "It was encrypted with another key. See which one this server has: "
                "paas backups:key",
            )
        raise _unreadable(name, f"{message}.", words.splitlines()[-5:])
    # Backups of a former major version stay until they expire, and another server restores them.
    present = stanza["db"][-1]
    backups = (one for one in stanza["backup"] if one["database"]["id"] == present["id"])
    return Holdings(
        tuple(_backup(one) for one in backups if not one.get("error")), str(present["version"])
    )


def _backup(plain: dict[str, Any]) -> BaseBackup:
    stamp, info = plain["timestamp"], plain["info"]
    return BaseBackup(
        label=str(plain["label"]),
        full=plain["type"] == "full",
        started=datetime.fromtimestamp(stamp["start"], UTC),
        stopped=datetime.fromtimestamp(stamp["stop"], UTC),
        size_bytes=int(info["size"]),
        stored_bytes=int(info["repository"]["delta"]),
    )


def parse_seconds(text: str) -> datetime | None:
    """Seconds since 1970, as PostgreSQL prints them; an empty text is None."""
    return datetime.fromtimestamp(float(text), UTC) if text else None


def _unreadable(name: str, why: str, context: Sequence[str]) -> PaasError:
    return PaasError(
        "archive-unreadable",
        f"The archive {name} cannot be read: {why}",
        "Check that the target is there: paas backups:target",
        context=context,
    )
