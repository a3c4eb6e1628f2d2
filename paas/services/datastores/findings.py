"""What is wrong with the datastores, for doctor and server:status."""

from collections.abc import Iterator
from dataclasses import dataclass

from paas.domain.server.findings import Finding, mendable
from paas.services.datastores.archives.watch import ArchiveWatch
from paas.services.datastores.dumps.schedules import DumpSchedules
from paas.services.datastores.following.watch import FollowerWatch
from paas.services.datastores.read_only_turn import ReadOnlyTurn
from paas.services.datastores.upkeep import DatastoreUpkeep, SilentDatastores
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class DatastoreFindings:
    """Looks, and changes nothing."""

    store: Store
    upkeep: DatastoreUpkeep
    followers: FollowerWatch
    read_only: ReadOnlyTurn
    dump_schedules: DumpSchedules
    archives: ArchiveWatch

    def findings(self) -> Iterator[Finding]:
        """All of them."""
        yield from self.warnings(self.upkeep.silent())
        if self.upkeep.clients_differ():
            yield mendable(
                "datastores", "The apps with access to datastores are not those in the database."
            )
        for one, words in self.upkeep.wrong_files():
            yield mendable("datastores", f"{one.name}: {words}.")
        for one in self.read_only.read_only():
            yield Finding(
                check="datastores",
                message=f"{one.name} is read-only, since the disk was nearly full; it becomes "
                "writable again once twice min_free_mib is free.",
                command="df -h; paas disk",
                grave=False,
            )
        for one in self.upkeep.unfinished():
            words = f"Creating or destroying {one.name} was interrupted."
            yield mendable("datastores", words)
        yield from self.followers.findings()
        for one in self.upkeep.changing_logins():
            yield mendable("datastores", f"The former login of {one.name} still works.")
        yield from self.upkeep.hazards()

    def warnings(self, silent: SilentDatastores) -> Iterator[Finding]:
        """What server:status warns of. silent: those that were asked and do not answer."""
        for one in silent.servers:
            yield mendable("datastores", f"The server of {one.name} does not answer.")
        for one in silent.poolers:
            yield mendable("datastores", f"The connection pooler of {one.name} does not answer.")
        yield from self.missing_backups()
        yield from self.archives.findings()

    def missing_backups(self) -> Iterator[Finding]:
        """The datastores that have had no good backup for too long."""
        for one, since in self.dump_schedules.overdue():
            app = self.store.apps.by_id(one.app_id)
            name = app.name if app is not None else "APP"
            yield Finding(
                check="backups",
                message=f"{one.name} has had no good backup since {since:%Y-%m-%d %H:%M} UTC.",
                command=f"paas {one.kind.traits.prefix}:backups:capture {one.name} -a {name}",
                app=name if app is not None else None,
            )
