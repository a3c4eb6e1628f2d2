"""One-off processes that end at once, or continue until they are stopped."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime

from paas.domain.apps.apps import App
from paas.domain.releases.artifacts import Artifact
from paas.domain.runs.runs import Run, RunEnd, RunSpec
from paas.interfaces import Caller


class FakeRuns:
    """Runs of domain.interfaces. status, shortage: with which the next attached one ends."""

    def __init__(self) -> None:
        self.status = 0
        self.shortage = ""
        self.running: list[Run] = []
        self.wanted: list[RunSpec] = []
        self.removed: list[int] = []

    def attached(
        self,
        app: App,
        artifact: Artifact | None,
        wanted: RunSpec,
        caller: Caller,
        begun: Callable[[Run], None],
    ) -> tuple[Run, RunEnd]:
        run = replace(self._run(app, wanted), attached=True)
        begun(run)
        return run, RunEnd(self.status, self.shortage)

    def detached(
        self,
        app: App,
        artifact: Artifact,
        wanted: RunSpec,
        begun: Callable[[Run], None],
        ended: Callable[[Run, RunEnd], None],
    ) -> Run:
        run = self._run(app, wanted)
        begun(run)
        self.running.append(run)
        return run

    def starting(self, app_id: int, job: str) -> AbstractContextManager[None]:
        return nullcontext()

    def listing(self, app_id: int) -> list[Run]:
        return [run for run in self.running if run.app_id == app_id]

    def stop(self, run: Run, limit_s: float) -> None:
        self.running.remove(run)

    def left(self, app_id: int) -> bool:
        return False

    def clear(self, app_id: int) -> bool:
        return False

    def remove(self, app_id: int) -> None:
        self.running = [run for run in self.running if run.app_id != app_id]
        self.removed.append(app_id)

    def _run(self, app: App, wanted: RunSpec) -> Run:
        self.wanted.append(wanted)
        taken = {run.number for run in self.listing(app.id)}
        return Run(
            app_id=app.id,
            number=min(set(range(1, 100)) - taken),
            user=wanted.user,
            command=wanted.command,
            version=wanted.version,
            slug_id=wanted.slug_id,
            attached=False,
            terminal=wanted.terminal,
            since=datetime(2026, 1, 1, tzinfo=UTC),
            job=wanted.job,
        )
