"""Where an app is in its own view, and which gid marks its one-off commands."""

APP = "/app"
_GID_OFFSET = 300_000


def separate_gid(uid: int) -> int:
    """The gid of an app's builds and one-off commands; six digits, as archives of ar(1) want."""
    return uid + _GID_OFFSET
