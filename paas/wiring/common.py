"""The adapters that the server and each of its daemons need; they import little."""

from dataclasses import dataclass
from pathlib import Path

from paas.adapters.audit.files import AuditFiles
from paas.adapters.logs.app_logs import FileLogs
from paas.adapters.system.clock import SystemClock
from paas.domain.routing.addresses import Addresses
from paas.interfaces import Clock, Logs
from paas.settings import Settings
from paas.store import Store
from paas.store.server_keys import ServerKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonAdapters:
    """For one thread: the connection of a store belongs to the thread that opens it."""

    settings: Settings
    addresses: Addresses
    clock: Clock
    store: Store
    logs: Logs


def common_adapters(settings: Settings, database: Path | None = None) -> CommonAdapters:
    """Opens nothing: files and connections open on first use.

    database: in place of the server's own, to read from.
    """
    clock = SystemClock()
    return CommonAdapters(
        settings=settings,
        addresses=Addresses(
            settings.domain,
            settings.http_port,
            settings.ssh_port,
            settings.account,
            settings.https_port,
            settings.web_hosts,
        ),
        clock=clock,
        store=Store(
            database or settings.paths.database,
            settings.ranges,
            ServerKeys(settings.paths.server_key),
        ),
        logs=FileLogs(settings, clock),
    )


def audit_files(settings: Settings) -> AuditFiles:
    """The files of the audit trail."""
    return AuditFiles(settings.paths.audit, settings.paths.audit_marks, days=settings.audit_days)
