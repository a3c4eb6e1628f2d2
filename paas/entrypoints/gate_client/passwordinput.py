"""``http-auth:add-user``: at a terminal the password is asked for here, and sent as stdin."""

import os
from collections.abc import Sequence

from paas.domain.values.errors import usage_error

COMMAND = "http-auth:add-user"


def typed_as_stdin(words: Sequence[str]) -> None:
    """Ask for a password twice, without echo, and make it our stdin, if that is a terminal.

    Raises PaasError if the two differ.
    """
    names = [word for word in words if not word.startswith("-")]
    if len(names) < 2 or "--help" in words or not os.isatty(0):
        return
    import getpass

    try:
        password = getpass.getpass("Password: ")
        again = getpass.getpass("Once more: ")
    except (EOFError, KeyboardInterrupt):
        os.write(2, b"\n")
        raise SystemExit(130) from None
    if password != again:
        raise usage_error("login", "The two passwords differ: nothing was changed.")
    ours, theirs = os.pipe()
    os.write(theirs, password.encode("utf-8", "surrogateescape") + b"\n")
    os.close(theirs)
    os.dup2(ours, 0)
    os.close(ours)
