"""A problem that doctor reports, with the command that fixes it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that doctor found.

    check: what was looked at, a word that stays the same for programs. message: what was found and
    what comes of it. command: the next one to type. app: whose, where it is one app's.
    grave: False for what the platform cannot change, such as an app that crashes.
    mends: whether doctor --fix sees to it.
    """

    check: str
    message: str
    command: str
    app: str | None = None
    grave: bool = True
    mends: bool = False


FIX = "paas doctor --fix"
# The check of a Docker engine that hangs: whoever asks it about an app would wait for minutes.
ENGINE = "docker"
# What the gate has done after a command was killed; no command of users.
REPAIR_COMMAND = "server:repair"


def mendable(check: str, message: str, app: str | None = None) -> Finding:
    """A finding that doctor --fix repairs."""
    return Finding(check=check, message=message, command=FIX, app=app, mends=True)
