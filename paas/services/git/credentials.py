"""Private repositories: an app's deploy key, its tokens for other hosts, the SSH hosts it knows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.git.credentials import (
    DeployKey,
    FetchAccess,
    HostKey,
    HostToken,
    git_host,
)
from paas.domain.git.sources import GitSource, is_ssh
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress
from paas.services.access import find_app
from paas.store import Store

_SSH_PORT = 22


@dataclass(frozen=True, slots=True)
class KeyReport:
    """What is shown of a deploy key. made: whether it is new. hosts: what the app knows."""

    public: str
    made: bool
    hosts: tuple[HostKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GitCredentials:
    """What an app fetches with; no secret leaves it but to the fetching sandbox.

    new_key: makes a key pair with that comment.
    """

    store: Store
    new_key: Callable[[str], DeployKey]
    domain: str

    def deploy_key(self, actor: Actor, name: str, *, rotate: bool = False) -> KeyReport:
        """The app's deploy key, made if it has none. rotate: replace it."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        key = None if rotate else self.store.git_credentials.key(app.id)
        made = key is None
        if key is None:
            key = self.new_key(f"{app.name}@{self.domain}")
            self.store.git_credentials.set_key(app.id, key)
        return KeyReport(key.public, made, tuple(self.store.git_credentials.host_keys(app.id)))

    def remove_key(self, actor: Actor, name: str) -> None:
        """Forget the deploy key. Raises PaasError if there is none."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        if self.store.git_credentials.key(app.id) is None:
            raise _no_key(app)
        self.store.git_credentials.remove_key(app.id)

    def forget_host(self, actor: Actor, name: str, text: str) -> HostKey:
        """Accept the next key of an SSH host. text: ``host`` or ``host:port``."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        host = _known_as(text)
        for key in self.store.git_credentials.host_keys(app.id):
            if key.host == host:
                self.store.git_credentials.forget_host(app.id, host)
                return key
        raise PaasError(
            "no-such-host",
            f"{app.name} has kept no host key of {text}.",
            f"See which hosts it knows: paas git:deploy-key -a {app.name}",
        )

    def tokens(self, actor: Actor, name: str) -> list[tuple[str, str]]:
        """The hosts that the app has a token for, with the user beside it."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        return [(one.host, one.user) for one in self.store.git_credentials.tokens(app.id)]

    def set_token(self, actor: Actor, name: str, token: HostToken) -> None:
        """Use a token for a host from now on. It is not tested."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        self.store.git_credentials.set_token(app.id, token)

    def remove_token(self, actor: Actor, name: str, text: str) -> None:
        """Forget the token for a host. Raises PaasError if there is none."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        host = git_host(text)
        if host not in [one.host for one in self.store.git_credentials.tokens(app.id)]:
            raise PaasError(
                "no-such-token",
                f"{app.name} has no token for {host}.",
                f"See: paas git:auth -a {app.name}",
            )
        self.store.git_credentials.remove_token(app.id, host)

    def of(self, app: App) -> FetchAccess:
        """All that the app's fetches may use; a preview's, what those of its parent may use."""
        id, stored = _whose(app), self.store.git_credentials
        return FetchAccess(tuple(stored.tokens(id)), stored.key(id), tuple(stored.host_keys(id)))

    def of_fetch(self, app: App, source: GitSource) -> FetchAccess:
        """The same, for one repository. Raises PaasError if it needs a key that is not there."""
        access = self.of(app)
        if access.key is None and is_ssh(source.url):
            raise _no_key(app)
        return access

    def learn(self, app: App, keys: Sequence[HostKey], progress: Progress) -> None:
        """Keep the keys of SSH hosts that were seen for the first time, and say so."""
        self.store.git_credentials.add_host_keys(_whose(app), keys)
        for key in keys:
            progress.detail(f"Seen for the first time: {key.host}, host key {key.fingerprint}")
            progress.detail("It is kept, and another key of that host will be refused.")


def _whose(app: App) -> int:
    """The id of the app whose credentials are used: a preview has none of its own."""
    return app.id if app.preview_of is None else app.preview_of


def _known_as(text: str) -> str:
    """A host as known_hosts names it."""
    host, _, port = git_host(text.strip("[]").replace("]:", ":")).partition(":")
    return host if port in {"", str(_SSH_PORT)} else f"[{host}]:{port}"


def _no_key(app: App) -> PaasError:
    return PaasError(
        "no-deploy-key",
        f"{app.name} has no deploy key, which a repository by SSH needs.",
        f"Make one, and add it to the repository: paas git:deploy-key -a {app.name}",
    )
