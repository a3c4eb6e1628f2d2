"""The users of a Redis: pure functions that render users.acl, and the rights in it.

``default`` has all rights, and a password that only the platform knows. After a start, Redis
replays its file as that user: without rights it would silently skip transactions and scripts, and
lose them. Apps log in as another user.
"""

from collections.abc import Iterable
from hashlib import sha256

from paas.domain.datastores.datastores import Datastore
from paas.domain.values.secret import Secret

# Of the commands that Redis counts among the dangerous, those that concern the app's own data and
# connections alone: clients, workers and dashboards need them. The others change the server, show
# its files, stop it, or have it connect to elsewhere.
_ALLOWED = (
    *("+client|kill", "+client|list", "+client|no-evict", "+flushall", "+flushdb", "+info"),
    *("+keys", "+lastsave", "+monitor", "+restore", "+role", "+slowlog|get", "+slowlog|len"),
    *("+slowlog|reset", "+sort", "+sort_ro", "+swapdb"),
)


def users_acl(datastore: Datastore, platform: Secret, former: Iterable[str] = ()) -> str:
    """users.acl, which allows no comments. former: lines of logins that are still in use."""
    lines = (
        f"user default on #{_hash(platform)} ~* &* +@all",
        *former,
        f"user {datastore.login} {rights(datastore)}",
    )
    return "".join(f"{line}\n" for line in lines)


def rights(datastore: Datastore) -> str:
    """The rights of an app's login, with the hash of its password."""
    allowed = " ".join(_ALLOWED)
    return f"on #{_hash(datastore.password)} ~* &* +@all -@admin -@dangerous {allowed}"


def former_lines(text: str, datastore: Datastore) -> list[str]:
    """The lines in one of our users.acl for other logins than the present one."""
    present = {"default", datastore.login}
    return [line for line in text.splitlines() if line.split()[1] not in present]


def former_logins(said: str, datastore: Datastore) -> list[str]:
    """The former ones among the names that ``ACL USERS`` prints."""
    return sorted({*said.split()} - {"default", datastore.login})


def connections(said: str, logins: Iterable[str] | None = None) -> int:
    """How many in the output of ``CLIENT LIST`` are of apps, or of these logins."""
    found = [line.partition(" user=")[2].partition(" ")[0] for line in said.splitlines()]
    chosen = {*logins} if logins is not None else {*found} - {"", "default"}
    return sum(name in chosen for name in found)


def _hash(password: Secret) -> str:
    """Of 32 random bytes, so nobody can find the password by trying."""
    return sha256(password.reveal().encode()).hexdigest()
