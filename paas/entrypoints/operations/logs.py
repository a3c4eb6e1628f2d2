"""An app's log: a stream of its lines, and the last of them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC

from paas.domain.values.names import plain_output
from paas.domain.values.secret import Secret
from paas.entrypoints.operations.call import Call
from paas.services.streams.streams import LogWish

# Of a line that is read at once; a stream has all of it.
_TEXT_MAX = 4_000


def open_stream(
    call: Call,
    *,
    app: str,
    lines: int,
    tail: bool,
    read: bool,
    process: str | None,
    source: str | None,
) -> object:
    """The secret with which the lines are read. read: the present ones are in the answer, too."""
    wish = LogWish(lines, tail, process, source)
    secret = call.services.streams.open_log(call.actor, call.origin, app, wish)
    return {"secret": secret.reveal(), "lines": list(_lines(call, secret)) if read else []}


def _lines(call: Call, secret: Secret) -> Iterator[dict[str, str]]:
    streams = call.services.streams
    opened = streams.capabilities.find(secret)
    assert opened is not None
    for _mark, line in streams.log_lines(replace(opened, tail=False), "", lambda: True):
        yield {
            "at": line.at.astimezone(UTC).isoformat(timespec="milliseconds"),
            "source": line.source,
            "process": line.process,
            "text": plain_output(line.text)[:_TEXT_MAX],
        }
