"""What differs between two versions of an app: files, dependencies, config names, processes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from paas.domain.manifest.procfile import Processes
from paas.domain.releases.releases import ConfigVars
from paas.domain.values.names import printable

FILES_SHOWN = 100


class Change(StrEnum):
    """What became of a file, as git's letters have it (git-diff(1), --name-status)."""

    ADDED = "A"
    CHANGED = "M"
    DELETED = "D"


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file that differs. path: as git has it, with what is not UTF-8 replaced."""

    path: str
    change: Change


@dataclass(frozen=True, slots=True)
class Entry:
    """A named thing that differs: what it was, or None, and what it is, or None."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class NameChanges:
    """Names of config vars that differ; never their values."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class Difference:
    """From one version to another. old, new: what they are called, such as ``v4``.

    notes: what could not be compared, as sentences.
    """

    old: str
    new: str
    files: tuple[FileChange, ...]
    dependencies: tuple[Entry, ...]
    config: NameChanges
    processes: tuple[Entry, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether both are the same in all that could be compared."""
        return not (self.files or self.dependencies or self.config or self.processes)


def entries(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Entry, ...]:
    """What differs between two tables, by name."""
    names = sorted({*old, *new})
    return tuple(Entry(n, old.get(n), new.get(n)) for n in names if old.get(n) != new.get(n))


def process_entries(old: Processes, new: Processes) -> tuple[Entry, ...]:
    """Process types whose command differs."""
    return entries(
        {str(kind): command for kind, command in old.items()},
        {str(kind): command for kind, command in new.items()},
    )


def config_changes(old: ConfigVars, new: ConfigVars) -> NameChanges:
    """The config vars that differ, by name."""
    return NameChanges(
        added=tuple(sorted(set(new) - set(old))),
        removed=tuple(sorted(set(old) - set(new))),
        changed=tuple(sorted(name for name in set(old) & set(new) if old[name] != new[name])),
    )


def config_rows(config: NameChanges) -> list[str]:
    """The names with their mark: ``+`` added, ``-`` removed, ``~`` changed."""
    marked = [(name, "+") for name in config.added] + [(name, "-") for name in config.removed]
    marked += [(name, "~") for name in config.changed]
    return [f"{mark} {name}" for name, mark in sorted(marked)]


def sections(difference: Difference) -> list[tuple[str, list[str]]]:
    """The difference for people: titles, each with its rows. Names come out printable."""
    found = [
        (_files_title(difference.files), _file_rows(difference.files)),
        ("Dependencies", [_entry_row(entry) for entry in difference.dependencies]),
        ("Config vars", config_rows(difference.config)),
        ("Processes", [_entry_row(entry, ": ") for entry in difference.processes]),
    ]
    return [(title, rows) for title, rows in found if rows]


def _files_title(files: Sequence[FileChange]) -> str:
    words = (("added", Change.ADDED), ("changed", Change.CHANGED), ("deleted", Change.DELETED))
    counts = [(sum(file.change is change for file in files), word) for word, change in words]
    return "Files: " + ", ".join(f"{count} {word}" for count, word in counts if count)


def _file_rows(files: Sequence[FileChange]) -> list[str]:
    rows = [f"{file.change.value} {printable(file.path)}" for file in files[:FILES_SHOWN]]
    more = len(files) - len(rows)
    return [*rows, f"... and {more} more"] if more else rows


def _entry_row(entry: Entry, between: str = " ") -> str:
    name, old, new = (printable(text or "") for text in (entry.name, entry.old, entry.new))
    if entry.old is None:
        return f"+ {name}{between}{new}"
    if entry.new is None:
        return f"- {name}{between}{old}"
    return f"~ {name}{between}{old} -> {new}"
