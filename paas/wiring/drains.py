"""The adapters of the drains process, beside the common ones."""

import threading
from collections.abc import Callable
from functools import partial

from paas.adapters.audit.drain import AuditForwarder
from paas.adapters.logs.drain_forwarder import Forwarder, ForwarderContext
from paas.adapters.logs.drain_positions import DrainPositions
from paas.adapters.logs.drain_sender import Sender
from paas.domain.logs.drains import Drain
from paas.domain.values.secret import Secret
from paas.settings import Settings
from paas.wiring.common import CommonAdapters, audit_files


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


def audit_forwarder(settings: Settings, log: Callable[[str], None]) -> AuditForwarder:
    """What sends the audit trail to the drain in the settings."""
    return AuditForwarder(
        audit_drain(settings),
        settings.domain,
        audit_files(settings),
        settings.paths.audit_drain,
        log,
    )


def audit_drain(settings: Settings) -> Drain:
    """The drain of the audit trail, which belongs to no app."""
    return Drain("audit", 0, Secret(settings.audit_drain))


def forwarder(
    drain: Drain, host: str, sending: Sender, context: ForwarderContext, stop: threading.Event
) -> Forwarder:
    """What forwards the log of one drain, until stop is set."""
    return Forwarder(drain, host, partial(sending.sink, drain), context, stop)
