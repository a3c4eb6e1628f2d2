"""Versions of Python, and whether one is what a project's requires-python asks for. Pure."""

import re

Version = tuple[int, int, int]

# https://packaging.python.org/en/latest/specifications/version-specifiers/, and poetry's ^ and ~.
_CLAUSE = re.compile(r"(~=|={2,3}|!=|<=|>=|<|>|\^|~)\s*([0-9]{1,4}(?:\.[0-9]{1,4}){0,2})(\.\*)?")
_VERSION = re.compile(r"3\.([0-9]{1,3})\.([0-9]{1,3})")
_REQUIRES = (
    re.compile(r"^requires-python\s*=\s*([\"'])([ -~]{1,200}?)\1", re.MULTILINE),
    re.compile(r"^python\s*=\s*([\"'])([ -~]{1,200}?)\1", re.MULTILINE),  # poetry's own
)


def parse_version(text: str) -> Version | None:
    """``3.12.4``; None for what is no final release of Python 3."""
    found = _VERSION.fullmatch(text)
    return (3, int(found[1]), int(found[2])) if found else None


def text_of(version: Version) -> str:
    """``3.12.4``"""
    return ".".join(map(str, version))


def requirement(pyproject: str) -> str | None:
    """What a pyproject.toml asks for (``>=3.10,<3.14``); None if that cannot be told."""
    for pattern in _REQUIRES:
        if found := pattern.search(pyproject):
            text = found[2].strip()
            return text if _clauses(text) else None
    return None


def fits(version: Version, requires: str | None) -> bool:
    """Whether a version is one that is asked for; None asks for nothing."""
    clauses = _clauses(requires) if requires is not None else []
    return all(_holds(version, *clause) for clause in clauses or [])


def _clauses(text: str) -> list[tuple[str, tuple[int, ...], bool]] | None:
    """Operator, numbers, and whether any may follow; None if it is not understood."""
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = _CLAUSE.fullmatch(part)
        if match is None:
            return None
        found.append((match[1], tuple(map(int, match[2].split("."))), match[3] is not None))
    return found


def _holds(version: Version, operator: str, numbers: tuple[int, ...], is_prefix: bool) -> bool:
    bound = (*numbers, 0, 0)[:3]
    same = version[: len(numbers)] == numbers if is_prefix else version == bound
    match operator:
        case "==" | "===":
            return same
        case "!=":
            return not same
        case ">=":
            return version >= bound
        case ">":
            return version > bound
        case "<=":
            return version <= bound
        case "<":
            return version < bound
        case "^":
            return version >= bound and version[0] == numbers[0]
        case "~":
            return version >= bound and version[: min(2, len(numbers))] == numbers[:2]
        case _:  # ~=: the last number may grow
            return version >= bound and version[: len(numbers) - 1] == numbers[:-1]
