"""Pushes: who may push and fetch, and which pushed refs are deployed."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.git.refs import NO_COMMIT, RefUpdate, short
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.releases.diffs import sections
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, shown
from paas.interfaces import Progress, Quarantine, Refs, Repository
from paas.services.access import find_app, require
from paas.services.apps.apps import Apps
from paas.services.apps.maintenance import refuse_locked
from paas.services.builds.build import Push
from paas.services.deploys.deploys import Deploys
from paas.services.progress import Quiet
from paas.services.releases.diffs import Diffs
from paas.services.server.quotas import Quotas
from paas.store import Store

DRY_RUN = "dry-run"
# git sends its own -q, but also sends it from everyone without a terminal, such as a CI.
QUIET = "quiet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushes:
    """The rules of git over SSH."""

    store: Store
    repository: Repository
    refs: Refs
    apps: Apps
    deploys: Deploys
    diffs: Diffs
    quotas: Quotas

    def to_push(self, actor: Actor, name: AppName, progress: Progress) -> App:
        """The app to push to; a first push creates it.

        Raises as for an unknown app if the name is another user's.
        """
        # Before anything is sent: on a full disk git itself only says "unpacker error".
        self.deploys.slugs.check_free_space()
        if self.store.apps.find(name) is None:
            app = self.apps.create(actor, name)
            progress.step(f"Created the app {name}")
            return app
        app = self._with_repository(actor, name)
        self.quotas.refuse_known_full(actor, app)
        return app

    def to_upload(self, actor: Actor, name: AppName, progress: Progress) -> App:
        """The app to send large files to, as `to_push`."""
        app = self.to_push(actor, name, progress)
        self.quotas.refuse_full(actor, app)
        return app

    def to_fetch(self, actor: Actor, name: AppName) -> App:
        """The app to fetch from."""
        return self._with_repository(actor, name)

    def _with_repository(self, actor: Actor, name: AppName) -> App:
        app = find_app(self.store, actor, name, to=Permission.DEPLOY)
        self.repository.create(app.id)
        return app

    def receive(
        self,
        actor: Actor,
        app_id: int,
        updates: Sequence[RefUpdate],
        quarantine: Quarantine,
        progress: Progress,
        options: Sequence[str] = (),
    ) -> None:
        """Judge a push inside its pre-receive hook: deploy, store, or refuse by PaasError.

        options: those of ``git push -o``. A dry run ends in a refusal, so that no ref moves. With
        quiet, only warnings and errors are shown.
        """
        _check_options(options)
        if QUIET in options and DRY_RUN not in options:
            progress = Quiet(progress)
        app = self.store.apps.by_id(app_id)
        if app is None or not actor.may(Permission.VIEW, app):
            raise PaasError("no-such-app", "The app of this repository has been removed.")
        require(actor, app, Permission.DEPLOY)
        deployed = [update for update in updates if app.deploys(update.ref)]
        if any(update.new == NO_COMMIT for update in deployed):
            raise PaasError(
                "delete-deploy-branch",
                "The deploy branch cannot be deleted: the app runs from it.",
                f"To remove the app: paas apps:destroy {app.name} --confirm {app.name}",
            )
        if len(deployed) > 1:
            names = " and ".join(short(update.ref) for update in deployed)
            raise PaasError(
                "two-deploys",
                f"This push has two deploy branches, {names}: only one can go live.",
                "Push one of them: git push deploy main",
            )
        self._refuse_what_git_would(app, updates, quarantine, has_deploy=bool(deployed))
        if DRY_RUN in options:
            raise self._dry_run(app, deployed, quarantine, progress)
        if deployed:
            # Before waiting for the app's lock; checked again after it.
            refuse_locked(self.store, app)
        else:
            self._refuse_full(actor, app, updates)
        for update in updates:
            if update not in deployed:
                self._report_stored(app, update, progress)
        if not deployed:
            progress.live()
            return
        self.deploys.deploy(Push(app, deployed[0].new, quarantine, actor), progress)

    def _refuse_full(self, actor: Actor, app: App, updates: Sequence[RefUpdate]) -> None:
        """For a push without a build, whose end would measure it; deletions make room."""
        if any(update.new != NO_COMMIT for update in updates):
            self.quotas.refuse_full(actor, app)

    def _refuse_what_git_would(
        self, app: App, updates: Sequence[RefUpdate], quarantine: Quarantine, *, has_deploy: bool
    ) -> None:
        """git checks again after the hook, when a new version is live: ask it now.

        Not for a deletion without a deploy: git's refusal does no harm then, and the deletion may
        make room for the other refs.
        """
        deletes = any(update.new == NO_COMMIT for update in updates)
        if deletes and not has_deploy:
            return
        refused = self.refs.refusal(app.id, updates, quarantine)
        if refused is not None:
            raise refused

    def _dry_run(
        self, app: App, deployed: Sequence[RefUpdate], quarantine: Quarantine, progress: Progress
    ) -> PaasError:
        """Show what the push would change; returns the refusal."""
        for update in deployed:
            found = self.diffs.pushed(app, update.new, quarantine)
            progress.step(f"What would change, from {found.old} to {found.new}")
            for note in found.notes:
                progress.warn(note)
            for title, rows in sections(found):
                progress.step(title)
                for row in rows:
                    progress.detail(row)
            if found.is_empty:
                progress.detail("Nothing differs: the same files would be built again.")
        if not deployed:
            progress.step(f"Nothing would be deployed: only {app.deploy_branch or 'main'} is")
        return PaasError(
            "dry-run",
            "This was a dry run: nothing was built and nothing has changed. git calls that a "
            "rejected push.",
            f"To deploy it: git push deploy {app.deploy_branch or 'main'}",
        )

    def _report_stored(self, app: App, update: RefUpdate, progress: Progress) -> None:
        if update.new == NO_COMMIT:
            progress.step(f"Deleted {short(update.ref)}")
            return
        branch = app.deploy_branch or "main"
        progress.step(f"Stored {short(update.ref)}; not deployed, as only {branch} is")
        if update.ref.startswith("refs/heads/"):
            progress.detail(f"To deploy it: git push deploy {short(update.ref)}:{branch}")
        if update.ref.startswith("refs/tags/"):
            source = f"{short(update.ref)}^{{}}:refs/heads/{branch}"
            progress.detail(f"To deploy it: git push deploy {shlex.quote(source)}")


def _check_options(options: Sequence[str]) -> None:
    """Refuse an option that does not exist: a mistyped dry run must not deploy."""
    for option in options:
        if option not in {DRY_RUN, QUIET}:
            raise PaasError(
                "push-option",
                f"There is no push option {shown(option)}; there are: {DRY_RUN}, {QUIET}.",
                "git push -o dry-run deploy main; to send none of the configured ones: "
                "git -c push.pushOption= push deploy main",
            )
