"""Deploying previews, and removing them: when a pull request ends, a branch goes, or time is up."""

from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.git.previews import Preview
from paas.domain.git.sources import GitSource
from paas.domain.git.statuses import Outcome
from paas.domain.people.actors import Actor
from paas.domain.values.errors import PaasError
from paas.interfaces import Clock, Locks, Logs, Progress
from paas.services.apps.apps import Apps
from paas.services.deploys.imports import Building, Imports
from paas.services.git.status_reports import StatusReports, Told
from paas.services.progress import waiting
from paas.services.releases.release_commands import ReleaseCommands
from paas.services.routing.paths import forget_paths
from paas.store import Store

PROCESS = "previews"
EXPIRED = "it was not deployed for its time"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewDeploys:
    """Code comes from the repository of git:deploy-on-push, never from where a webhook says."""

    store: Store
    apps: Apps
    imports: Imports
    release_commands: ReleaseCommands
    reports: StatusReports
    locks: Locks
    logs: Logs
    clock: Clock

    def source(self, preview: Preview) -> GitSource | None:
        """Where its code comes from; None: it is pushed to."""
        parent = preview.parent_id
        webhook = self.store.webhooks.of_app(parent) if parent is not None else None
        return GitSource(webhook.source.url, preview.of.branch) if webhook is not None else None

    def deploy_wanted(self, actor: Actor, app_id: int, progress: Progress) -> None:
        """Deploy what is wanted, and what is wanted meanwhile: one deploy for all that waits.

        Another process may be at it: it then takes this in as well. Raises PaasError with why the
        last one failed.
        """
        failure: PaasError | None = None
        while (preview := self._waiting(app_id)) is not None:
            with self.locks.deploying_on_push(app_id) as is_ours:
                if not is_ours:
                    return
                failure = self._deploy(actor, preview, progress)
        if failure is not None:
            raise failure

    def _waiting(self, app_id: int) -> Preview | None:
        preview = self.store.previews.of_app(app_id)
        if preview is None or preview.ended is not None or preview.wanted <= preview.done:
            return None
        return preview

    def _deploy(self, actor: Actor, preview: Preview, progress: Progress) -> PaasError | None:
        """Have the branch fetched and deployed; why it failed."""
        failure, result = None, "deployed"
        app, source = self.store.apps.by_id(preview.app_id), self.source(preview)
        if app is None:
            return None
        if source is None:
            self.store.previews.finish(app.id, preview.wanted, "")
            return None
        self._tell(app, preview, Outcome.PENDING, "is being deployed")
        try:
            self.imports.sync(actor, app.name, source, Building.IF_CHANGED, progress)
        except PaasError as error:
            failure, result = error, f"failed: {error.message}"
            self.logs.write(app.id, PROCESS, f"Not deployed: {error.summary}")
        self.store.previews.finish(app.id, preview.wanted, result)
        outcome = Outcome.DEPLOYED if failure is None else Outcome.FAILED
        self._tell(app, preview, outcome, result)
        return failure

    def remove(self, preview: Preview, why: str, progress: Progress) -> bool:
        """Destroy the app, with its datastores; returns whether that was done.

        Not if a deploy was asked for meanwhile: the pull request was reopened. Raises PaasError if
        something of it is used by another app.
        """
        self.store.previews.end(preview.app_id, why)
        lock = self.locks.app(preview.app_id, "the preview is removed", waiting(progress))
        with self.apps.reserve.released(), lock:
            app, present = self.store.apps.by_id(preview.app_id), self._ending(preview)
            if app is None or present is None:
                return False
            names = [one.name for one in self.store.datastores.of_app(app.id)]
            owned = self.apps.confirmed(app, names)
            self.release_commands.predestroy(app, progress)
            if self._ending(preview) is None:  # that takes its time
                return False
            # By then nothing of the app is left to tell it with.
            self._tell(app, present, Outcome.REMOVED, f"removed: {why}")
            self.apps.destruction.run(app, progress, datastores=owned)
        forget_paths(self.store, self.apps.sites, app, progress)
        if present.parent_id is not None:
            words = f"{app.name}, the preview of {present.of}, was removed: {why}"
            self.logs.write(present.parent_id, PROCESS, words)
        return True

    def _ending(self, preview: Preview) -> Preview | None:
        """The same as it is now; None if it is to stay."""
        present = self.store.previews.of_app(preview.app_id)
        return present if present is not None and present.ended is not None else None

    def due(self) -> list[tuple[App, Preview, str]]:
        """What is to be removed now, and why."""
        found = []
        for one in self.store.previews.due(self.clock.now()):
            app = self.store.apps.by_id(one.app_id)
            parent = self.store.apps.by_id(one.parent_id) if one.parent_id is not None else None
            why = one.ended or ("the app is gone" if parent is None else EXPIRED)
            if app is not None:
                found.append((app, one, why))
        return found

    def _tell(self, app: App, preview: Preview, outcome: Outcome, words: str) -> None:
        """Tell the git server, with the token of the app that it is a preview of."""
        source = self.source(preview)
        parent = self.store.apps.by_id(preview.parent_id) if preview.parent_id else None
        if source is None or parent is None or preview.forge is None or not preview.commit:
            return
        where = Told(preview.forge, source.url, preview.commit)
        self.reports.tell(parent, where, outcome, words, about=app)
