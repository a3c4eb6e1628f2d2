"""Messages for processes that the kernel killed when memory ran out. limit_mib: 0 if none."""


def shortage(limit_mib: int) -> str:
    """Which memory ran out: ``the limit is 512 MiB``."""
    return f"the limit is {limit_mib} MiB" if limit_mib else "the server has no more"


def killed_for_memory(limit_mib: int) -> str:
    """``was killed by the memory limit: it needs more than 512 MiB``."""
    if limit_mib:
        return f"was killed by the memory limit: it needs more than {limit_mib} MiB"
    return "was killed because the server has no more memory"


def instance_killed_for_memory(limit_mib: int) -> str:
    """The same where an instance's limit is meant, with the command that changes it."""
    command = " (paas resource:limit)" if limit_mib else ""
    return f"{killed_for_memory(limit_mib)}{command}"
