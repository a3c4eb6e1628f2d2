"""``open`` on a laptop: the server tells the address, the browser here shows it."""

import os
import re
import sys
from collections.abc import Callable

# What the server prints goes to a program that also takes files and options.
_ADDRESS = re.compile(r"https?://[!-~]+")


def open_app(ask: Callable[[], tuple[int, str]]) -> int:
    """Print the address that the server tells, and show it where there is a screen."""
    status, output = ask()
    sys.stdout.write(output)
    sys.stdout.flush()
    address = output.strip()
    if status != 0 or _ADDRESS.fullmatch(address) is None:
        return status
    if not _has_screen():
        return status
    import webbrowser

    if not webbrowser.open(address):
        sys.stderr.write(" !     No browser could be started here.\n")
    return status


def _has_screen() -> bool:
    """Whether a browser would be seen; one that takes over the terminal only if asked for."""
    if sys.platform in ("darwin", "win32", "cygwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
