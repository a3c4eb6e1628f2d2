"""What one container prints, by the Docker engine of the server."""

from collections.abc import Iterator
from contextlib import suppress

from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.patience import listens
from paas.adapters.runtime.docker.looking import parse_time
from paas.adapters.runtime.docker.records import Records
from paas.settings import Settings


class ContainerOutput:
    """A `Source`: as long as the container is to be kept running. It has one task, without name."""

    def __init__(self, settings: Settings, name: str, records: Records) -> None:
        self._settings = settings
        self._name = name
        self._records = records

    def is_kept(self) -> bool:
        return self._records.of(self._name) is not None

    def lines(self, since: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
        """See `Source`; until the container ends."""
        from docker.errors import NotFound

        if not listens(self._settings):
            return
        with docker_client(self._settings, answer_limit_s=None) as client, suppress(NotFound):
            printed = client.api.logs(
                self._name, stream=True, follow=True, timestamps=True, since=_stamp_seconds(since)
            )
            for line in printed:
                stamp, _, text = line.partition(b" ")
                yield b"", stamp, text


def _stamp_seconds(stamp: bytes) -> float | None:
    """A time of the engine's as seconds since the epoch, a little before; None for all."""
    if not stamp:
        return None
    found = parse_time(stamp.decode("ascii", "replace"))
    return None if found is None else found.timestamp() - 0.001
