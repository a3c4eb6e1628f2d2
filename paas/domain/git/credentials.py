"""What an app has to fetch private repositories with: a key of its own, and a token for each host.

All of it belongs to one app: whoever may deploy the app uses it, and no other app does.
"""

import base64
import hashlib
import re
from dataclasses import dataclass

from paas.domain.values.errors import usage_error
from paas.domain.values.names import shown
from paas.domain.values.secret import Secret

TOKEN_MAX = 4_096
HOST_KEYS_MAX = 20
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[1-9][0-9]{0,4})?")
_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")
_TOKEN = re.compile(r"[!-~]+")
# A line of known_hosts (sshd(8)): a name, or [name]:port, and the key.
_HOST_KEY = re.compile(
    r"(\[[a-z0-9.-]{1,253}\]:[0-9]{1,5}|[a-z0-9][a-z0-9.-]{0,252}) "
    r"((?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]{40,2000}={0,2})"
)


@dataclass(frozen=True, slots=True)
class HostToken:
    """A token for one host, sent to it over HTTPS only. host: with its port, if any."""

    host: str
    user: str
    token: Secret


@dataclass(frozen=True, slots=True)
class DeployKey:
    """An SSH key pair. private: in OpenSSH's form. public: a line for the other server."""

    private: Secret
    public: str


@dataclass(frozen=True, slots=True)
class HostKey:
    """The key of an SSH server, as known_hosts has it. host: ``name`` or ``[name]:port``."""

    host: str
    key: str

    @property
    def fingerprint(self) -> str:
        """As ``ssh-keygen -l`` shows it."""
        raw = base64.b64decode(self.key.partition(" ")[2])
        return "SHA256:" + base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class FetchAccess:
    """All that an app's fetches may use."""

    tokens: tuple[HostToken, ...] = ()
    key: DeployKey | None = None
    host_keys: tuple[HostKey, ...] = ()


NO_ACCESS = FetchAccess()


def host_token(host: str, user: str | None, token: str) -> HostToken:
    """Validate a token and what it is for. Raises a usage error, which never shows the token."""
    host = git_host(host)
    user = default_user(host) if user is None else user
    if not _USER.fullmatch(user):
        raise usage_error("git-auth", f"{shown(user)} is not the name of a user on {host}.")
    if len(token) > TOKEN_MAX or not _TOKEN.fullmatch(token):
        raise usage_error(
            "git-auth",
            "The token is empty, too long, or has characters that no token has.",
            f"paas git:auth {host} --token-stdin < token.txt",
        )
    return HostToken(host, user, Secret(token))


def git_host(text: str) -> str:
    """Validate a git server's name, with a port if it is not 443. Raises a usage error."""
    host = text.lower()
    if not _HOST.fullmatch(host) or ".." in host:
        raise usage_error(
            "git-host",
            f"{shown(text)} is not the name of a host.",
            "Give it without https:// and without a path: paas git:auth github.com --token-stdin",
        )
    return host.removesuffix(":443")


def default_user(host: str) -> str:
    """The user's name beside a token: most servers ignore it, and Bitbucket has one for tokens."""
    return "x-token-auth" if host == "bitbucket.org" else "git"


def host_key(line: str) -> HostKey | None:
    """A line of a known_hosts file; None for one that is not accepted."""
    found = _HOST_KEY.fullmatch(line.strip())
    if found is None:
        return None
    key = HostKey(found[1], found[2])
    try:
        return key if key.fingerprint else None
    except ValueError:
        return None
