"""The context of one operation: whose request it is, the services, and the way to answer it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from paas.domain.people.actors import Actor
from paas.domain.people.origins import Origin
from paas.domain.people.permissions import Permission
from paas.domain.releases.releases import Release
from paas.domain.values.errors import PaasError, no_such_app
from paas.domain.values.names import ProcessType
from paas.entrypoints.cli.recording import Recording
from paas.entrypoints.operations.progress import Impatient
from paas.wiring.services import Services

Formation = Mapping[ProcessType, int]


class Reply(Protocol):
    """The client of an operation."""

    def send(self, answer: Mapping[str, object]) -> None:
        """Answer; only the first call counts. What follows is done while nobody waits."""

    def wait(self) -> None:
        """From here on the request only waits, as a stream does, and takes no command's place.

        Raises PaasError if its user has too many of those.
        """

    def client_gone(self) -> bool:
        """Whether nobody waits for it any longer."""
        ...


@dataclass(slots=True)
class Call:
    """What each operation gets.

    recording: of this request in the audit trail. reply: see `answer`. progress: where the services
    report; its warnings are part of the answer. status: an exit status, of what has one.
    """

    services: Services
    actor: Actor
    origin: Origin
    recording: Recording
    reply: Reply
    progress: Impatient = field(default_factory=Impatient)
    status: int = 0

    def answer(self, value: object) -> None:
        """Answer before the end: the rest of the operation goes on while nobody waits."""
        self.reply.send({"value": value, "warnings": self.progress.warnings})

    def accepting(self, value: Callable[[Release, Formation | None], object]) -> Impatient:
        """The progress of a change that may take long: it is answered once it is accepted.

        value: the answer, from what is to run and the formation, if that changes.
        """
        self.progress.when_accepted = lambda release, formation: self.answer(
            value(release, formation)
        )
        return self.progress

    def app_name(self, app: str | int) -> str:
        """The name of an app that was given by its name or its id.

        Raises PaasError for an id that is not one of an app that exists for the actor.
        """
        if isinstance(app, str):
            return app
        found = self.services.store.apps.by_id(app)
        if found is None or not self.actor.may(Permission.VIEW, found):
            raise no_such_app(f"#{app}")
        return found.name

    def shown_app(self, app: str | int) -> str:
        """The same for the audit trail, which has those that do not exist, too."""
        try:
            return self.app_name(app)
        except PaasError:
            return f"#{app}"


Run = Callable[..., object]
