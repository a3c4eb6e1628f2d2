"""Messages for processes that the kernel killed when memory ran out. limit_mib: 0 if none."""

# Heroku's codes: one process was killed and the instance continues; the instance itself was killed.
EXCEEDED, VASTLY_EXCEEDED = "R14", "R15"
_TITLES = {EXCEEDED: "Memory quota exceeded", VASTLY_EXCEEDED: "Memory quota vastly exceeded"}
MORE_MEMORY = (
    "Give it more memory: paas resource:limit memory=1g; or make it use less, for example with "
    "fewer workers: paas config:set WEB_CONCURRENCY=1. To see what instances use: paas ps"
)


def error_words(code: str) -> str:
    """As in Heroku's log: ``Error R14 (Memory quota exceeded)``."""
    return f"Error {code} ({_TITLES.get(code, 'Memory')})"


def shortage(limit_mib: int) -> str:
    """Which memory ran out: ``the limit is 512 MiB``."""
    return f"the limit is {limit_mib} MiB" if limit_mib else "the server has no more"


def killed_for_memory(limit_mib: int) -> str:
    """``was killed by the memory limit: it needs more than 512 MiB``."""
    if limit_mib:
        return f"was killed by the memory limit: it needs more than {limit_mib} MiB"
    return "was killed because the server has no more memory"


def instance_killed_for_memory(limit_mib: int) -> str:
    """The same for an instance's limit, with the command that changes it."""
    command = " (paas resource:limit)" if limit_mib else ""
    return f"{killed_for_memory(limit_mib)}{command}"
