"""The adapters of the drains process, beside the common ones."""

import threading
from collections.abc import Callable
from functools import partial

from paas.adapters.logs.drain_forwarder import Forwarder, ForwarderContext
from paas.adapters.logs.drain_positions import DrainPositions
from paas.adapters.logs.drain_sender import Sender
from paas.domain.logs.drains import Drain
from paas.settings import Settings
from paas.wiring.common import CommonAdapters


def forwarder_context(adapters: CommonAdapters) -> ForwarderContext:
    """What all forwarders share."""
    settings = adapters.settings
    return ForwarderContext(
        logs_directory=settings.paths.logs,
        positions=DrainPositions(settings),
        logs=adapters.logs,
        clock=adapters.clock,
        files=settings.log_files,
        queue_bytes=settings.drain_queue_mib * 1024**2,
    )


def sender(settings: Settings, give_up_rights: Callable[[], None]) -> Sender:
    """Starts the child that sends. Call it before there are threads and an open database."""
    return Sender(give_up_rights, to_server=settings.drain_to_server)


def forwarder(
    drain: Drain, host: str, sending: Sender, context: ForwarderContext, stop: threading.Event
) -> Forwarder:
    """What forwards the log of one drain, until stop is set."""
    return Forwarder(drain, host, partial(sending.sink, drain), context, stop)
