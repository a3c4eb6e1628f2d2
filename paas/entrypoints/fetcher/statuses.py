"""Telling a git server how the deploy of a commit went."""

import json
import subprocess
from collections.abc import Mapping
from typing import Any

from paas.domain.values.errors import PaasError

_LIMIT_S = 20


def send(job: Mapping[str, Any], token: str) -> None:
    """Send it, over HTTPS and to that host alone. Raises PaasError, which never has the token."""
    argv = [
        *("curl", "--silent", "--show-error", "--globoff", "--proto", "=https", "--request"),
        *("POST", "--max-time", str(_LIMIT_S), "--output", "/dev/null", "--max-filesize"),
        *("1000000", "--write-out", "%{http_code}", "--config", "-"),
    ]
    # Not as arguments, which others can see.
    options = {
        "url": job["url"],
        "header": f"Authorization: {job['scheme']} {token}",
        "data-binary": json.dumps(job["fields"]),
    }
    lines = [f"{name} = {_quoted(str(value))}" for name, value in options.items()]
    lines.append('header = "Content-Type: application/json"')
    config = "\n".join(lines).encode()
    done = subprocess.run(argv, input=config, capture_output=True, check=False)
    if done.returncode != 0:
        why = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise _not_sent(why[-1].removeprefix("curl: ") if why else f"curl: {done.returncode}")
    answer = done.stdout.decode("ascii", "replace")
    if not answer.startswith("2"):
        raise _not_sent(f"the server answered {answer}")


def _quoted(text: str) -> str:
    """As curl reads it (curl(1), --config)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _not_sent(why: str) -> PaasError:
    return PaasError(
        "status-not-sent",
        f"The commit status was not sent: {why}",
        "Check that the token may write commit statuses, and give it again: paas git:auth",
    )
