"""The names of apps on servers that files of tests share: each file has names of its own.

Which files meet on the same server differs from run to run. A name that two of them use would
only sometimes fail a test; this fails whenever both ran.
"""

import json
from pathlib import Path

from tests.e2e.server import Server
from tests.run_directory import run_directory

# Made by fixtures of the session, for all files.
FOR_ALL = {"probe", "neighbour"}
# What else happens to an app may do so, or be recorded, when another file's tests have begun.
MAKES = {"apps:create", "git-receive-pack"}


class SharedServer:
    """A server of the session; its trail of changes says which apps each file had."""

    def __init__(self, server: Server, name: str) -> None:
        self._server = server
        self._claims = run_directory() / "app-names" / name
        self._claims.mkdir(parents=True, exist_ok=True)
        self._read = 0

    def claim(self, file: str) -> list[str]:
        """Take the names that changed since the last call; returns those of other files."""
        return [
            f"{name} (also in {owner})"
            for name in sorted(self._names() - FOR_ALL)
            if (owner := _owner(self._claims / name, file)) != file
        ]

    def _names(self) -> set[str]:
        trail = sorted((self._server.state / "audit").glob("*.jsonl"))
        lines = [line for path in trail for line in path.read_text().splitlines()]
        events = [json.loads(line) for line in lines[self._read :]]
        self._read = len(lines)
        names = [event["app"] for event in events if event.get("command") in MAKES]
        # "…" stands for a word that cannot be a name.
        return {name for name in names if name and name.isascii()}


def _owner(claim: Path, file: str) -> str:
    try:
        with claim.open("x") as new:
            new.write(file)
    except FileExistsError:
        return claim.read_text()
    return file
