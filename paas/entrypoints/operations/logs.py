"""Opening a stream of an app's log."""

from paas.entrypoints.operations.call import Call
from paas.services.streams.streams import LogWish


def open_stream(
    call: Call, *, app: str, lines: int, tail: bool, process: str | None, source: str | None
) -> object:
    """The secret with which the lines are read."""
    wish = LogWish(lines, tail, process, source)
    secret = call.services.streams.open_log(call.actor, call.origin, app, wish)
    return {"secret": secret.reveal()}
