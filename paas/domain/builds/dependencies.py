"""Which packages an app asks for, by name and version, as its lock file or list says.

What cannot be read counts as empty: this is for showing differences; the build decides.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

# Files that say the same, with what reads each.
Kinds = tuple[tuple[str, Callable[[bytes], dict[str, str]]], ...]
DEPENDENCIES_MAX_BYTES = 4 * 1024**2

# PEP 508: a name, extras, and either versions or the address of an archive.
_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(.*)")
_PINNED = re.compile(r"={2,3}\s*([^\s,*]+)")
_LOGIN = re.compile(r"//[^/@\s]*@")


def requirements(content: bytes) -> dict[str, str]:
    """requirements.txt (pip's format): a pin as its version, anything else as it is written."""
    found: dict[str, str] = {}
    text = content.decode("utf-8-sig", "replace").replace("\\\r\n", " ").replace("\\\n", " ")
    for line in text.splitlines():
        plain = re.sub(r"(^|\s)#.*", "", line).strip()
        match = _REQUIREMENT.fullmatch(plain)
        if match is None:
            continue
        wanted = re.split(r"\s--|;", match[2], maxsplit=1)[0].strip()
        pinned = _PINNED.fullmatch(wanted)
        version = pinned[1] if pinned else _LOGIN.sub("//****@", wanted)
        found[_normalized(match[1])] = version or "any"
    return found


def uv_lock(content: bytes) -> dict[str, str]:
    """uv.lock: every package but the project itself."""
    try:
        packages = tomllib.loads(content.decode()).get("package")
    except (ValueError, RecursionError):
        return {}
    return _joined(_uv_packages(packages))


def package_lock(content: bytes) -> dict[str, str]:
    """package-lock.json of npm, versions 1 to 3 of its format."""
    try:
        lock = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(lock, dict):
        return {}
    return _joined(_npm_packages(lock))


# In the order in which the first that is there counts, for each language.
FILES: tuple[Kinds, ...] = (
    (("uv.lock", uv_lock), ("requirements.txt", requirements)),
    (("package-lock.json", package_lock),),
)


def _normalized(name: str) -> str:
    """The one spelling of a Python package's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _joined(pairs: Iterator[tuple[str, str]]) -> dict[str, str]:
    """One text for each name: a package may be there in several versions."""
    versions: dict[str, set[str]] = {}
    for name, version in pairs:
        versions.setdefault(name, set()).add(version)
    return {name: ", ".join(sorted(versions[name])) for name in sorted(versions)}


def _uv_packages(packages: object) -> Iterator[tuple[str, str]]:
    for package in packages if isinstance(packages, list) else []:
        match package:
            case {"source": {"virtual": _}} | {"source": {"editable": _}}:
                continue
            case {"name": str() as name, "version": str() as version}:
                yield _normalized(name), version


def _npm_packages(lock: dict[str, Any]) -> Iterator[tuple[str, str]]:
    packages = lock.get("packages")
    entries = packages if isinstance(packages, dict) else lock.get("dependencies")
    for path, package in entries.items() if isinstance(entries, dict) else []:
        name = str(path).rpartition("node_modules/")[2]
        match package:
            case {"version": str() as version} if name:
                yield name, version
