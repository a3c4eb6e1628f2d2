"""Sends notifications and ends: started by the monitor, and by ``paas notify:test``.

It gets the messages by the ids of their places as JSON, and answers for each why it could not be
sent, or null. It reads the places as root, and then gives up all rights, as the process that sends
to drains does: it cannot open any file of the platform, reach an app's port, or connect to what
only the server can reach. A place has 20 seconds.
"""

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from paas.adapters.logs.drain_sinks import SendError, reason
from paas.adapters.notifications.delivery import LIMIT_S, Mail, deliver, load
from paas.adapters.notifications.walls import limit_memory, raise_walls
from paas.domain.notifications.targets import EMAIL, Target
from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.supervised import become_nobody, log, named_etc
from paas.settings import load as load_settings
from paas.wiring.common import common_adapters
from paas.wiring.notifications import mail

_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def main(argv: Sequence[str] | None = None) -> int:
    """Send what is on the standard input."""
    try:
        settings = load_settings(named_etc(argv) / "server.yml")
        messages = json.load(sys.stdin)
        store = common_adapters(settings).store
        targets = [one for one in store.notifications.all() if one.id in messages]
        store.close()
    except PaasError as error:
        log(error.report)
        return error.exit_code
    by = mail(settings)
    load({one.kind for one in targets})
    if _BUNDLE.exists():
        os.environ["REQUESTS_CA_BUNDLE"] = str(_BUNDLE)
    become_nobody(settings.sender_uid)
    limit_memory()
    answers: dict[str, str | None] = dict.fromkeys(messages, "it was removed")
    # Mails go to the server that the operator has set, which may be this one: before the walls.
    by_mail = [one for one in targets if one.kind == EMAIL]
    answers |= {one.id: attempt(one, messages[one.id], by) for one in by_mail}
    raise_walls(to_private=settings.notify_private)
    others = [one for one in targets if one.kind != EMAIL]
    answers |= {one.id: attempt(one, messages[one.id], by) for one in others}
    json.dump(answers, sys.stdout)
    return 0


class _TooLongError(Exception):
    """A place does not answer, or does not stop to."""


def _too_long(_number: int, _frame: FrameType | None) -> None:
    raise _TooLongError


def attempt(
    target: Target, message: Mapping[str, Any], mail: Mail | None, limit_s: float = LIMIT_S
) -> str | None:
    """Why it could not be sent within that time; None: it was."""
    signal.signal(signal.SIGALRM, _too_long)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        deliver(target, message, mail)
    except _TooLongError:
        return "it did not answer in time"
    except SendError as error:
        return str(error)
    except OSError as error:
        return reason(error)
    except MemoryError:
        return "its answer is too large"
    except Exception as error:  # of a library: it must not keep the others from being notified
        return f"it failed ({type(error).__name__})"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return None


if __name__ == "__main__":
    sys.exit(main())
