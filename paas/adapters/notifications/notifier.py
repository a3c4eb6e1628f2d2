"""Has another process send notifications, and end; implements `Notifier`.

So neither the gate nor the monitor imports what it takes, and nothing of it stays in memory.
"""

import json
import os
import sys
from collections.abc import Mapping

from paas.adapters.system import subprocesses
from paas.domain.notifications.messages import Message
from paas.domain.values.errors import PaasError
from paas.settings import Settings

MODULE = "paas.entrypoints.daemons.notifier"
LIMIT_S = 300.0


class NotifierProcess:
    """Starts it for each batch (paas/entrypoints/daemons/notifier.py)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def send(self, messages: Mapping[str, Message]) -> dict[str, str | None]:
        """See `Notifier`."""
        ended = subprocesses.run(
            [sys.executable, "-I", "-m", MODULE, "--etc", str(self._settings.etc)],
            description="The process that sends notifications",
            timeout_s=LIMIT_S,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            stdin=json.dumps({id: one.plain for id, one in messages.items()}).encode(),
            errors_apart=True,
        )
        try:
            found = json.loads(ended.output)
            return {id: None if found[id] is None else str(found[id]) for id in messages}
        except (ValueError, LookupError, TypeError) as error:
            raise PaasError(
                "notifier", "The process that sends notifications gave no answer."
            ) from error
