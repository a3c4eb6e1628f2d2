"""How many datastores a server has, and which of them need an admin's attention."""

from collections import Counter
from dataclasses import dataclass

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.names import DatastoreName
from paas.domain.values.errors import PaasError
from paas.interfaces import Disk, Runtime
from paas.services.datastores.archives.watch import ArchiveWatch
from paas.services.datastores.dumps.schedules import DumpSchedules
from paas.services.datastores.upkeep import DatastoreUpkeep, SilentDatastores
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """kinds: how many there are of each kind, none left out. The other lists contain names.

    not_running: without a process. not_answering: with a process that does not answer.
    without_backup: no dump or archive has succeeded for too long, or it cannot be restored.
    disk_bytes: of all their files. backups_bytes: of the backups on this server.
    """

    kinds: dict[str, int]
    not_running: list[DatastoreName]
    not_answering: list[DatastoreName]
    without_backup: list[DatastoreName]
    disk_bytes: int
    backups_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatastoreOverview:
    """Only reads; changes nothing. runtime: runs their servers."""

    store: Store
    upkeep: DatastoreUpkeep
    runtime: Runtime
    dumps: DumpSchedules
    archives: ArchiveWatch
    disk: Disk

    def look(self, silent: SilentDatastores) -> Overview:
        """The overview as of now. silent: what was asked and did not answer."""
        every = self.store.datastores.all()
        counts = Counter(one.kind for one in every)
        stopped = [one.name for one in silent.servers if not self._runs(one)]
        missing = {one.name for one, _ in self.dumps.overdue()}
        missing |= {one.name for one, _ in self.archives.alarms()}
        disk_bytes, backups_bytes = self.disk.datastore_bytes()
        return Overview(
            kinds={kind.value: counts[kind] for kind in DatastoreKind},
            not_running=stopped,
            not_answering=[one.name for one in silent.servers if one.name not in stopped],
            without_backup=[one.name for one in every if one.name in missing],
            disk_bytes=disk_bytes,
            backups_bytes=backups_bytes,
        )

    def _runs(self, one: Datastore) -> bool:
        """Nothing runs while the server is stopped, or where the programs are missing."""
        try:
            workload = self.upkeep.servers[one.kind].workload(one)
            return self.runtime.states([workload])[workload.id].pid is not None
        except PaasError:
            return False
