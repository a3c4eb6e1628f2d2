"""What git logs in with: handed over on standard input, and kept in the sandbox's own memory.

Tokens are for git-credential-store(1), which answers for one host and HTTPS alone; git asks again
when a server redirects it. The SSH key is used for no host whose key differs from the known one.
"""

import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

_PLACE = Path("/tmp/paas-git")  # noqa: S108 - in the sandbox's own /tmp, which is in memory
_CONNECT_LIMIT_S = 30


@dataclass(frozen=True, slots=True)
class Access:
    """The files of what may be used. known_hosts: ssh adds the keys of hosts that are new."""

    credentials: Path | None = None
    key: Path | None = None
    known_hosts: Path | None = None

    @property
    def settings(self) -> dict[str, str]:
        """git's settings for it (gitcredentials(7))."""
        helper = f"store --file={self.credentials}" if self.credentials else ""
        return {"credential.helper": helper}

    @property
    def environment(self) -> dict[str, str]:
        """How git calls ssh (ssh_config(5)): as nobody's ssh, with one key, and never a prompt."""
        if self.key is None or self.known_hosts is None:
            return {"GIT_SSH_COMMAND": "/bin/false"}
        options = {
            "BatchMode": "yes",
            "CheckHostIP": "no",
            "ConnectTimeout": str(_CONNECT_LIMIT_S),
            "GlobalKnownHostsFile": "/dev/null",
            "HashKnownHosts": "no",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "LogLevel": "ERROR",
            "PreferredAuthentications": "publickey",
            "ServerAliveInterval": "20",
            # The key of a host that is not known yet is kept; a changed one ends the connection.
            "StrictHostKeyChecking": "accept-new",
            "UpdateHostKeys": "no",
            "UserKnownHostsFile": str(self.known_hosts),
        }
        argv = ["/usr/bin/ssh", "-F", "/dev/null", "-i", str(self.key)]
        argv += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return {"GIT_SSH_COMMAND": shlex.join(argv), "GIT_SSH_VARIANT": "ssh"}

    def host_keys(self) -> list[str]:
        """The lines of known_hosts by now."""
        return self.known_hosts.read_text().splitlines() if self.known_hosts is not None else []


def handed_over(text: bytes, place: Path = _PLACE) -> Access:
    """Write to files what was handed over, as JSON."""
    given = json.loads(text or b"{}")
    tokens, key = given.get("tokens"), given.get("key")
    if not tokens and not key:
        return Access()
    place.mkdir(mode=0o700)
    return Access(
        credentials=_written(place / "tokens", [_line(*token) for token in tokens]),
        key=_written(place / "key", key.splitlines()) if key else None,
        known_hosts=_written(place / "known_hosts", given["known_hosts"]) if key else None,
    )


def _line(host: str, user: str, token: str) -> str:
    """As git-credential-store(1) reads it."""
    return f"https://{quote(user, safe='')}:{quote(token, safe='')}@{host}"


def _written(path: Path, lines: list[str]) -> Path:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "w") as file:
        file.writelines(f"{line}\n" for line in lines)
    return path
