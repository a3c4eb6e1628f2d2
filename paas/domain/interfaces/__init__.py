"""The outside world as the services see it: one Protocol for each thing that adapters provide."""

from paas.domain.interfaces.building import Builder, BuildpackCatalog, BuildQueue, Built, Slugs
from paas.domain.interfaces.guarding import KeyFile, KeyReader, Locks
from paas.domain.interfaces.repository import Commit, Quarantine, Repository, Tree
from paas.domain.interfaces.routing import HealthProbe, Ports, Proxy, Resolver, ServerFile
from paas.domain.interfaces.running import Caller, OneOff, Runs, Runtime, StorageFiles
from paas.domain.interfaces.saying import Clock, LogLine, Logs, Narrator, RequestLog
from paas.domain.interfaces.store import Store

__all__ = [
    "BuildQueue",
    "Builder",
    "BuildpackCatalog",
    "Built",
    "Caller",
    "Clock",
    "Commit",
    "HealthProbe",
    "KeyFile",
    "KeyReader",
    "Locks",
    "LogLine",
    "Logs",
    "Narrator",
    "OneOff",
    "Ports",
    "Proxy",
    "Quarantine",
    "Repository",
    "RequestLog",
    "Resolver",
    "Runs",
    "Runtime",
    "ServerFile",
    "Slugs",
    "StorageFiles",
    "Store",
    "Tree",
]
