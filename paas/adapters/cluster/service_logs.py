"""What the tasks of a service print, as the manager streams it (Docker's API, service logs).

Docker's SDK cannot be told to stop waiting for the next line. A stream of a node that was cut off
stays silent for good though the node is back, so this must be possible.
"""

import http.client
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from paas.adapters.docker.connection import API_VERSION

# How long a stream may be silent until it is requested again.
IDLE_LIMIT_S = 60.0
_HEADER_BYTES = 8
_STDOUT, _STDERR = 1, 2
_TASK = b"com.docker.swarm.task.id="
_QUERY = "follow=1&stdout=1&stderr=1&timestamps=1&details=1"


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A line, or a part of one that is longer than 16 KiB: all parts have the same time.

    stamp: in nanoseconds and of one length. text: with its end, if it is the last part.
    """

    task: bytes
    stamp: bytes
    text: bytes


class ServiceLogs:
    """The stream of one service; may be closed from another thread."""

    def __init__(
        self, manager: Path, service_id: str, *, idle_limit_s: float = IDLE_LIMIT_S
    ) -> None:
        self._manager = manager
        self._path = f"/v{API_VERSION}/services/{service_id}/logs"
        self._idle_limit_s = idle_limit_s
        self._socket: socket.socket | None = None

    def lines(self, since: bytes) -> Iterator[TaskLine]:
        """From a stamp on, that one included; empty: all. Ends after some time without a line.

        Raises OSError if the stream breaks off, or there is no such service. What a node sends
        again when it has been cut off is left out.
        """
        query = f"{_QUERY}&since={_seconds(since)}" if since else _QUERY
        last: dict[tuple[bytes, int], tuple[bytes, bool]] = {}
        with socket.socket(socket.AF_UNIX) as self._socket:
            for kind, frame in self._frames(self._socket, f"{self._path}?{query}"):
                if kind not in (_STDOUT, _STDERR):
                    raise OSError(frame.decode("utf-8", "replace"))
                line = _line(frame)
                if line is None:
                    continue
                before, was_whole = last.get((line.task, kind), (b"", True))
                if line.stamp > before or (line.stamp == before and not was_whole):
                    last[line.task, kind] = (line.stamp, line.text.endswith(b"\n"))
                    yield line

    def close(self) -> None:
        """End `lines`, with an OSError."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _frames(self, manager: socket.socket, path: str) -> Iterator[tuple[int, bytes]]:
        """Each with the number of the stream that it is from."""
        manager.settimeout(self._idle_limit_s)
        manager.connect(str(self._manager))
        connection = http.client.HTTPConnection("manager")
        connection.sock = manager
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            if response.status != http.HTTPStatus.OK:
                raise OSError(f"HTTP status {response.status}")
            while True:
                header = _read(response, _HEADER_BYTES)
                yield header[0], _read(response, int.from_bytes(header[4:], "big"))
        except TimeoutError:
            return
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error


def _read(response: http.client.HTTPResponse, size: int) -> bytes:
    found = response.read(size)
    if len(found) < size:
        raise OSError("the stream has ended")
    return found


def _line(frame: bytes) -> TaskLine | None:
    """``STAMP DETAILS TEXT``, where the details are ``KEY=VALUE`` with commas between them."""
    stamp, _, rest = frame.partition(b" ")
    details, found, text = rest.partition(b" ")
    tasks = [one.removeprefix(_TASK) for one in details.split(b",") if one.startswith(_TASK)]
    return TaskLine(tasks[0], stamp, text) if found and tasks else None


def _seconds(stamp: bytes) -> str:
    """Since the epoch, with its nanoseconds, as the API takes it."""
    seconds, _, rest = stamp.decode("ascii", "replace").partition(".")
    at = datetime.fromisoformat(f"{seconds.removesuffix('Z')}+00:00")
    return f"{int(at.timestamp())}.{rest.rstrip('Z')[:9].ljust(9, '0')}"
