"""What somebody may do with an app: each use of an app names one of these."""

from enum import StrEnum


class Permission(StrEnum):
    """VIEW is part of each of the others. docs/reference/access.md has each command's.

    VIEW: state, logs, releases, the names of config vars. DEPLOY: code and releases.
    CONFIGURE: config vars with their values, addresses, certificates, settings.
    OPERATE: processes, one-off processes, cron jobs, maintenance mode.
    OWN: what cannot be undone, and the app's name.
    """

    VIEW = "view"
    DEPLOY = "deploy"
    CONFIGURE = "configure"
    OPERATE = "operate"
    OWN = "own"
