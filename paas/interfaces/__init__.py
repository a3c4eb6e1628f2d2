"""The outside world as the services see it: one Protocol for each thing that adapters provide."""

from paas.domain.logs.loglines import LogLine
from paas.interfaces.builds import Builder, BuildpackCatalog, BuildQueue, Built, Slugs
from paas.interfaces.certificates import (
    CertificateFiles,
    CertificateReader,
    Issuer,
)
from paas.interfaces.disk import Disk
from paas.interfaces.engines import Engine, Engines
from paas.interfaces.imports import Archive, Imported, Importer, Submodules
from paas.interfaces.locks import KeyFile, KeyReader, Locks, Reserve, ServerLock
from paas.interfaces.machine import Machine
from paas.interfaces.output import (
    Clock,
    DrainProcess,
    Logs,
    Progress,
    RequestLog,
    Reword,
)
from paas.interfaces.pages import Pages
from paas.interfaces.proxy import (
    HealthProbe,
    Ports,
    Proxy,
    ProxyChoice,
    ProxyKind,
    Resolver,
    ServerFile,
)
from paas.interfaces.repository import Commit, Quarantine, Refs, Repository, Tree
from paas.interfaces.runtime import (
    Caller,
    Layers,
    OneOff,
    ParallelRollOuts,
    Runs,
    Runtime,
    StorageFiles,
)
from paas.interfaces.schedules import Bookmark, Schedules
from paas.interfaces.store_recovery import StoreRecovery
from paas.interfaces.trash import Trash

__all__ = [
    "Archive",
    "Bookmark",
    "BuildQueue",
    "Builder",
    "BuildpackCatalog",
    "Built",
    "Caller",
    "CertificateFiles",
    "CertificateReader",
    "Clock",
    "Commit",
    "Disk",
    "DrainProcess",
    "Engine",
    "Engines",
    "HealthProbe",
    "Imported",
    "Importer",
    "Issuer",
    "KeyFile",
    "KeyReader",
    "Layers",
    "Locks",
    "LogLine",
    "Logs",
    "Machine",
    "OneOff",
    "Pages",
    "ParallelRollOuts",
    "Ports",
    "Progress",
    "Proxy",
    "ProxyChoice",
    "ProxyKind",
    "Quarantine",
    "Refs",
    "Repository",
    "RequestLog",
    "Reserve",
    "Resolver",
    "Reword",
    "Runs",
    "Runtime",
    "Schedules",
    "ServerFile",
    "ServerLock",
    "Slugs",
    "StorageFiles",
    "StoreRecovery",
    "Submodules",
    "Trash",
    "Tree",
]
