"""Makes datastores read-only before the disk is full, and writable once there is space again.

On a full disk PostgreSQL crashes, recovers and crashes again, and nobody can connect to delete
anything; the others fail in the middle of a write. So they become read-only before that: reads
continue, writes fail with an error, and anyone who wants to clean up still can.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from paas.domain.datastores.datastores import Datastore, DatastoreState
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.values.errors import PaasError
from paas.domain.values.sizes import size_words
from paas.interfaces import Disk, Logs, ReadOnlySwitch
from paas.store import Store


@dataclass(slots=True, kw_only=True)
class ReadOnlyTurn:
    """The state is read from each server, so a process that is killed leaves no trace.

    min_free_bytes: below it datastores are read-only, and from twice that on writable; 0 means
    never.
    """

    store: Store
    switches: Mapping[DatastoreKind, ReadOnlySwitch]
    disk: Disk
    logs: Logs
    min_free_bytes: int
    _wanted: bool | None = None
    _settled: set[int] = field(default_factory=set)
    _told: set[int] = field(default_factory=set)

    def look(self) -> list[str]:
        """Switch those that are not in the right state; returns what failed."""
        wanted = self._now_wanted()
        if wanted is None:
            return []
        if wanted is not self._wanted:
            self._wanted = wanted
            self._settled.clear()
            self._told.clear()
        failures = []
        for one in self.store.datastores.all():
            switch = self.switches.get(one.kind)
            if switch is None or one.id in self._settled or not _is_switched(one):
                continue
            try:
                self._settle(one, switch, read_only=wanted)
            except (PaasError, OSError) as error:
                failures.append(f"{one.name}: {error}")
            else:
                self._settled.add(one.id)
        return failures

    def forget(self) -> None:
        """Ask all servers again next time, since another process may have changed some."""
        self._settled.clear()

    def rescue(self) -> list[Datastore]:
        """Make all that answer read-only, whatever is free; returns those that do not answer."""
        silent = []
        for one in self.store.datastores.all():
            switch = self.switches.get(one.kind)
            if switch is None or not _is_switched(one):
                continue
            try:
                self._settle(one, switch, read_only=True)
            except (PaasError, OSError):
                silent.append(one)
        return silent

    def read_only(self) -> list[Datastore]:
        """Those that are read-only, of those that answer."""
        found = []
        for one in self.store.datastores.all():
            switch = self.switches.get(one.kind)
            if switch is None or not _is_switched(one):
                continue
            try:
                if switch.is_read_only(one):
                    found.append(one)
            except (PaasError, OSError):
                continue  # that it does not answer is reported otherwise
        return found

    def _now_wanted(self) -> bool | None:
        """None leaves them as they are, between the two limits."""
        free_bytes, _ = self.disk.space()
        if free_bytes < self.min_free_bytes:
            return True
        return False if free_bytes >= 2 * self.min_free_bytes else None

    def _settle(self, one: Datastore, switch: ReadOnlySwitch, *, read_only: bool) -> None:
        if switch.is_read_only(one) is read_only:
            return
        if one.id not in self._told:  # first, so that a kill afterwards leaves nobody untold
            self._tell(one, read_only=read_only)
            self._told.add(one.id)
        switch.set_read_only(one, read_only=read_only)

    def _tell(self, one: Datastore, *, read_only: bool) -> None:
        attached = self.store.datastores.attachments()
        apps = {one.app_id} | {found.app_id for found in attached if found.datastore == one.name}
        limit = size_words(self.min_free_bytes)
        words = (
            f"{one.name} is read-only: less than {limit} is free on the server's disk. It becomes "
            f"writable again once twice that is free. {one.kind.traits.while_read_only}"
            if read_only
            else f"{one.name} is writable again: there is space on the server's disk."
        )
        for app_id in sorted(apps):
            self.logs.write(app_id, "datastores", words)


def _is_switched(one: Datastore) -> bool:
    """A follower never takes writes, and is as full as its leader makes it."""
    return one.state is DatastoreState.READY and one.following is None
