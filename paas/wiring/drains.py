"""The adapters of the drains process, beside the common ones."""

import threading
from collections.abc import Callable
from functools import partial

from paas.adapters.logs.drain_forwarder import Forwarder, Surroundings
from paas.adapters.logs.drain_places import DrainPlaces
from paas.adapters.logs.drain_sender import Sender
from paas.domain.logs.drains import Drain
from paas.settings import Settings
from paas.wiring.common import CommonAdapters


def surroundings(adapters: CommonAdapters) -> Surroundings:
    """What all forwarders share."""
    settings = adapters.settings
    return Surroundings(
        logs_directory=settings.paths.logs,
        places=DrainPlaces(settings),
        logs=adapters.logs,
        clock=adapters.clock,
        files=settings.log_files,
        queue_bytes=settings.drain_queue_mib * 1024**2,
    )


def sender(settings: Settings, give_up_rights: Callable[[], None]) -> Sender:
    """Starts the child that sends. Call it before there are threads and an open database."""
    return Sender(give_up_rights, to_server=settings.drain_to_server)


def forwarder(
    drain: Drain, host: str, sending: Sender, around: Surroundings, stop: threading.Event
) -> Forwarder:
    """What forwards the log of one drain, until stop is set."""
    return Forwarder(drain, host, partial(sending.sink, drain), around, stop)
