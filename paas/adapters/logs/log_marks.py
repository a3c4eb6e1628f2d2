"""Where a reader of an app's log is: in each of its files, and in the lines that it begins with."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from paas.adapters.logs.log_files import Place

_MARK = re.compile(r"([0-9]{1,6})((?:-[0-9]{1,20}\.[0-9]{1,20}){1,2})")


@dataclass(frozen=True, slots=True)
class Mark:
    """left: how many lines before these places are still to come."""

    left: int
    places: tuple[Place, ...]

    def __str__(self) -> str:
        return "-".join([str(self.left), *(f"{inode}.{offset}" for inode, offset in self.places)])


def parse_mark(text: str, files: Sequence[str]) -> Mark | None:
    """The mark that was sent with a line of these files; None if it is none."""
    found = _MARK.fullmatch(text)
    if found is None:
        return None
    pairs = [pair.split(".") for pair in found[2][1:].split("-")]
    if len(pairs) != len(files):
        return None
    return Mark(int(found[1]), tuple((int(inode), int(offset)) for inode, offset in pairs))
