"""What the gate does for the web process: verifies the token of a request, and plans git for it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from paas.domain.git.access import ExecPlan
from paas.domain.people.actors import Actor
from paas.domain.people.origins import Origin
from paas.domain.people.tokens import prefix_of
from paas.domain.values.names import AppName
from paas.domain.values.secret import Secret
from paas.entrypoints.cli import git
from paas.entrypoints.cli.local import LocalCaller
from paas.entrypoints.cli.login import Login
from paas.entrypoints.cli.main import services_of
from paas.entrypoints.cli.recording import Recording
from paas.entrypoints.cli.session import Session
from paas.entrypoints.cli.terminal import Terminal
from paas.wiring.services import Services


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


def admitted_by(etc: str) -> Callable[[Secret, Origin], TokenVisitor]:
    """A function that verifies a token, for the server with settings in that directory.

    It raises PaasError if the token is not valid. No key is asked for: over HTTP the token is the
    way in.
    """

    def admit(token: Secret, origin: Origin) -> TokenVisitor:
        services = services_of(etc)
        actor = services.tokens.actor(token, origin.address)
        known = replace(origin, token=prefix_of(token))
        return TokenVisitor(services, actor, Login(actor.name, known, token))

    return admit
