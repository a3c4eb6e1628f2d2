"""The outside world as the services see it: one Protocol for each thing that adapters provide."""

from paas.domain.logs.loglines import LogLine
from paas.interfaces.alarms import AlarmCommand
from paas.interfaces.archives import DatastoreArchives
from paas.interfaces.audit import AuditTrail
from paas.interfaces.backups import BackupSettings, EncryptedObjects
from paas.interfaces.builds import Builder, BuildpackCatalog, BuildQueue, Built, Slugs
from paas.interfaces.certificates import (
    CertificateFiles,
    CertificateReader,
    Issuer,
    OrderTurns,
    WebCertificateFiles,
)
from paas.interfaces.cluster import Cluster, ImageRegistry, Moves, NodeMachines, NodeTroubles
from paas.interfaces.datastores import (
    ClientCommand,
    DatastoreClients,
    DatastoreFiles,
    DatastoreLogs,
    DatastoreReports,
    DatastoreServer,
    ExternalServer,
    Figures,
    FileUpgrades,
    LogTrimming,
    Reach,
    ReadOnlySwitch,
)
from paas.interfaces.disk import Disk
from paas.interfaces.dumps import DatastoreDumps, ExternalDumps
from paas.interfaces.engines import Engine, Engines
from paas.interfaces.followers import DatastoreFollowers, FollowerStandings
from paas.interfaces.images import ImageSource, SlugImages
from paas.interfaces.imports import (
    Archive,
    BuildpackFetcher,
    CommitStatuses,
    FetchedBuildpacks,
    Imported,
    Importer,
    Submodules,
)
from paas.interfaces.locks import KeyFile, KeyReader, Locks, Reserve, ServerLock
from paas.interfaces.machine import Machine
from paas.interfaces.metrics import MetricsFiles, RequestCounter
from paas.interfaces.notifications import Ledgers, Notifier
from paas.interfaces.output import (
    Clock,
    DrainProcess,
    Logs,
    Progress,
    RequestLog,
    Reword,
)
from paas.interfaces.pages import Pages
from paas.interfaces.people import LastUses
from paas.interfaces.poolers import ConnectionPoolers
from paas.interfaces.postgresql import MajorUpgrades, PostgresqlServers
from paas.interfaces.proxy import (
    HealthProbe,
    Ports,
    Proxy,
    ProxyChoice,
    ProxyKind,
    Resolver,
    ServerFile,
)
from paas.interfaces.redis import RedisServers
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
from paas.interfaces.streams import Capabilities
from paas.interfaces.trash import Trash
from paas.interfaces.uploads import Uploads

__all__ = [
    "AlarmCommand",
    "Archive",
    "AuditTrail",
    "BackupSettings",
    "Bookmark",
    "BuildQueue",
    "Builder",
    "BuildpackCatalog",
    "BuildpackFetcher",
    "Built",
    "Caller",
    "Capabilities",
    "CertificateFiles",
    "CertificateReader",
    "ClientCommand",
    "Clock",
    "Cluster",
    "Commit",
    "CommitStatuses",
    "ConnectionPoolers",
    "DatastoreArchives",
    "DatastoreClients",
    "DatastoreDumps",
    "DatastoreFiles",
    "DatastoreFollowers",
    "DatastoreLogs",
    "DatastoreReports",
    "DatastoreServer",
    "Disk",
    "DrainProcess",
    "EncryptedObjects",
    "Engine",
    "Engines",
    "ExternalDumps",
    "ExternalServer",
    "FetchedBuildpacks",
    "Figures",
    "FileUpgrades",
    "FollowerStandings",
    "HealthProbe",
    "ImageRegistry",
    "ImageSource",
    "Imported",
    "Importer",
    "Issuer",
    "KeyFile",
    "KeyReader",
    "LastUses",
    "Layers",
    "Ledgers",
    "Locks",
    "LogLine",
    "LogTrimming",
    "Logs",
    "Machine",
    "MajorUpgrades",
    "MetricsFiles",
    "Moves",
    "NodeMachines",
    "NodeTroubles",
    "Notifier",
    "OneOff",
    "OrderTurns",
    "Pages",
    "ParallelRollOuts",
    "Ports",
    "PostgresqlServers",
    "Progress",
    "Proxy",
    "ProxyChoice",
    "ProxyKind",
    "Quarantine",
    "Reach",
    "ReadOnlySwitch",
    "RedisServers",
    "Refs",
    "Repository",
    "RequestCounter",
    "RequestLog",
    "Reserve",
    "Resolver",
    "Reword",
    "Runs",
    "Runtime",
    "Schedules",
    "ServerFile",
    "ServerLock",
    "SlugImages",
    "Slugs",
    "StorageFiles",
    "StoreRecovery",
    "Submodules",
    "Trash",
    "Tree",
    "Uploads",
    "WebCertificateFiles",
]
