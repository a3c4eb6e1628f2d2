"""Commands that only read, and who may use them while the database is an older copy."""

from collections.abc import Sequence

import click

from paas.domain.people.actors import Actor
from paas.domain.people.origins import Origin
from paas.domain.people.permissions import COMMANDS
from paas.domain.values.errors import PaasError
from paas.domain.values.names import user_name
from paas.entrypoints.laptop import suggestions
from paas.interfaces import Progress
from paas.services.people.admission import Admission
from paas.store import Store

# These change nothing, but need more than the database; the last waits for what is going on.
_NEED_MORE = frozenset({"server:status", "ps:wait"})


def command_of(group: click.Group, argv: Sequence[str]) -> str | None:
    """The command that these words name; the group's options may precede it."""
    try:
        _, words, _ = group.make_parser(click.Context(group)).parse_args(list(argv))
    except click.UsageError:
        return None
    return next(iter(suggestions.in_place(words)), None)


def only_reads(name: str | None) -> bool:
    """Whether the command of that name only reads."""
    row = COMMANDS.get(name) if name is not None else None
    return row is not None and not row.changes and name not in _NEED_MORE


def admit(
    store: Store, admission: Admission, name: str | None, origin: Origin, progress: Progress
) -> Actor:
    """The reader: a user, or None for the operator. Warns if the database is an older copy.

    sshd accepts the present keys, but access is as old as the database, and may have been withdrawn
    since. So only the operator, who can read the file anyway, may use it then. Raises PaasError if
    the database cannot be read, if the user may not read it or is not in it, or if their key is no
    longer valid.
    """
    fault = store.read_older()
    if name is not None:
        if fault is not None:
            raise fault
        user = store.users.find(user_name(name))
        if user is None:
            raise no_such_user(name)
        admission.admit(user.name, origin)
        return Actor(user)
    if fault is not None:
        progress.warn(fault.report)
        progress.warn("The output is from that copy: later changes, apps and users are missing.")
        if fault.hint:
            progress.warn(fault.hint)
    return Actor(None)


def no_such_user(name: str) -> PaasError:
    """An error if the key's user has been removed."""
    return PaasError("no-such-user", f"The user {name!r} no longer exists.")
