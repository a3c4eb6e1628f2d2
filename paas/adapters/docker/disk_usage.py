"""What Docker's engine says of its use of the disk (Engine API, ``GET /system/df``)."""

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docker import DockerClient

# The engine of Debian 12 answers one such question at a time, and refuses others meanwhile.
_BUSY = "already running"
_LIMIT_S = 30.0
_POLL_S = 0.1


def disk_usage(client: "DockerClient") -> dict[str, Any]:
    """The whole answer, when it is our turn. Raises APIError."""
    from docker.errors import APIError

    deadline = time.monotonic() + _LIMIT_S
    while True:
        try:
            return dict(client.api.df())
        except APIError as error:
            if _BUSY not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(_POLL_S)
