"""Metrics, as users ask for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.metrics.figures import Load, Requests, Totals
from paas.domain.metrics.series import SINCE_DEFAULT_S, Span, span
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.releases.releases import Release, Status
from paas.interfaces import Clock, MetricsFiles
from paas.services.access import find_app
from paas.store import Store


@dataclass(frozen=True, slots=True)
class AppSeries:
    """The metrics of an app over a time: a value for each point; None: nothing was measured.

    until: up to when there are figures (Unix time); None: there are none yet. releases: those that
    were made in that time and became current, the oldest first.
    """

    app: App
    span: Span
    until: int | None
    requests: Sequence[Requests | None]
    loads: Sequence[Load | None]
    processes: Mapping[str, Sequence[Load | None]]
    releases: Sequence[Release]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What users see of the metrics of their apps."""

    store: Store
    files: MetricsFiles
    clock: Clock

    def series(
        self,
        actor: Actor,
        name: str,
        since_s: int = SINCE_DEFAULT_S,
        points: int | None = None,
    ) -> AppSeries:
        """Of the last since_s seconds, in at most so many points. Raises PaasError."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        now_s = int(self.clock.now().timestamp())
        with self.files.reading(app.id) as file:
            totals = file.totals() if file is not None else None
            until = totals.until if totals is not None else 0
            shown = span(now_s, until, since_s, points)
            part = (shown.resolution, shown.start, shown.end)
            releases = self._releases(app, shown)
            if file is None or totals is None:
                nothing = [None] * shown.points
                return AppSeries(app, shown, None, nothing, nothing, {}, releases)
            loads = shown.spread(file.loads(*part))
            counted = shown.spread(file.requests(*part))
            processes = {
                process: shown.spread(file.loads(*part, process))
                for process, of_it in sorted(totals.processes.items())
                if of_it.seen > shown.start
            }
        # Where something was measured, no requests are none.
        requests = [
            Requests() if found is None and load is not None else found
            for found, load in zip(counted, loads, strict=True)
        ]
        return AppSeries(app, shown, until, requests, loads, processes, releases)

    def totals(self, actor: Actor) -> list[tuple[App, Totals]]:
        """Of all apps that the actor may see and of which there are figures, by name."""
        found = []
        for app in self.store.apps.all():
            if not actor.may(Permission.VIEW, app):
                continue
            with self.files.reading(app.id) as file:
                if file is not None:
                    found.append((app, file.totals()))
        return found

    def _releases(self, app: App, shown: Span) -> list[Release]:
        return [
            one
            for one in self.store.releases.of_app(app.id)[::-1]
            if one.status is Status.SUCCEEDED
            and shown.start <= one.created_at.timestamp() < shown.end
        ]
