"""The services of people, from the adapters."""

from paas.domain.people.fingerprints import fingerprint
from paas.services.people.access import AppAccess
from paas.services.people.admission import Admission
from paas.services.people.keys import Keys
from paas.services.people.logins import Logins
from paas.services.people.tokens import Tokens
from paas.services.people.users import Users
from paas.services.people.web_sessions import WebSessions
from paas.services.server.quotas import Quotas
from paas.services.streams.streams import Streams
from paas.wiring.adapters import Adapters


def admission(adapters: Adapters) -> Admission:
    """Who may come in with a key."""
    return Admission(
        store=adapters.store,
        uses=adapters.key_uses,
        clock=adapters.clock,
        authorities=frozenset(fingerprint(one.body) for one in adapters.settings.authorities),
    )


def logins(adapters: Adapters) -> Logins:
    """What sshd knows of the users."""
    return Logins(store=adapters.store, file=adapters.key_file)


def keys(adapters: Adapters) -> Keys:
    """SSH keys."""
    return Keys(
        store=adapters.store,
        reader=adapters.key_reader,
        logins=logins(adapters),
        uses=adapters.key_uses,
        locks=adapters.locks,
        clock=adapters.clock,
    )


def tokens(adapters: Adapters) -> Tokens:
    """Tokens."""
    return Tokens(
        store=adapters.store,
        uses=adapters.token_uses,
        clock=adapters.clock,
        random_characters=adapters.random_characters,
    )


def web_sessions(adapters: Adapters) -> WebSessions:
    """Sessions of the dashboard."""
    return WebSessions(
        store=adapters.store,
        uses=adapters.token_uses,
        clock=adapters.clock,
        random_characters=adapters.random_characters,
    )


def streams(adapters: Adapters) -> Streams:
    """What users follow over HTTP."""
    return Streams(
        store=adapters.store,
        logs=adapters.logs,
        tokens=tokens(adapters),
        capabilities=adapters.capabilities,
    )


def users(adapters: Adapters) -> Users:
    """Users and teams."""
    return Users(
        store=adapters.store,
        logins=logins(adapters),
        key_uses=adapters.key_uses,
        token_uses=adapters.token_uses,
        locks=adapters.locks,
        clock=adapters.clock,
    )


def access(adapters: Adapters, quotas: Quotas) -> AppAccess:
    """Who has access to which app."""
    return AppAccess(store=adapters.store, quotas=quotas, clock=adapters.clock)
