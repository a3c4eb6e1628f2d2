"""Disk usage by app, and for admins also by owner and in total."""

from collections.abc import Sequence
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.server.disk_usage import DiskUsage
from paas.interfaces import Disk, Engines, Layers
from paas.services.access import find_app
from paas.store import Store


@dataclass(frozen=True, slots=True)
class AppDisk:
    """An app. layers_bytes: memory that its instances' throw-away layers use."""

    app: App
    usage: DiskUsage
    layers_bytes: int


@dataclass(frozen=True, slots=True)
class OwnerDisk:
    """All apps of one owner. name: ``root`` for apps that the operator made."""

    name: str
    apps: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class ServerDisk:
    """The disk itself."""

    trash_bytes: int
    free_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DiskReport:
    """The apps that use the most come first. owners and server: for admins who ask for all apps."""

    apps: Sequence[AppDisk]
    owners: Sequence[OwnerDisk] = ()
    server: ServerDisk | None = None

    @property
    def total_bytes(self) -> int:
        """The disk usage of all the apps together."""
        return sum(one.usage.total for one in self.apps)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskReports:
    """Measures on request."""

    store: Store
    engines: Engines
    layers: Layers
    disk: Disk

    def report(self, actor: Actor, name: str | None) -> DiskReport:
        """One app, or all those that the actor may view."""
        if name is not None:
            return DiskReport(
                self._measured([find_app(self.store, actor, name, to=Permission.VIEW)])
            )
        apps = [app for app in self.store.apps.all() if actor.may(Permission.VIEW, app)]
        found = self._measured(apps)
        if not actor.is_admin:
            return DiskReport(found)
        return DiskReport(
            found, _owners(found), ServerDisk(self.disk.trash_bytes(), *self.disk.space())
        )

    def _measured(self, apps: Sequence[App]) -> list[AppDisk]:
        datastores = self.store.datastores.owners()
        usage = self.disk.usage([app.id for app in apps], datastores=datastores)
        layers = self._layers(apps)
        found = [AppDisk(app, usage[app.id], layers[app.id]) for app in apps]
        return sorted(found, key=lambda one: (-one.usage.total, one.app.name))

    def _layers(self, apps: Sequence[App]) -> dict[int, int]:
        """The memory that the layers of their instances use, by app."""
        sizes = dict.fromkeys((app.id for app in apps), 0)
        for engine in self.engines.all():
            mine = [app for app in apps if self.engines.of(app) is engine]
            live = [i for app in mine for i in self.store.instances.of_app(app.id)]
            states = engine.runtime.states(live)
            for instance in live:
                pid = states[instance.id].pid
                sizes[instance.app_id] += self.layers.size_bytes(pid) if pid is not None else 0
        return sizes


def _owners(apps: Sequence[AppDisk]) -> list[OwnerDisk]:
    by_name: dict[str, list[AppDisk]] = {}
    for one in apps:
        by_name.setdefault(one.app.owner or "root", []).append(one)
    found = [
        OwnerDisk(name, len(mine), sum(one.usage.total for one in mine))
        for name, mine in by_name.items()
    ]
    return sorted(found, key=lambda owner: (-owner.total_bytes, owner.name))
