"""Runs a command of the platform in a child of the gate, which has what the monitor lacks."""

import os
import sys

from paas.adapters.system import subprocesses
from paas.settings import Settings


def run_command(settings: Settings, command: str, description: str, *, timeout_s: float) -> None:
    """Return when it has ended. description: for the message. Raises PaasError if it failed."""
    client = settings.paths.current / "paas/entrypoints/client.py"
    subprocesses.run(
        [sys.executable, "-I", "-S", client, "--paas-etc", settings.etc, command],
        description=description,
        timeout_s=timeout_s,
        env={"PATH": os.defpath},
    )
