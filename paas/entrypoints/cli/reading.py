"""Commands that only read, and who may use them while the database is an older copy."""

from collections.abc import Sequence

import click

from paas.domain.apps.apps import Actor, Role, User
from paas.domain.values.errors import PaasError
from paas.domain.values.names import user_name
from paas.entrypoints.laptop import suggestions
from paas.interfaces import Progress
from paas.store import Store

# These write nothing, to the database or elsewhere.
COMMANDS = frozenset(
    {"apps", "apps:info", "buildpacks", "builds", "builds:info", "builds:output", "certs"}
    | {"certs:info", "checks:report", "config", "config:export", "config:get", "cron", "diff"}
    | {"disk", "quota:report"}
    | {"domains", "drains", "git:info", "http-auth", "keys", "logs", "maintenance"}
    | {"nginx:report", "proxy", "ps", "releases", "releases:info", "releases:output", "run:list"}
    | {"static", "storage"}
)


def only_reads(group: click.Group, argv: Sequence[str]) -> bool:
    """Whether these words are such a command; the group's options may precede it."""
    try:
        _, words, _ = group.make_parser(click.Context(group)).parse_args(list(argv))
    except click.UsageError:
        return False
    return not COMMANDS.isdisjoint(suggestions.in_place(words)[:1])


def admit(store: Store, name: str | None, progress: Progress) -> Actor:
    """The reader: a user, or None for the operator. Warns if the database is an older copy.

    sshd accepts the present keys, but roles are as old as the database: an admin of then may not be
    one now. So all users are treated as members and see their own apps, whose owner never changes;
    the operator, who can read the file anyway, sees all.
    Raises PaasError if the database cannot be read, or the user is not in it.
    """
    fault = store.read_older()
    user = None
    if name is not None:
        user = store.users.find(user_name(name))
        if user is None:
            raise fault or no_such_user(name)
    if fault is None:
        return Actor(user)
    progress.warn(fault.report)
    progress.warn("The output is from that copy: later changes, apps and users are missing.")
    if user is not None and user.role is Role.ADMIN:
        progress.warn(
            "You see only your own apps: that copy does not say whether you are still an admin."
        )
        user = User(user.name, Role.MEMBER)
    if fault.hint:
        progress.warn(fault.hint)
    return Actor(user)


def no_such_user(name: str) -> PaasError:
    """An error if the key's user has been removed."""
    return PaasError("no-such-user", f"The user {name!r} no longer exists.")
