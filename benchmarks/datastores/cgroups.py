"""Cgroups beside those of the server's instances, for the load and for what is made by hand.

The kernel divides the processors among cgroups and sessions, whatever runs in them (sched(7), "The
autogroup feature"). PostgreSQL makes a session for each connection, so one outside of all cgroups
would get a part for each of them. Services of systemd, such as Debian's, have a cgroup each.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.server import Server

_JOIN = 'for file in $0; do echo 0 > "$file" || exit 1; done; exec "$@"'


@contextmanager
def cgroup(server: Server, name: str) -> Iterator[tuple[str, ...]]:
    """Words before a program that runs in a new one, which it joins as root."""
    recorded = json.loads((server.root / "run/cgroups.json").read_text())
    folders = [Path(place["path"]) / name for place in recorded]
    for folder in folders:
        folder.mkdir()
    try:
        yield ("sh", "-c", _JOIN, " ".join(f"{folder}/cgroup.procs" for folder in folders))
    finally:
        for folder in folders:
            with suppress(OSError):  # what does not end in time goes with the server
                folder.rmdir()
