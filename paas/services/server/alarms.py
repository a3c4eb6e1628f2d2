"""Tells the operator's command of backups that are missing, and of instances on lost nodes."""

from collections.abc import Iterator
from dataclasses import dataclass

from paas.domain.server.alarms import Trouble
from paas.interfaces import AlarmCommand, Clock, NodeTroubles
from paas.services.datastores.archives.watch import ArchiveWatch
from paas.services.datastores.dumps.schedules import DumpSchedules
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """Judges by what is missing, not by what jobs report: a job that does not run reports nothing.

    Each trouble is reported once, and all new ones together, at most once an hour.
    """

    store: Store
    dumps: DumpSchedules
    archives: ArchiveWatch
    nodes: NodeTroubles
    command: AlarmCommand
    clock: Clock

    def look(self) -> int:
        """Returns of how many troubles the command was told. Raises PaasError if it fails: these
        are tried again in an hour.
        """
        if not self.command.is_set():
            return 0
        troubles, before, now = [*self.troubles()], self.command.told(), self.clock.now()
        told = before.lasting(troubles)
        new = told.untold(troubles, now)
        if not new:
            if told != before:
                self.command.note(told)
            return 0
        # Noted first: a process that is killed meanwhile must not run the command again at once.
        self.command.note(told.after([], now))
        self.command.run("".join(f"{one.words}\n" for one in new))
        self.command.note(told.after(new, now))
        return len(new)

    def troubles(self) -> Iterator[Trouble]:
        """All that there are now."""
        for one, since in self.dumps.overdue():
            words = f"{one.name} has had no good backup since {since:%Y-%m-%d %H:%M} UTC."
            words = self._of_app(one.app_id, words)
            yield Trouble(f"dump {one.id}", words, app_id=one.app_id, next="paas addons")
        for one, words in self.archives.alarms():
            # What it says of times and sizes may differ from turn to turn.
            key = f"archive {one.id} {words[:20]}"
            words = self._of_app(one.app_id, f"{one.name}: {words}")
            yield Trouble(key, words, app_id=one.app_id, next="paas addons")

        if self.store.cluster.address() is not None:
            yield from self.nodes.noted()

    def _of_app(self, app_id: int, words: str) -> str:
        app = self.store.apps.by_id(app_id)
        return f"{app.name}: {words}" if app is not None else words
