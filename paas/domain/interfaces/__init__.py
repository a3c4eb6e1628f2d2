"""The outside world as the services see it: one Protocol for each thing that adapters provide."""

from paas.domain.interfaces.building import Builder, BuildpackCatalog, BuildQueue, Built, Slugs
from paas.domain.interfaces.certifying import (
    CertificateFiles,
    CertificateReader,
    Issuer,
)
from paas.domain.interfaces.ground import Ground
from paas.domain.interfaces.guarding import KeyFile, KeyReader, Locks, Reserve
from paas.domain.interfaces.importing import Archive, Imported, Importer, Submodules
from paas.domain.interfaces.keeping import StoreKeeper
from paas.domain.interfaces.pages import Pages
from paas.domain.interfaces.repository import Commit, Quarantine, Refs, Repository, Tree
from paas.domain.interfaces.routing import (
    HealthProbe,
    Ports,
    Proxy,
    ProxyChoice,
    ProxyKind,
    Resolver,
    ServerFile,
)
from paas.domain.interfaces.running import Caller, Layers, OneOff, Runs, Runtime, StorageFiles
from paas.domain.interfaces.saying import (
    Clock,
    DrainProcess,
    Logs,
    Narrator,
    RequestLog,
    Reword,
)
from paas.domain.interfaces.store import Store
from paas.domain.interfaces.timing import Bookmark, Schedules
from paas.domain.interfaces.trash import Trash
from paas.domain.loglines import LogLine

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
    "DrainProcess",
    "Ground",
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
    "Narrator",
    "OneOff",
    "Pages",
    "Ports",
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
    "Slugs",
    "StorageFiles",
    "Store",
    "StoreKeeper",
    "Submodules",
    "Trash",
    "Tree",
]
