"""The processes of this machine, as the kernel lists them; one that ends meanwhile is left out."""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import psutil


def processes_of(uid: int) -> set[int]:
    """The pids of a uid's processes that have not ended."""
    found = psutil.process_iter(["uids", "status"])
    mine = [p for p in found if p.info["uids"] and p.info["uids"].real == uid]
    return {p.pid for p in mine if p.info["status"] != psutil.STATUS_ZOMBIE}


def command_lines(uid: int | None = None) -> dict[psutil.Process, list[str]]:
    """The words of each process that has not ended. uid: None is those of all."""
    mine = None if uid is None else processes_of(uid)
    return {
        one: one.info["cmdline"]
        for one in psutil.process_iter(["cmdline"])
        # Neither a zombie nor a thread of the kernel has any.
        if one.info["cmdline"] and (mine is None or one.pid in mine)
    }


def with_words(*words: str, uid: int | None = None) -> set[psutil.Process]:
    """The processes whose command line has each of these, whole or as a part of a word.

    One that another has just forked has the other's command line until it runs its own program.
    """
    return {
        one
        for one, line in command_lines(uid).items()
        if all(any(word in given for given in line) for word in words)
    }


def first_of(found: Collection[psutil.Process]) -> psutil.Process:
    """The only one that no other of them has started, such as PostgreSQL's first process."""
    firsts = [one for one in found if not _has_parent_in(one, found)]
    assert len(firsts) == 1, firsts
    return firsts[0]


def below(pid: int) -> dict[psutil.Process, list[str]]:
    """The words of each process that this one has started, or one of those, and so on."""
    found = {}
    for one in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found[one] = one.cmdline()
    return found


def holder_of(path: Path) -> int | None:
    """A process that has the file open."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            for fd in (process / "fd").iterdir():
                with suppress(OSError):
                    if fd.readlink() == path:
                        return int(process.name)
    return None


def _has_parent_in(one: psutil.Process, found: Collection[psutil.Process]) -> bool:
    """One that has ended was never the first: that does not end by itself."""
    try:
        return one.parent() in found
    except psutil.NoSuchProcess:
        return True
