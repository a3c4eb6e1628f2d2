"""Tables for people: headings, colored states, no wider than the terminal."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import click
from tabulate import tabulate
from wcwidth import wcswidth, wcwidth

from paas.domain.values.names import printable
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.terminal import PLAIN, RED, goes_to_a_terminal, print_line

GREEN, YELLOW = "\x1b[32m", "\x1b[33m"
_GAP = 2
_FLEXIBLE_MIN = 20
_CUT = "…"
_WIDE = "paas.wide"
_STATES = ("State", "Status")
_COLOURS = {
    **dict.fromkeys(("up", "current", "succeeded", "live"), GREEN),
    **dict.fromkeys(("starting", "building", "pending", "queued", "stopped"), YELLOW),
    **dict.fromkeys(("crashed", "failed"), RED),
}


def wide_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--wide, on every command that lists something; print_table reads it from click's context."""
    return click.option(
        "--wide",
        is_flag=True,
        expose_value=False,
        callback=lambda context, _, value: context.meta.update({_WIDE: value}),
        help="Show all columns in full.",
    )(command)


def list_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """[APP], -a, --wide and --json, on a command that lists something of an app."""
    return app_argument(app_option(wide_option(json_option(pass_session(command)))))


def print_table(
    headers: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    optional: Sequence[str] = (),
    flexible: str | None = None,
) -> None:
    """Print rows on stdout: in a pipe in full, without a heading; else fitted to the terminal.

    headers: empty texts for columns that need none. optional: the columns that are left out if
    there is not enough room, the least important first. flexible: the column that is truncated
    before that; by default the last. With --wide everything is shown. A cell may hold another
    user's text, such as a commit's subject, so control characters are escaped.
    """
    if not rows:
        return
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    if not goes_to_a_terminal():
        print_line(tabulate(cells, tablefmt="plain", disable_numparse=True))
        return
    named = list(headers)
    if any(headers) and not _is_wide():
        named, cells = _fitted(named, cells, optional, flexible or headers[-1], columns())
    if _is_coloured():
        cells = [[_dressed(*cell) for cell in zip(named, row, strict=True)] for row in cells]
    shown = [named, *cells] if any(named) else cells
    print_line(tabulate(shown, tablefmt="plain", disable_numparse=True))


def print_rows(rows: Sequence[tuple[str, str]]) -> None:
    """What is known of one thing, a line each: label and text."""
    width = max(len(label) for label, _ in rows) + 1
    for label, text in rows:
        print_line(f"{label + ':':<{width}} {text}")


def _fitted(
    headers: list[str],
    rows: list[list[str]],
    optional: Sequence[str],
    flexible: str,
    columns: int,
) -> tuple[list[str], list[list[str]]]:
    """The table with fewer columns and a shorter flexible one, so that it fits into `columns`."""
    waiting = list(optional)
    while True:
        widths = {
            name: max(map(wcswidth, [name, *(row[at] for row in rows)]))
            for at, name in enumerate(headers)
        }
        rest = sum(width + _GAP for name, width in widths.items() if name != flexible)
        least = min(widths[flexible], _FLEXIBLE_MIN)
        if rest + least <= columns or not waiting:
            break
        at = headers.index(waiting.pop(0))
        headers = headers[:at] + headers[at + 1 :]
        rows = [row[:at] + row[at + 1 :] for row in rows]
    index, width = headers.index(flexible), max(columns - rest, least)
    return headers, [
        [*row[:index], _shortened(row[index], width), *row[index + 1 :]] for row in rows
    ]


def _shortened(text: str, width: int) -> str:
    """The text, padded or truncated to so many columns of a terminal."""
    if wcswidth(text) <= width:
        return text
    taken, kept = 1, ""
    for character in text:
        taken += max(0, wcwidth(character))
        if taken > width:
            break
        kept += character
    return kept + _CUT


def _dressed(header: str, cell: str) -> str:
    """A state in its color, which depends on the first word."""
    word = cell.replace(",", " ").replace(":", " ").partition(" ")[0]
    colour = _COLOURS.get(word) if header in _STATES else None
    return f"{colour}{cell}{PLAIN}" if colour else cell


def columns() -> int:
    """The width of the terminal on stdout; behind ssh the client reports it."""
    context = click.get_current_context(silent=True)
    size = context.find_root().params.get("terminal") if context is not None else None
    if size:
        return int(size[0])
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80


def _is_wide() -> bool:
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(_WIDE))


def _is_coloured() -> bool:
    context = click.get_current_context(silent=True)
    session: Session | None = None if context is None else context.obj
    return session is not None and session.terminal.colour
