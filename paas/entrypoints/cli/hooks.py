"""What the gate does with a webhook: verifies it, answers, and deploys in the background."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from paas.domain.audit.events import DONE, Attempt, Subject, end_of
from paas.domain.audit.words import recorded
from paas.domain.values.errors import PaasError
from paas.entrypoints.cli.main import services_of
from paas.entrypoints.cli.preview_hooks import PreviewHandler
from paas.entrypoints.gate.hooks import Answer, Deliver, HookRequest
from paas.services.audit.audit import Audit, Begun
from paas.services.git.deploy_on_push import Arrival, DeployOnPush
from paas.wiring.services import Services

SYNC = "git:sync"
_STATUS = {"no-webhook": 404, "webhook-signature": 401, "webhook-form": 400}


def delivered_by(etc: str) -> Deliver:
    """gate.hooks.Deliver for the server with settings in that directory."""

    def deliver(
        request: HookRequest, body: bytes, answer: Answer, enter: Callable[[str], str | None]
    ) -> None:
        services = services_of(etc)
        handler_of(services).deliver(request, body, answer, enter)

    return deliver


def handler_of(services: Services) -> "Handler":
    """What handles the webhooks of a server."""
    previews = PreviewHandler(
        services.previews, services.preview_deploys, services.store, services.logs, services.audit
    )
    return Handler(services.deploy_on_push, previews, services.audit)


@dataclass(frozen=True, slots=True)
class Handler:
    """Handles one webhook: see gate.hooks.Deliver."""

    hooks: DeployOnPush
    previews: PreviewHandler
    audit: Audit

    def deliver(
        self, request: HookRequest, body: bytes, answer: Answer, enter: Callable[[str], str | None]
    ) -> None:
        """Verify it, answer it, and deploy what it is about."""
        try:
            arrival = self.hooks.arrived(request.id, request.headers, body)
        except PaasError as error:
            answer(_STATUS.get(error.reference, 500), error.message)
            return
        if arrival.delivery.pushed is None:
            self.previews.deliver(arrival, request.address, answer, enter)
            return
        why = enter(arrival.actor.name)
        if why is not None:
            answer(503, why)
            return
        self._deploy(arrival, request.address, answer)

    def _deploy(self, arrival: Arrival, address: str, answer: Answer) -> None:
        """Record the push, answer, and deploy: builds take longer than a git server waits."""
        try:
            begun = self.audit.begin(_attempt(arrival, address))
        except PaasError as error:
            answer(503, error.message)
            return
        try:
            self.hooks.want(arrival)
        except PaasError as error:
            self._end(begun, error)
            answer(403, f"{arrival.actor.name} may not deploy this app.")
            return
        answer(202, f"{arrival.webhook.branch} will be deployed.")
        try:
            self.hooks.deploy_wanted(arrival)
        except PaasError as error:
            self._end(begun, error)
        else:
            self._end(begun, None)

    def _end(self, begun: Begun, error: PaasError | None) -> None:
        with suppress(PaasError):  # the app's log and the report say what became of it
            self.audit.end(begun, DONE if error is None else end_of(error))


def _attempt(arrival: Arrival, address: str) -> Attempt:
    found = arrival.delivery
    words = [arrival.webhook.source.url, arrival.webhook.branch, found.pushed or "", found.id]
    return Attempt(
        user=arrival.actor.name,
        via=f"webhook:{found.forge}",
        address=address,
        subject=Subject(arrival.app.name, arrival.app.id),
        command=SYNC,
        words=recorded(SYNC, [word for word in words if word], {}),
    )
