"""The one entry point: everything that replaces an app's instances calls `Changes.apply`.

Lock, prepare, start, switch, commit, unlock, drain, and for a while the rollback guard. What is
specific to a deploy, a config change or a scaling is in the `prepare` that each passes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.releases import history
from paas.domain.values.names import PLATFORM_USER
from paas.interfaces import Logs, Progress
from paas.services.access import refreshed
from paas.services.progress import Written
from paas.services.releases.change import Change, Target
from paas.services.releases.draining import Draining
from paas.services.releases.earlier import EarlierReleases
from paas.services.releases.losses import LossWarning
from paas.services.releases.rollback_guard import RollbackGuard
from paas.services.releases.rollout import Rollout
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Applies changes, one per app at a time. loss_warning: for prepare, before it records."""

    store: Store
    logs: Logs
    draining: Draining
    rollout: Rollout
    guard: RollbackGuard
    earlier: EarlierReleases
    loss_warning: LossWarning

    def apply(self, change: Change, progress: Progress) -> int | None:
        """Make a change; the version that is live after it, or None if there was nothing to change.

        Returns when the replaced instances have ended and the guard has seen enough. Raises
        PaasError, with what ran before untouched, if the new instances do not come up.
        """
        holder, window = f"{change.who} {change.doing}", self.guard.window()
        with self.draining.changing(change.app, holder, progress, window.look) as replaced:
            app = refreshed(self.store, change.app)
            with change.prepare(app, progress) as target:
                if target is not None:
                    app = refreshed(self.store, app)  # with what prepare recorded
                    progress = target.progress or progress
                    former = self.guard.former(app) if target.guarded else None
                    if target.restart:
                        progress.accepted(target.release, target.formation)
                        replaced += self.rollout.run(app, target, progress)
                    else:
                        version = target.release.version
                        self.store.releases.make_current(app.id, version, app.rollout_id)
            if target is None:
                progress.live()
                return None
            target.live()
            with target.accepting():
                progress.live()
                target.afterwards()
            window.open(app, target.release.version, former, self._roll_back)
        window.follow()
        return target.release.version

    def _roll_back(self, app: App, why: str) -> None:
        """What happens if the guard finds a version worse than the previous one."""
        assert app.current is not None
        former = history.before(self.store.releases.of_app(app.id), app.current)
        if former is None:
            return

        @contextmanager
        def prepare(present: App, progress: Progress) -> Iterator[Target | None]:
            if (present.current, present.rollout_id) != (app.current, app.rollout_id):
                yield None  # someone has changed it meanwhile
                return
            reason = f"v{app.current}: {why}"
            progress.step(f"{reason}. Going back to v{former.version}")
            with self.earlier.rollback(
                present, former, PLATFORM_USER, progress, reason=reason
            ) as target:
                yield target

        doing = f"goes back to v{former.version}"
        change = Change(app=app, who="the server", doing=doing, prepare=prepare)
        self.apply(change, Written(lambda text: self.logs.write(app.id, "guard", text)))
