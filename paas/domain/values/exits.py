"""How a process ended, in words."""

import signal


def exit_words(status: int) -> str:
    """An exit status (negative: a signal) in words: ``killed by SIGKILL``."""
    if status >= 0:
        return f"exited with status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"
