"""Deploy on push: a webhook of a git server becomes git:sync, as the user who set it up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.git.sources import git_source, is_ssh
from paas.domain.git.statuses import Outcome
from paas.domain.git.webhooks import (
    ID_CHARACTERS,
    SECRET_CHARACTERS,
    Delivery,
    Webhook,
    delivery,
)
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError
from paas.domain.values.names import branch_name
from paas.domain.values.secret import Secret
from paas.interfaces import Clock, Locks, Logs
from paas.services.access import find_app, require_account
from paas.services.deploys.imports import Building, Imports
from paas.services.git.status_reports import StatusReports, Told
from paas.services.progress import Silent
from paas.store import Store

PROCESS = "deploy-on-push"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A genuine webhook. actor: as whom it deploys, with the permissions of this moment."""

    webhook: Webhook
    app: App
    actor: Actor
    delivery: Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployOnPush:
    """base: the URL of the host that webhooks come to; None: nothing listens there."""

    store: Store
    imports: Imports
    reports: StatusReports
    locks: Locks
    logs: Logs
    clock: Clock
    random_characters: Callable[[int], str]
    base: str | None

    def set_up(self, actor: Actor, name: str, url: str, branch: str) -> Webhook:
        """Deploy that branch of a repository whenever its server tells of a push.

        It replaces what was set up before. Raises PaasError if nothing would reach this server.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        require_account(actor, "set up deploy on push")
        if self.base is None:
            raise PaasError(
                "web-off",
                "Webhooks come over HTTP, and the web process is off.",
                "An admin sets web in server.yml: docs/how-to/git-over-https.md",
            )
        source = git_source(url, branch_name(branch))
        if is_ssh(url) and self.store.git_credentials.key(app.id) is None:
            raise PaasError(
                "no-deploy-key",
                f"{app.name} has no deploy key, which a repository by SSH needs.",
                f"Make one, and add it to the repository: paas git:deploy-key -a {app.name}",
            )
        webhook = Webhook(
            id=self.random_characters(ID_CHARACTERS),
            app_id=app.id,
            source=source,
            branch=branch_name(branch),
            user=actor.user.name if actor.user is not None else None,
            secret=Secret(self.random_characters(SECRET_CHARACTERS)),
        )
        self.store.webhooks.set(webhook)
        return webhook

    def rotate(self, actor: Actor, name: str) -> Webhook:
        """A new secret for the same URL; from now on it deploys as this user."""
        former = self.report(actor, name)
        require_account(actor, "set up deploy on push")
        webhook = replace(
            former,
            user=actor.user.name if actor.user is not None else None,
            secret=Secret(self.random_characters(SECRET_CHARACTERS)),
        )
        self.store.webhooks.rotate(webhook)
        return webhook

    def turn_off(self, actor: Actor, name: str) -> None:
        """Refuse webhooks from now on. Raises PaasError if nothing was set up."""
        self.store.webhooks.remove(self.report(actor, name).app_id)

    def report(self, actor: Actor, name: str) -> Webhook:
        """What was set up. Raises PaasError if nothing was."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        webhook = self.store.webhooks.of_app(app.id)
        if webhook is None:
            raise PaasError(
                "no-webhook",
                f"{app.name} is not deployed on push.",
                f"paas git:deploy-on-push -a {app.name} --from https://github.com/acme/shop.git",
            )
        return webhook

    def url(self, webhook: Webhook) -> str:
        """Where the git server sends to."""
        return f"{self.base or ''}/hooks/{webhook.id}"

    def arrived(self, id: str, headers: Mapping[str, str], body: bytes) -> Arrival:
        """Verify a webhook. Raises PaasError if there is no such one, or it is not genuine."""
        webhook = self.store.webhooks.by_id(id)
        app = self.store.apps.by_id(webhook.app_id) if webhook is not None else None
        if webhook is None or app is None:
            raise PaasError("no-webhook", "There is no such webhook.")
        found = delivery(webhook, headers, body)
        user = self.store.users.find(webhook.user) if webhook.user is not None else None
        if webhook.user is not None and user is None:
            raise PaasError("no-webhook", "There is no such webhook.")
        return Arrival(webhook, app, Actor(user), found)

    def want(self, arrival: Arrival) -> None:
        """Note that a push came. Raises PaasError if its user may not deploy the app now."""
        find_app(self.store, arrival.actor, arrival.app.name, to=Permission.DEPLOY)
        found = arrival.delivery
        self.store.webhooks.want(
            arrival.webhook.id, self.clock.now(), found.forge, found.pushed or ""
        )

    def deploy_wanted(self, arrival: Arrival) -> None:
        """Deploy what is wanted, and what is wanted meanwhile: one deploy for all that waits.

        Another process may be at it: it then takes this push in as well. Raises PaasError with why
        the last one failed; the app's log has it, too.
        """
        failure: PaasError | None = None
        while (webhook := self._waiting(arrival.webhook.id)) is not None:
            with self.locks.deploying_on_push(webhook.app_id) as is_ours:
                if not is_ours:
                    return
                failure = self._deploy(webhook)
        if failure is not None:
            raise failure

    def _waiting(self, id: str) -> Webhook | None:
        """The webhook, if a push waits."""
        webhook = self.store.webhooks.by_id(id)
        return webhook if webhook is not None and webhook.wanted > webhook.done else None

    def _deploy(self, webhook: Webhook) -> PaasError | None:
        """Have the branch fetched and deployed; why it failed."""
        failure = None
        try:
            user = self.store.users.find(webhook.user) if webhook.user is not None else None
            app = self.store.apps.by_id(webhook.app_id)
            if app is None or (webhook.user is not None and user is None):
                return None  # removed meanwhile, and the webhook with it
            source, building = webhook.source, Building.IF_CHANGED
            self.logs.write(app.id, PROCESS, f"{webhook.branch} was pushed: {source.url}")
            self._tell(webhook, Outcome.PENDING, "is being deployed")
            self.imports.sync(Actor(user), app.name, source, building, Silent())
        except PaasError as error:
            failure = error
            self.logs.write(webhook.app_id, PROCESS, f"Not deployed: {error.summary}")
        result = "deployed" if failure is None else f"failed: {failure.message}"
        self.store.webhooks.finish(webhook.id, webhook.wanted, result)
        outcome = Outcome.DEPLOYED if failure is None else Outcome.FAILED
        self._tell(webhook, outcome, result)
        return failure

    def _tell(self, webhook: Webhook, outcome: Outcome, words: str) -> None:
        """Tell the git server what becomes of the push."""
        app, last = self.store.apps.by_id(webhook.app_id), webhook.last
        if app is not None and last is not None:
            where = Told(last.forge, webhook.source.url, last.commit)
            self.reports.tell(app, where, outcome, words)
