"""Waiting for the end of an app's processes."""

import subprocess
from typing import Any, cast

from paas.adapters.runtime.native.process_tree import Members, end_gracefully


class NoCgroups:
    """A machine without cgroups. looks: how often processes were looked for."""

    def __init__(self) -> None:
        self.looks = 0

    def pids(self, _name: str) -> list[int]:
        """None are known by it."""
        self.looks += 1
        return []


def test_processes_are_looked_for_when_one_has_ended() -> None:
    """A look reads all of /proc; until one ends, waiting for the kernel's word is enough."""
    cgroups = NoCgroups()
    child = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, start_new_session=True)
    members = Members(cast("Any", cgroups), frozenset({child.pid}), frozenset({"one"}))
    assert not end_gracefully([members], 0.5)
    assert cgroups.looks <= 8
    child.communicate()
    assert end_gracefully([members], 60)
