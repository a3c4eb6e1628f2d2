"""Inspecting a running datastore, and ending its sessions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.reports import CHECKS, Judged, Report, Row, judged
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError
from paas.interfaces import DatastoreReports
from paas.services.access import find_app
from paas.services.datastores.finding import visible
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosing:
    """For those who may open psql there, since statements contain the app's values."""

    store: Store
    reports: Mapping[DatastoreKind, DatastoreReports]

    def report(self, actor: Actor, name: str, wanted: str | None, report: Report) -> Sequence[Row]:
        """The result of one report. wanted: see `visible`."""
        one = self._chosen(actor, name, wanted)
        return self.reports[one.kind].rows(one, report)

    def diagnose(self, actor: Actor, name: str, wanted: str | None) -> list[Judged]:
        """All checks, in order."""
        one = self._chosen(actor, name, wanted)
        return [judged(check, self.reports[one.kind].rows(one, check)) for check in CHECKS]

    def end(self, actor: Actor, name: str, wanted: str | None, pid: int) -> None:
        """End a session; its transaction is rolled back."""
        one = self._chosen(actor, name, wanted)
        if not self.reports[one.kind].end(one, pid):
            raise PaasError(
                "no-such-session",
                f"{one.name} has no session of an app with the pid {pid}.",
                f"See: paas pg:ps {one.name} -a {name}",
            )

    def _chosen(self, actor: Actor, name: str, wanted: str | None) -> Datastore:
        app = find_app(self.store, actor, name, to=Permission.OPERATE)
        return visible(self.store, app, wanted, DatastoreKind.POSTGRESQL).datastore
