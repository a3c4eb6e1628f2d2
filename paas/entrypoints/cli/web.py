"""What the gate does for the web process: verifies the token of a request, plans git for it, and
runs the operations of the API."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC

from paas.domain.audit.words import LEFT_OUT
from paas.domain.git.access import ExecPlan
from paas.domain.people.actors import Actor
from paas.domain.people.origins import Origin
from paas.domain.people.tokens import prefix_of
from paas.domain.people.users import Role, User
from paas.domain.streams.capabilities import Capability
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, UserName, plain_output
from paas.domain.values.secret import Secret
from paas.entrypoints.cli import git
from paas.entrypoints.cli.local import LocalCaller
from paas.entrypoints.cli.login import Login
from paas.entrypoints.cli.main import services_of
from paas.entrypoints.cli.recording import Recording
from paas.entrypoints.cli.session import Session
from paas.entrypoints.cli.terminal import Terminal
from paas.entrypoints.operations.call import Call, Reply
from paas.entrypoints.operations.dashboard import OPEN_SESSION
from paas.entrypoints.operations.perform import perform
from paas.services.progress import Silent
from paas.wiring.services import Services

# Whose a token is that nobody has: in the audit trail, where no user can have this name.
_UNKNOWN = UserName("-")


@dataclass(frozen=True, slots=True)
class TokenVisitor:
    """gate.web.Visitor: the user of a token that was verified."""

    services: Services
    actor: Actor
    login: Login

    @property
    def name(self) -> str:
        """The user's name."""
        return self.actor.name

    def git(self, service: str, app: AppName, protocol: str | None) -> ExecPlan:
        """As over SSH: the same permissions, and the same line in the audit trail."""
        progress, origin = Terminal(), self.login.origin
        env = {} if protocol is None else {"GIT_PROTOCOL": protocol}
        caller = LocalCaller()
        session = Session(
            self.services, self.actor, lambda: False, caller, env, progress, origin=origin
        )
        session.recording = Recording(self.services.audit, self.actor, origin, progress)
        with session.recording.until_end(lambda: 0):
            return git.service(session, service, app, env, self.login)

    def operate(self, operation: str, arguments: Mapping[str, object], reply: Reply) -> None:
        """As the command of that name, with the same line in the audit trail."""
        origin = self.login.origin
        recording = Recording(self.services.audit, self.actor, origin, Silent())
        perform(Call(self.services, self.actor, origin, recording, reply), operation, arguments)


@dataclass(frozen=True, slots=True)
class CapabilityStream:
    """gate.streams.Stream: what a secret stands for."""

    services: Services
    capability: Capability
    secret: Secret

    @property
    def user(self) -> str:
        """The name of the user who was given the secret."""
        return self.capability.user

    def is_allowed(self) -> bool:
        """Whether its user may still follow it."""
        try:
            self.services.streams.find(self.secret)
        except PaasError:
            return False
        return True

    def rows(self, after: str, stop: Callable[[], bool]) -> Iterator[Sequence[str]]:
        """Its lines; those of an output have only a mark, which is their number, and a text."""
        if (lines := self._output(stop)) is not None:
            seen = int(after) if after.isdecimal() else 0
            for number, text in enumerate(lines, start=1):
                if number > seen:
                    yield str(number), plain_output(text)
            return
        for mark, line in self.services.streams.log_lines(self.capability, after, stop):
            at = line.at.astimezone(UTC).isoformat(timespec="microseconds")
            yield mark, at, line.source, line.process, line.text

    def _output(self, stop: Callable[[], bool]) -> Iterator[str] | None:
        """What a build or a release command prints; None if it is a log that is followed."""
        found, services = self.capability, self.services
        if found.build is None and found.release is None:
            return None
        actor, app = services.streams.require(found)
        if found.release is not None:
            return services.releases.follow(actor, app.name, found.release, stop)
        return services.builds.output(actor, app.name, found.build, stop)[1]


def admitted_by(etc: str) -> Callable[[Secret, Origin, str], TokenVisitor]:
    """gate.web.Admit for the server with settings in that directory.

    No key is asked for: over HTTP the token is the way in. One that is refused is recorded, if the
    request would have changed something.
    """

    def admit(token: Secret, origin: Origin, asks_for: str) -> TokenVisitor:
        services = services_of(etc)
        try:
            known = replace(origin, token=prefix_of(token))
        except PaasError as error:
            _turn_away(services, replace(origin, token=LEFT_OUT), asks_for, error)
            raise
        try:
            actor = holder_of(services, token, origin, asks_for)
        except PaasError as error:
            _turn_away(services, known, asks_for, error)
            raise
        return TokenVisitor(services, actor, Login(actor.name, known, token))

    return admit


def holder_of(services: Services, token: Secret, origin: Origin, asks_for: str) -> Actor:
    """Whose it is. What opens a session may be the secret of a link, which is good for no more."""
    if asks_for == OPEN_SESSION and (found := services.web_sessions.link_actor(token)) is not None:
        return found
    return services.tokens.actor(token, origin.address)


def streams_of(etc: str) -> Callable[[Secret], CapabilityStream]:
    """gate.streams.OpenStream for the server with settings in that directory."""

    def find(secret: Secret) -> CapabilityStream:
        streams = services_of(etc).streams
        return CapabilityStream(services_of(etc), streams.find(secret), secret)

    return find


@dataclass(frozen=True, slots=True)
class UploadPlace:
    """gate.uploads.Upload: the place that a secret stands for."""

    services: Services
    user: str
    secret: Secret

    def require(self) -> None:
        """Raises PaasError unless it may still be filled."""
        self.services.uploads.find(self.secret)

    def receive(self, pieces: Iterator[bytes]) -> int:
        """Write an archive."""
        return self.services.uploads.receive(self.secret, pieces)


def uploads_of(etc: str) -> Callable[[Secret], UploadPlace]:
    """gate.uploads.OpenUpload for the server with settings in that directory."""

    def find(secret: Secret) -> UploadPlace:
        services = services_of(etc)
        return UploadPlace(services, services.uploads.find(secret).user, secret)

    return find


def _turn_away(services: Services, origin: Origin, asks_for: str, error: PaasError) -> None:
    stranger = Actor(User(_UNKNOWN, Role.MEMBER))
    Recording(services.audit, stranger, origin, Silent()).turned_away(asks_for, error)
