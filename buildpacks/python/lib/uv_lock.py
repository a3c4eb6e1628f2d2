"""Check whether uv.lock was made from this pyproject.toml, by the dependencies that both list.

Usage: uv_lock.py DIRECTORY. Exit status 1 if they differ; the difference is printed. What cannot be
compared is accepted, since uv checks it later. Standard library only.
"""

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*\(?([^;@()]*)\)?\s*(?:;.*)?")

Requirements = dict[str, set[str]]


def normal(name: str) -> str:
    """A package's name as the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def bounds(specifier: str) -> set[str]:
    """``>=3, <4`` as a set."""
    return {part.replace(" ", "") for part in specifier.split(",") if part.strip()}


def listed(project: dict[str, Any]) -> Requirements:
    """The requirements of pyproject.toml, without entries that have URLs."""
    found: Requirements = {}
    for text in project.get("project", {}).get("dependencies", []):
        match = REQUIREMENT.fullmatch(text)
        if match:
            found.setdefault(normal(match[1]), set()).update(bounds(match[2]))
    return found


def locked(lock: dict[str, Any]) -> Requirements | None:
    """The requirements for which the lock file was made, or None if it does not list them."""
    own = [
        package
        for package in lock.get("package", [])
        if "." in {package.get("source", {}).get(kind) for kind in ("virtual", "editable")}
    ]
    if len(own) != 1:
        return None
    found: Requirements = {}
    for entry in own[0].get("metadata", {}).get("requires-dist", []):
        if "extra ==" not in entry.get("marker", ""):
            found.setdefault(entry["name"], set()).update(bounds(entry.get("specifier", "")))
    return found


def main() -> int:
    """Compare them and print the differences."""
    root = Path(sys.argv[1])
    try:
        asked = listed(tomllib.loads((root / "pyproject.toml").read_text()))
        held = locked(tomllib.loads((root / "uv.lock").read_text()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return 0
    if held is None:
        return 0
    differing = sorted(name for name in asked if held.get(name) != asked[name])
    gone = sorted(set(held) - set(asked)) if len(asked) == len(listed_names(root)) else []
    for name in [*differing, *gone]:
        print(f"       pyproject.toml and uv.lock differ in: {name}")
    return 1 if differing or gone else 0


def listed_names(root: Path) -> list[str]:
    """All entries, to find out whether any was left out."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    return list(project.get("project", {}).get("dependencies", []))


if __name__ == "__main__":
    sys.exit(main())
