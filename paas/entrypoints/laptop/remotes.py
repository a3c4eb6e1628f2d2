"""How the client on a laptop finds server and app: an address, or the git remote ``deploy``."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import AppName, app_name, shown

REMOTE = "deploy"
DEFAULT_USER = "paas"
_GIT_TIMEOUT_S = 10.0

# Neither may begin with a dash: ssh would read it as an option.
_USER = r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9._-]*)@)?"
_HOST = r"(?P<host>[A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.%]+\])"
_PORT = r"(?::(?P<port>[0-9]{1,5}))?"
_ADDRESS = re.compile(rf"(?:ssh://)?{_USER}{_HOST}{_PORT}/?")
# The ways to write an SSH repository (git-clone(1), GIT URLS).
_REPOSITORIES = (
    re.compile(rf"(?:ssh|git\+ssh|ssh\+git)://{_USER}{_HOST}{_PORT}/(?P<path>.+)"),
    re.compile(rf"\[{_USER}(?P<host>[A-Za-z0-9_][A-Za-z0-9._-]*){_PORT}\]:(?P<path>.+)"),
    re.compile(rf"{_USER}{_HOST}:(?P<path>(?!//)[^:]+)"),
)


@dataclass(frozen=True, slots=True)
class Server:
    """An SSH destination. user, port: None if ssh's own configuration decides."""

    user: str | None
    host: str
    port: int | None

    @property
    def destination(self) -> str:
        """The argument for ssh, without the port."""
        host = self.host.strip("[]")
        return f"{self.user}@{host}" if self.user else host

    def git_url(self, app: str) -> str:
        """The URL of an app's repository on it."""
        user = f"{self.user}@" if self.user else ""
        if self.port is None:
            return f"{user}{self.host}:{app}"
        return f"ssh://{user}{self.host}:{self.port}/{app}"


@dataclass(frozen=True, slots=True)
class Remote:
    """The git remote of a work tree. app: None if its path is no app's name."""

    server: Server
    app: AppName | None


def server(text: str, source: str) -> Server:
    """Parse ``[user@]host[:port]`` or ``ssh://...``; source names its origin in an error."""
    found = _ADDRESS.fullmatch(text)
    if found is None:
        raise usage_error(
            "server-address",
            f"{source}: {shown(text)} is not a server's address.",
            "For example: paas@apps.example.com, or with a port: paas@apps.example.com:2222",
        )
    return Server(found["user"] or DEFAULT_USER, found["host"], _port(found["port"]))


def parse_url(url: str) -> Remote | None:
    """The server and app of a repository's URL; None if it is not reached by SSH."""
    for form in _REPOSITORIES:
        found = form.fullmatch(url)
        if found is not None:
            where = Server(found["user"], found["host"], _port(found.groupdict().get("port")))
            return Remote(where, _app(found["path"]))
    return None


def url_of(remote: str) -> str | None:
    """The URL of a git remote of the current work tree; None if it does not exist."""
    return git("remote", "get-url", "--", remote)


def in_work_tree() -> bool:
    """Whether the current directory is in a git work tree."""
    return git("rev-parse", "--is-inside-work-tree") == "true"


def git(*words: str) -> str | None:
    """What git prints; None if it fails or is not installed."""
    try:
        done = subprocess.run(
            ["git", *words], capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def configured(path: Path) -> str | None:
    """``server`` of the config file (TOML). Raises PaasError if it is not valid."""
    import tomllib

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise usage_error("laptop-config", f"{path} is not valid TOML: {error}.") from error
    value = values.get("server")
    if value is not None and not isinstance(value, str):
        raise usage_error(
            "laptop-config", f"{path}: server must be a string.", 'server = "paas@apps.example.com"'
        )
    return value


def _port(text: str | None) -> int | None:
    """A port number, if one is given."""
    if text is None:
        return None
    port = int(text)
    if not 0 < port < 65_536:
        raise usage_error("server-address", f"{text} is not a port.")
    return port


def _app(path: str) -> AppName | None:
    name = re.sub(r"^(?:~/|/~/|/)", "", path).removesuffix("/").removesuffix(".git")
    try:
        return app_name(name)
    except PaasError:
        return None
