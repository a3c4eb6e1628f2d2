"""Finds what is on the server and in no table of the store; `Garbage` deals with it."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass

from paas.domain.server.findings import FIX, Finding
from paas.interfaces import Engines, Locks, Slugs, Trash
from paas.services.routing.sites import Sites
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Strays:
    """Finds apps, sites, groups, slugs, certificates and storage that the store does not know."""

    store: Store
    engines: Engines
    slugs: Slugs
    locks: Locks
    sites: Sites
    trash: Trash

    def findings(self) -> list[Finding]:
        """The server is listed first, then the store is read: new things appear in that order.

        What belongs to an app that is being changed is skipped.
        """
        groups = self.engines.groups()
        orphans = orphans_of(self.store, groups)
        found = [(id, f"app {id}") for id in self._apps(orphans)]
        found += [(id, f"site of app {id}") for id in self._sites(orphans)]
        found += [(app_of(x), f"group of instances {x}") for x in self._groups(groups, orphans)]
        found += [(app_of(id), f"slug {id}") for id in self._slugs()]
        found += [(app_of(id), f"certificate {id}") for id in self._certificates()]
        strays = [
            stray(f"The {what} is not in the database.")
            for app_id, what in found
            if not self.locks.app_is_held(app_id)
        ]
        return [*strays, *map(_runs_unknown, sorted(orphans))]

    def _apps(self, orphans: Set[int]) -> list[int]:
        there = self.trash.app_ids()
        return sorted(there - {app.id for app in self.store.apps.all()} - orphans)

    def _sites(self, orphans: Set[int]) -> list[int]:
        return sorted(self.sites.proxy.sites() - deployed(self.store) - orphans)

    def _groups(self, groups: Set[str], orphans: Set[int]) -> list[str]:
        unknown = groups - {instance.group for instance in self.store.instances.all()}
        return sorted(group for group in unknown if app_of(group) not in orphans)

    def _slugs(self) -> Iterable[str]:
        there = [*self.slugs.unfinished(), *self.slugs.slugs()]
        return (id for id in there if self._has_app(id) and self.store.slugs.find(id) is None)

    def _certificates(self) -> Iterator[str]:
        there = self.sites.certificate_files.all()
        known = {certificate.id for certificate in self.store.certificates.all()}
        return (id for id in there if self._has_app(id) and id not in known)

    def _has_app(self, name: str) -> bool:
        """Everything of an app that is gone is reported together."""
        return self.store.apps.by_id(app_of(name)) is not None


def orphans_of(store: Store, groups: Set[str]) -> set[int]:
    """The apps that run, though the store has no release of them and did not remove them.

    groups: those that run.
    """
    gone = {int(id) for id in store.gone.of_kind("app")}
    return {app_of(group) for group in groups} - deployed(store) - gone


def deployed(store: Store) -> set[int]:
    """The apps that have a current release."""
    return {app.id for app in store.apps.all() if app.current is not None}


def app_of(name: str) -> int:
    """The app's id, with which the names of slugs, groups and certificates begin."""
    number = name.partition("-")[0]
    return int(number) if number.isdecimal() else 0


def by_app(groups: Set[str]) -> dict[int, set[str]]:
    """The groups of each app that has any."""
    found: dict[int, set[str]] = {}
    for group in groups:
        found.setdefault(app_of(group), set()).add(group)
    return found


def stray(message: str, app: str | None = None) -> Finding:
    """It does no harm, so it does not count for the exit status."""
    return Finding(check="stray", message=message, command=FIX, app=app, grave=False, mends=True)


def _runs_unknown(app_id: int) -> Finding:
    return Finding(
        check="stray",
        message=f"App {app_id} is running and served, but the database has no release of it.",
        command="paas doctor --restore-store, where that knew it; paas server:stop ends it",
        grave=False,
    )
