"""Check that a virtual environment has what its packages list, and nothing else.

Usage: exact.py VENV. Exit status 1 with the first difference: then it depends on what was installed
before, such as a file that two packages have, or one that a removed package has left. Standard
library only. https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import csv
import os
import re
import sys
from collections.abc import Iterator
from importlib.util import source_from_cache
from pathlib import Path

# What uv makes in a new one, beside links to Python.
OWN = frozenset({"pyvenv.cfg", ".gitignore", ".lock", "CACHEDIR.TAG"})
SITE = "site-packages"
OWN_PROGRAMS = re.compile(r"(de)?activate(_this)?(\.[a-z0-9]+)?|pydoc\.bat|python[0-9.]*")


def listed(site: Path) -> dict[str, str]:
    """The hash of each file that a package lists, by path. Raises ValueError with a sentence."""
    found: dict[str, str] = {}
    for record in sorted(site.glob("*.dist-info/RECORD")):
        with record.open(newline="", encoding="utf-8") as lines:
            for row in csv.reader(lines):
                if not row:
                    continue
                path = os.path.normpath(f"{site}/{row[0]}")
                digest = row[1] if len(row) > 1 else ""
                if found.setdefault(path, digest) != digest:
                    raise ValueError(f"Two packages have the file {row[0]}")
                # Bytecode is made again.
                if not path.endswith(".pyc") and not os.path.lexists(path):
                    raise ValueError(f"{row[0]} was removed with another package that also has it")
    return found


def files(top: str) -> Iterator[str]:
    """The paths of all that is no directory."""
    for folder, folders, names in os.walk(top):
        links = [name for name in folders if os.path.islink(f"{folder}/{name}")]
        yield from (f"{folder}/{name}" for name in (*names, *links))
        if not names and not folders:
            yield folder


def is_own(venv: str, path: str) -> bool:
    """Whether a new environment has it before anything is installed."""
    parent, name = os.path.split(path)
    if parent == venv:
        return name in OWN or os.path.islink(path)
    if parent == f"{venv}/bin":
        return OWN_PROGRAMS.fullmatch(name) is not None
    if name == SITE:
        return True
    return os.path.basename(parent) == SITE and name.startswith("_virtualenv.")


def is_bytecode_of(path: str, known: dict[str, str]) -> bool:
    """Whether it is that of a listed file."""
    if not path.endswith(".pyc"):
        return False
    try:
        source = source_from_cache(path)
    except ValueError:
        return False
    return source in known or os.path.basename(source) == "_virtualenv.py"


def left(venv: str, known: dict[str, str]) -> str | None:
    """A file or empty directory that belongs to no package."""
    for path in files(venv):
        if path not in known and not is_own(venv, path) and not is_bytecode_of(path, known):
            return os.path.relpath(path, venv)
    return None


def main() -> int:
    """Check, and print a difference."""
    venv = os.path.realpath(sys.argv[1])
    try:
        known: dict[str, str] = {}
        for site in Path(venv).glob(f"lib/python3*/{SITE}"):
            known |= listed(site)
    except ValueError as difference:
        print(difference)
        return 1
    found = left(venv, known)
    if found is not None:
        print(f"{found} is left of an earlier installation")
    return 0 if found is None else 1


if __name__ == "__main__":
    sys.exit(main())
