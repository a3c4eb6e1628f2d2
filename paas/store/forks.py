"""Closes SQLite connections before a fork, because a child that inherits one can lose changes.

A child inherits SQLite's list of open files. If its parent has the database open, SQLite in the
child believes that its process already holds the file locks, and takes none. Another process may
then remove the write-ahead log that the child writes its changes to
(https://sqlite.org/howtocorrupt.html, section 2.6).
"""

import os
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """Something that holds a connection to a database."""

    def close_before_fork(self) -> bool:
        """Close the connection; False if that is not possible here and now."""


_known: WeakSet[Forkable] = WeakSet()
_left_open = False
_is_unusable = False


def watch(database: Forkable) -> None:
    """Have it closed before each fork of this process."""
    _known.add(database)


def refuse_inherited() -> None:
    """Raises RuntimeError in a child whose parent had a database open when it forked."""
    if _is_unusable:
        raise RuntimeError("the database was open when this process was forked")


def _before() -> None:
    global _left_open
    _left_open = False
    for database in list(_known):
        _left_open = not database.close_before_fork() or _left_open


def _in_child() -> None:
    global _is_unusable
    _is_unusable = _is_unusable or _left_open


os.register_at_fork(before=_before, after_in_child=_in_child)
