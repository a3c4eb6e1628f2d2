"""What a webhook of a pull request or another branch does: previews come, are deployed, and go."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from paas.domain.audit.events import DONE, Attempt, Subject, end_of
from paas.domain.audit.words import recorded
from paas.domain.git.events import Event, What
from paas.domain.git.previews import Preview, PreviewOf
from paas.domain.values.errors import PaasError
from paas.domain.values.names import branch_name
from paas.entrypoints.gate.hooks import Answer
from paas.interfaces import Logs
from paas.services.audit.audit import Audit, Begun
from paas.services.git.deploy_on_push import Arrival
from paas.services.git.preview_deploys import PROCESS, PreviewDeploys
from paas.services.git.previews import Previews
from paas.services.progress import Silent
from paas.store import Store

CREATE, DESTROY = "previews:create", "previews:destroy"
Enter = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class PreviewHandler:
    """Handles a genuine webhook; each event that matters is a line in the audit trail."""

    previews: Previews
    deploys: PreviewDeploys
    store: Store
    logs: Logs
    audit: Audit

    def deliver(self, arrival: Arrival, address: str, answer: Answer, enter: Enter) -> None:
        """Answer it, and do what it is about."""
        for event in arrival.delivery.events:
            with suppress(PaasError):  # a branch whose name is not accepted has no preview
                of = PreviewOf(branch_name(event.branch), event.pull_request)
                present = self.store.previews.find(arrival.app.id, of)
                if self._matters(arrival, event, of, present):
                    self._handle(arrival, address, answer, enter, (event, of, present))
                    return
        answer(200, f"Nothing to deploy: this is no push to {arrival.webhook.branch}.")

    def _matters(
        self, arrival: Arrival, event: Event, of: PreviewOf, present: Preview | None
    ) -> bool:
        """Whether anything is to be done. Code of strangers would run with the app's config."""
        if event.what is not What.OPENED or self.store.previews.settings(arrival.app.id) is None:
            return present is not None
        if event.from_fork:
            words = f"{of} comes from a fork, so it gets no preview"
            self.logs.write(arrival.app.id, PROCESS, words)
            return False
        return True

    def _handle(
        self,
        arrival: Arrival,
        address: str,
        answer: Answer,
        enter: Enter,
        about: tuple[Event, PreviewOf, Preview | None],
    ) -> None:
        event, of, present = about
        why = enter(arrival.actor.name)
        if why is not None:
            answer(503, why)
            return
        ends = event.what in {What.CLOSED, What.DELETED}
        attempt = _attempt(arrival, address, DESTROY if ends else CREATE, event)
        try:
            begun = self.audit.begin(attempt)
        except PaasError as error:
            answer(503, error.message)
            return
        try:
            if present is not None and ends:
                answer(202, f"The preview of {of} will be removed.")
                self.deploys.remove(present, _why(event), Silent())
            else:
                self._deploy(arrival, event, of, answer)
        except PaasError as error:
            self._end(begun, error)
        else:
            self._end(begun, None)

    def _deploy(self, arrival: Arrival, event: Event, of: PreviewOf, answer: Answer) -> None:
        try:
            found = self.previews.want(
                arrival.actor, arrival.app.name, of, arrival.delivery.forge, event.commit
            )
        except PaasError as error:
            self.logs.write(arrival.app.id, PROCESS, f"No preview of {of}: {error.summary}")
            answer(403, error.message)
            raise
        answer(202, f"{of} will be deployed: {found.url}")
        self.deploys.deploy_wanted(arrival.actor, found.app.id, Silent())

    def _end(self, begun: Begun, error: PaasError | None) -> None:
        with suppress(PaasError):  # the app's log says what became of it
            self.audit.end(begun, DONE if error is None else end_of(error))


def _why(event: Event) -> str:
    if event.what is What.CLOSED:
        return "the pull request was closed"
    return "the branch was deleted"


def _attempt(arrival: Arrival, address: str, command: str, event: Event) -> Attempt:
    words = [event.branch, event.commit, arrival.delivery.id]
    number = event.pull_request
    options = {"--pr": [str(number)]} if number is not None else {}
    return Attempt(
        user=arrival.actor.name,
        via=f"webhook:{arrival.delivery.forge}",
        address=address,
        subject=Subject(arrival.app.name, arrival.app.id),
        command=command,
        words=recorded(command, [word for word in words if word], options),
    )
