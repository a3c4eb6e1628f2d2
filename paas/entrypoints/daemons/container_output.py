"""What one container prints, on its way to the app's log: each line once, whoever was down."""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.patience import listens
from paas.adapters.runtime.docker.containers import GROUP_LABEL, INSTANCE_LABEL
from paas.adapters.runtime.docker.looking import parse_time
from paas.adapters.system.files import make_directory, remove
from paas.domain.values.errors import PaasError
from paas.settings import Settings
from paas.wiring.containers import pipe, records

if TYPE_CHECKING:
    from docker import DockerClient

# How soon it looks again at an engine that went away.
AGAIN_S = 0.5
# A time as the engine has it before each line, and to spare.
STAMP_BYTES = 40


class Follower:
    """Passes what one container prints to the log process, by the instance's pipe."""

    def __init__(
        self, settings: Settings, name: str, labels: dict[str, str], ended: threading.Event
    ) -> None:
        self._settings = settings
        self._name = name
        self._ended = ended
        self._records = records(settings)
        self._fifo = pipe(settings, labels[GROUP_LABEL], labels[INSTANCE_LABEL])
        self._note = settings.paths.docker_run / "read" / name

    def run(self) -> None:
        """Until nobody keeps the container running any longer."""
        make_directory(self._note.parent)
        with ExitStack() as opened:
            try:
                # Both ends: a pipe without a reader would end this process.
                fd = os.open(self._fifo, os.O_RDWR | os.O_CLOEXEC)
                opened.callback(os.close, fd)
                place = os.open(self._note, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                opened.callback(os.close, place)
            except OSError:
                return  # the next look finds it, or the container is being removed
            while not self._ended.is_set() and self._records.of(self._name) is not None:
                with suppress(PaasError, OSError):
                    self._pass_on(fd, place)
                self._ended.wait(AGAIN_S)
        if self._records.of(self._name) is None:
            remove(self._note)

    def _pass_on(self, fd: int, place: int) -> None:
        """All that it prints from the noted place on, until it ends."""
        from docker.errors import NotFound

        if not listens(self._settings):
            return
        noted = os.pread(place, STAMP_BYTES, 0).strip()
        with docker_client(self._settings, answer_limit_s=None) as client, suppress(NotFound):
            for line in self._lines(client, noted):
                stamp, _, text = line.partition(b" ")
                if self._ended.is_set():
                    return
                # All parts of a line that is longer than 16 KiB have the same time.
                if stamp > noted:
                    os.write(fd, text)
                    os.pwrite(place, stamp.ljust(STAMP_BYTES), 0)

    def _lines(self, client: "DockerClient", noted: bytes) -> Iterator[bytes]:
        """Each with the time before it, in nanoseconds and of one length."""
        yield from client.api.logs(
            self._name, stream=True, follow=True, timestamps=True, since=_stamp_seconds(noted)
        )


def _stamp_seconds(stamp: bytes) -> float | None:
    """A time of the engine's as seconds since the epoch, a little before; None for all."""
    if not stamp:
        return None
    found = parse_time(stamp.decode("ascii", "replace"))
    return None if found is None else found.timestamp() - 0.001
