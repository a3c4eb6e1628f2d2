"""Telling git servers what becomes of a commit, where the app has a token for them."""

from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.git.events import Forge
from paas.domain.git.statuses import CommitStatus, Outcome, status_request
from paas.domain.values.errors import PaasError
from paas.interfaces import CommitStatuses, Logs
from paas.services.routing.sites import Sites
from paas.store import Store


@dataclass(frozen=True, slots=True)
class Told:
    """Where a commit is: the git server's kind, the repository's address, and the commit."""

    forge: Forge
    repository: str
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReports:
    """If one cannot be sent, the app's log says so, and nothing else changes."""

    store: Store
    statuses: CommitStatuses
    sites: Sites
    logs: Logs

    def tell(
        self, sender: App, where: Told, outcome: Outcome, words: str, *, about: App | None = None
    ) -> None:
        """Send a status. sender: whose token and network it is. about: None: about the sender."""
        app = about or sender
        status = CommitStatus(where.commit, outcome, app.name, words, self.sites.url(app))
        request = status_request(where.forge, where.repository, status)
        tokens = {one.host: one for one in self.store.git_credentials.tokens(sender.id)}
        if request is None or request.host not in tokens:
            return
        try:
            self.statuses.send(sender, request, tokens[request.host])
        except PaasError as error:
            self.logs.write(sender.id, "deploy-on-push", error.message)
