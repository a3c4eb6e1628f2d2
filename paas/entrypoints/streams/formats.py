"""Lines of a log as Heroku's clients read them: as events of a stream, or as plain text.

Events: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from collections.abc import Sequence

EVENTS = "text/event-stream"
# How long a client waits before it connects again, in ms.
BEGINNING = b"retry: 3000\n\n"
# A comment, while nothing happens; and what readers of plain text do not show.
EVENT_PAUSE = b": \n\n"
TEXT_PAUSE = b"\0"

_PLATFORM, _ROUTER = "heroku", "router"
# Of a log: a mark, time, source, process and text. Of an output: a mark and a text.
Row = Sequence[str]


def event(row: Row) -> bytes:
    """An event whose id is the line's mark."""
    mark, *rest = row
    return f"id: {mark}\ndata: {_line(rest)}\n\n".encode("utf-8", "replace")


def plain(row: Row) -> bytes:
    """A line."""
    return f"{_line(row[1:])}\n".encode("utf-8", "replace")


def _line(row: Row) -> str:
    said = row[-1]
    if len(row) > 1:
        at, source, process, said = row
        said = f"{at} {_source(source, process)}: {said}"
    # A lone CR ends a line, too.
    return said.replace("\r", " ").replace("\n", " ")


def _source(source: str, process: str) -> str:
    """Ours by Heroku's names: what is not of the app is of the platform."""
    if source == _ROUTER:
        return f"{_PLATFORM}[{_ROUTER}]"
    return f"{source if source == 'app' else _PLATFORM}[{process}]"
