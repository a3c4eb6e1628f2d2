"""Streams over HTTP: opened by a user, then followed by whoever has the secret."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.logs.loglines import LogLine
from paas.domain.people.actors import Actor
from paas.domain.people.origins import Origin
from paas.domain.people.permissions import Permission
from paas.domain.people.tokens import TokenPrefix
from paas.domain.streams.capabilities import (
    LINES_MAX,
    Capability,
    require_filter,
)
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName
from paas.domain.values.secret import Secret
from paas.interfaces import Capabilities, Logs
from paas.services.access import find_app, refreshed, require
from paas.services.people.tokens import Tokens
from paas.store import Store


@dataclass(frozen=True, slots=True)
class LogWish:
    """Which lines of an app's log: see `Capability`."""

    lines: int
    tail: bool
    process: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """A stream ends, and its secret is worth nothing, when its user may no longer follow it."""

    store: Store
    logs: Logs
    tokens: Tokens
    capabilities: Capabilities

    def open_log(self, actor: Actor, origin: Origin, name: str, wish: LogWish) -> Secret:
        """The secret of a stream of an app's log. Raises PaasError."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        require_filter(wish.process, wish.source)
        user, token = _holder(actor, origin)
        return self.capabilities.issue(
            Capability(
                user=user,
                token=token,
                app_id=app.id,
                lines=min(wish.lines, LINES_MAX),
                tail=wish.tail,
                process=wish.process,
                source=wish.source,
            )
        )

    def open_output(
        self,
        actor: Actor,
        origin: Origin,
        app: App,
        *,
        build: str | None = None,
        release: int | None = None,
    ) -> Secret:
        """The secret of a stream of what a build, or a release command, prints."""
        user, token = _holder(actor, origin)
        return self.capabilities.issue(
            Capability(user=user, token=token, app_id=app.id, build=build, release=release)
        )

    def find(self, secret: Secret) -> Capability:
        """What a secret opens, if its user may still follow it. Raises PaasError."""
        found = self.capabilities.find(secret)
        if found is None:
            raise PaasError(
                "no-such-stream",
                "There is no such stream, or its time is over.",
                "Ask for another one.",
            )
        self.require(found)
        self.capabilities.touch(secret)
        return found

    def require(self, capability: Capability) -> tuple[Actor, App]:
        """Who follows what. Raises PaasError unless its user may still do so."""
        actor = self.tokens.present(capability.token)
        app = self.store.apps.by_id(capability.app_id)
        if app is None or not actor.may(Permission.VIEW, app):
            raise PaasError(
                "no-such-stream",
                "The app of this stream is gone, or its user may no longer see it.",
            )
        return actor, app

    def log_lines(
        self, capability: Capability, after: str, stop: Callable[[], bool]
    ) -> Iterator[tuple[str, LogLine]]:
        """The lines of a log, each with a mark to continue after."""
        return self.logs.resumable(
            capability.app_id,
            stop if capability.tail else lambda: True,
            capability.wanted,
            capability.lines,
            after,
        )

    def present(self, origin: Origin, app: App, to: Permission) -> None:
        """Raises PaasError unless the holder of the token may still do that with the app."""
        actor = self.tokens.present(TokenPrefix(origin.token or ""))
        require(actor, refreshed(self.store, app), to)


def _holder(actor: Actor, origin: Origin) -> tuple[UserName, TokenPrefix]:
    if origin.token is None or actor.user is None:
        raise PaasError("token-unknown", "A stream is opened with a token.")
    return actor.user.name, TokenPrefix(origin.token)
