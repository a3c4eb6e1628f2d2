"""Doctor: what is wrong with the server, and mending what can be mended."""

from dataclasses import dataclass

from paas.domain.people.actors import Actor
from paas.domain.server.findings import ENGINE, Finding
from paas.domain.values.errors import PaasError, StoreKeyError
from paas.interfaces import Clock, Machine, Progress, Reserve
from paas.services.audit.audit import Audit
from paas.services.datastores.read_only_turn import ReadOnlyTurn
from paas.services.datastores.upkeep import SilentDatastores
from paas.services.deploys.deploys import Deploys
from paas.services.server.diagnosis import Diagnosis
from paas.services.server.reconcile import Reconcile
from paas.services.server.store_recovery import Recovery
from paas.store import Store

# How long --fix waits on a full disk for servers of datastores that recover.
RESCUE_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of --fix.

    count: how many things reconciling mended. failed: whether that ended with an error, which was
    shown.
    """

    mended: list[Finding]
    left: list[Finding]
    count: int
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctor:
    """Checks the server first: without it the apps cannot be judged."""

    machine: Machine
    diagnosis: Diagnosis
    reconcile: Reconcile
    read_only: ReadOnlyTurn
    reserve: Reserve
    recovery: Recovery
    store: Store
    deploys: Deploys
    audit: Audit
    clock: Clock

    def look(self) -> list[Finding]:
        """Everything that is not as it should be; nothing is changed."""
        found = [*self._store(), *self.machine.findings(), *self.audit.findings()]
        if self._knows_apps(found):
            found += [*self.diagnosis.findings(), *self.diagnosis.crashed()]
        return found

    def warnings(self, silent: SilentDatastores) -> list[Finding]:
        """What server:status warns of. silent: the datastores that were asked and do not answer."""
        found = [*self._store(), *self.machine.warnings()]
        if self._knows_apps(found):
            found += [
                *self.diagnosis.crashed(),
                *self.diagnosis.datastores.warnings(silent),
            ]
        return found

    def _store(self) -> list[Finding]:
        fault = self.recovery.fault()
        if fault is None:
            return []
        is_key = isinstance(fault, StoreKeyError) and fault.hint is not None
        command = fault.hint if is_key else "paas doctor --restore-store"
        return [Finding(check="store", message=fault.message, command=str(command))]

    def _knows_apps(self, found: list[Finding]) -> bool:
        """Without the store nothing is known about the apps, and nothing of theirs may change.

        Nor is anything known about those whose Docker engine hangs.
        """
        unknown = {"store", ENGINE}
        return self.machine.is_up() and all(one.check not in unknown for one in found)

    def fix(self, actor: Actor, progress: Progress, *, rebuilds: bool = True) -> Outcome:
        """Mend what can be, then look again: what is found then could not be mended.

        rebuilds: whether live releases whose files are gone are built again.
        """
        before = self.look()
        self.machine.mend([finding for finding in before if finding.mends], progress)
        count, failed, known = 0, False, before
        if any(finding.check == ENGINE for finding in before):
            known = self.look()  # it may answer about the apps now
            before = [*before, *(finding for finding in known if finding not in before)]
        if self._knows_apps(known):
            try:
                if any(finding.check == "sites" for finding in known):
                    self.reconcile.renew_sites()
                count = self._reconcile(progress)
            except PaasError as error:
                progress.warn(error.message)
                failed = True
            if rebuilds:
                failed |= not self._rebuild(known, actor, progress)
        left = self.look()
        mended = [finding for finding in before if finding not in left]
        return Outcome(mended=mended, left=left, count=count, failed=failed)

    def _reconcile(self, progress: Progress) -> int:
        """On a full disk, servers of datastores get the reserve to start with, and then it is back.

        They are read-only afterwards: whoever comes in can delete, and nobody fills the disk again.
        """
        with self.reserve.released() as was_needed:
            count = self.reconcile.run(progress)
            if not was_needed:
                return count
            deadline = self.clock.monotonic() + RESCUE_LIMIT_S
            while (silent := self.read_only.rescue()) and self.clock.monotonic() < deadline:
                self.clock.sleep(1)
            for one in silent:
                progress.warn(f"{one.name} does not answer, although the disk's reserve was free.")
        return count

    def _rebuild(self, found: list[Finding], actor: Actor, progress: Progress) -> bool:
        """Build live releases again whose files are gone; whether that worked for all."""
        worked = True
        for finding in found:
            concerns = finding.mends and finding.check == "slug"
            app = self.store.apps.find(finding.app) if finding.app and concerns else None
            if app is None:
                continue
            progress.step(f"{app.name}: building v{app.current} again")
            try:
                self.deploys.rebuild(app, actor, progress)
            except PaasError as error:
                progress.warn(f"{app.name}: {error.message}")
                worked = False
        return worked
