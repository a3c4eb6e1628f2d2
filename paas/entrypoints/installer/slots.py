"""The slots of this machine's embedded servers, so that no two share uids or ports.

Slot N has the uids 100000+1000*N to +999, the ports 10000+200*N to +199, and for datastores the
ports 10000+4*N to +3, which are in the part of slot 0 that nobody has. A slot is a file that
contains the server's directory; slots of directories that no longer exist are reused.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from paas.entrypoints.installer.plan import InstallError

SLOTS = Path("/var/lib/paas-embedded/slots")
LAST_SLOT = 49


def uids(slot: int) -> tuple[int, int]:
    """First and last uid of a slot."""
    first = 100_000 + 1_000 * slot
    return first, first + 999


def ports(slot: int) -> tuple[int, int]:
    """First and last port of a slot."""
    first = 10_000 + 200 * slot
    return first, first + 199


def service_ports(slot: int) -> tuple[int, int]:
    """First and last port of a slot's datastores."""
    first = 10_000 + 4 * slot
    return first, first + 3


@contextmanager
def _locked(slots: Path) -> Iterator[None]:
    slots.mkdir(parents=True, exist_ok=True)
    with (slots.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def taken(slots: Path = SLOTS) -> dict[int, str]:
    """The directory of each slot. An empty file (from a crash of the machine) counts as free."""
    if not slots.is_dir():
        return {}
    found = {int(f.name): f.read_text() for f in slots.iterdir() if f.name.isdigit()}
    return {slot: root for slot, root in found.items() if root}


def take(
    root: str, slots: Path = SLOTS, is_usable: Callable[[int], bool] = lambda _slot: True
) -> int:
    """The slot of a server's directory: the one that it has, or the first that is free.

    is_usable: whether none of its uids and ports were chosen for another server.
    """
    with _locked(slots):
        mine = taken(slots)
        for slot, owner in mine.items():
            if owner == root:
                return slot
        for slot in range(1, LAST_SLOT + 1):
            if (slot not in mine or not Path(mine[slot]).exists()) and is_usable(slot):
                (slots / str(slot)).write_text(root)
                return slot
    raise InstallError(
        f"This machine has {LAST_SLOT} embedded servers, which is the maximum; {slots} lists them.",
        "Remove one with: ./install.sh --root DIR --uninstall --purge",
    )


def give_back(root: str, slots: Path = SLOTS) -> None:
    """Free the slot of a server's directory; no error if it has none."""
    if not slots.is_dir():
        return
    with _locked(slots):
        for slot, owner in taken(slots).items():
            if owner == root:
                (slots / str(slot)).unlink()
    with suppress(OSError):
        slots.rmdir()
        (slots.parent / "lock").unlink()
        slots.parent.rmdir()
