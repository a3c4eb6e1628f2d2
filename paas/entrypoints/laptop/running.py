"""``run`` on a laptop: which of its words are options, and whether ssh allocates a terminal."""

import os
from collections.abc import Sequence

from paas.domain.runs.runs import APP_OPTIONS, COMMANDS, app_first, split_options

_FILE_READERS = frozenset(
    {"config:import", "git:from-archive", "git:load-image", "maintenance:custom-page"}
)


def app_in_front(words: Sequence[str]) -> list[str]:
    """The words, with an app named at the end of a ``run`` moved before its command."""
    at = _after_run(words)
    return list(words) if at is None else [*words[:at], *app_first(words[at:])]


def is_complete(words: Sequence[str]) -> bool:
    """Whether these are ``run`` and the first word of the command to run."""
    at = _after_run(words)
    return at is not None and bool(split_options(words[at:])[1])


def own_words(words: Sequence[str]) -> list[str]:
    """The words that may be our options: not those of the command to run."""
    at = _after_run(words)
    if at is not None:
        return [*words[:at], *split_options(words[at:])[0]]
    return list(words[: list(words).index("--")] if "--" in words else words)


def ssh_options(words: Sequence[str]) -> list[str]:
    """``-t`` if the command gets this terminal.

    ``-n`` if it reads a file and stdin is a terminal: the server cannot see that, and would wait
    for input that nobody knows to type.
    """
    if os.isatty(0) and not _FILE_READERS.isdisjoint(own_words(words)):
        return ["-n"]
    at = _after_run(words)
    if at is None or words[at - 1] != "run" or "--no-tty" in own_words(words):
        return []
    return ["-t"] if os.isatty(0) and os.isatty(1) else []


def seen_as(words: Sequence[str]) -> list[str]:
    """The options that describe the terminal of the three streams, which the server cannot see."""
    if "-t" in ssh_options(words):
        return []
    out = ["--stdout-terminal"] if os.isatty(1) else []
    if os.isatty(0) and os.isatty(2) and "-n" not in ssh_options(words):
        out.append("--stdin-terminal")
    if os.environ.get("TERM", "dumb") == "dumb":
        return out
    try:
        columns = os.get_terminal_size(2).columns or 80
    except OSError:
        return out
    return ["--terminal", str(columns), "false" if os.environ.get("NO_COLOR") else "true", *out]


def _after_run(words: Sequence[str]) -> int | None:
    """The index of the first argument of ``run``; None for other commands."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in APP_OPTIONS else 1
    return at + 1 if at < len(words) and words[at] in COMMANDS else None
