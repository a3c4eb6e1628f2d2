"""The hashes that lists of packages demand, and whether those of two lists agree.

Usage: locked.py list FILE...   prints "NAME VERSION DIGEST" for each package with hashes
       locked.py fits OLD NEW   exit status 1 if a version that both name has another digest
An installed package is not checked again, so one that was installed with other hashes may be
another. What cannot be read has no hashes: uv says what is wrong with it. Standard library only.
"""

import hashlib
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PINNED = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*===?\s*([^\s;\\]+)(.*)")
HASH = re.compile(r"--hash[= ]\s*(\S+)")


def hashes_in(value: Any) -> Iterator[str]:
    """Those of a package in a lock file, however deep."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name == "hash" and isinstance(each, str):
                yield each
            elif name == "hashes" and isinstance(each, list):
                yield from map(str, each)
            else:
                yield from hashes_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from hashes_in(each)


def packages(name: str, text: str) -> Iterator[tuple[str, str, list[str]]]:
    """Name, version and hashes of each package that is listed."""
    if name.endswith(".lock") and not text.lstrip().startswith("{"):
        for package in tomllib.loads(text).get("package", []):
            yield package["name"], str(package.get("version", "")), [*hashes_in(package)]
    elif name.endswith(".lock"):
        for package, value in json.loads(text).get("default", {}).items():
            yield package, value.get("version", ""), [*hashes_in(value)]
    elif name.endswith(".txt"):
        for line in re.sub(r"\\\r?\n", " ", text).splitlines():
            found = PINNED.fullmatch(line)
            if found:
                yield found[1], found[2], HASH.findall(found[3])


def listed(paths: list[str]) -> Iterator[str]:
    """A line for each package."""
    for path in paths:
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
            for name, version, hashes in packages(path, text):
                if hashes:
                    digest = hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()
                    plain = re.sub(r"[-_.]+", "-", name).lower()
                    yield f"{plain} {version or '-'} {digest[:32]}"
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue


def fits(old: str, new: str) -> bool:
    """Whether no version has other hashes than before."""
    before, after = (
        dict(line.rsplit(" ", 1) for line in Path(path).read_text().splitlines())
        for path in (old, new)
    )
    return all(before.get(package, digest) == digest for package, digest in after.items())


def main() -> int:
    """Run the subcommand of the first argument."""
    if sys.argv[1] == "fits":
        return 0 if fits(*sys.argv[2:]) else 1
    for line in sorted({*listed(sys.argv[2:])}):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
