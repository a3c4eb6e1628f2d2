"""Reads what ``pgbackrest verify`` says about the files of an archive: pure.

https://pgbackrest.org/command.html#command-verify
"""

import re
from collections.abc import Iterable

_NAMED = re.compile(
    r"INFO: (?:(?:file missing|invalid checksum|invalid size) '([^']+)'|invalid result (\S+):)"
)
# Of a backup, files are told by their names in the data directory, though many are in one object.
_OF_BACKUP = "/pg_data/"
_NAMED_MAX = 5


def damage(lines: Iterable[str]) -> list[str]:
    """Which files are missing or damaged, in sentences; empty if none are."""
    backups: dict[str, list[str]] = {}
    others = []
    for line in lines:
        if (found := _NAMED.search(line)) is None:
            continue
        name = found[1] or found[2]
        if _OF_BACKUP in name:
            label, _, file = name.partition("/")
            backups.setdefault(label, []).append(file)
        else:
            others.append(f"{name} is missing or damaged.")
    return [
        *(
            f"Of the backup {label}, {len(files)} file{'' if len(files) == 1 else 's'} cannot be "
            f"read, such as {files[0]}."
            for label, files in backups.items()
        ),
        *others[:_NAMED_MAX],
    ]
