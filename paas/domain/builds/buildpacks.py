"""Buildpacks as users name them, and what is served of an app that has files instead of processes.

https://devcenter.heroku.com/articles/buildpacks
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath

from paas.domain.git.credentials import FetchAccess
from paas.domain.git.sources import GitSource, host_of, is_ssh
from paas.domain.values.errors import usage_error
from paas.domain.values.names import shown

SOURCE_MAX = 500
LIST_MAX = 20
# What buildpacks/order.txt names; here for code that must check a name without the files.
OWN = frozenset({"python", "static", "node", "procfile"})
# Heroku's names for ours.
ALIASES = {"heroku/python": "python", "heroku/nodejs": "node", "heroku/procfile": "procfile"}
# Others of Heroku's are repositories, as Dokku resolves them too.
HEROKU = "https://github.com/heroku/heroku-buildpack-"
# The repositories of Heroku's that people name in the short form: to detect typos.
OF_HEROKU = (
    *("apt", "chrome-for-testing", "chromedriver", "clojure", "dotnet", "emberjs", "go"),
    *("google-chrome", "gradle", "inline", "java", "jvm-common", "locale", "metrics"),
    *("multi-procfile", "nginx", "nodejs", "pgbouncer", "php", "procfile", "python", "redis"),
    *("ruby", "scala", "static"),
)
_ALIKE = 0.75

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_URL = re.compile(
    r"https://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~%+-]+)+/?"
    r"(?:#[A-Za-z0-9][A-Za-z0-9._/-]*)?",
    re.IGNORECASE,
)
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_ARCHIVES = (".tgz", ".tar.gz")
_HEROKU = re.compile(r"heroku(?:-community)?/([a-z][a-z0-9-]{0,39})")
_PATH = re.compile(r"(?:/[A-Za-z0-9._@%+=:,~-]+)+")
_FOLDER = re.compile(r"[A-Za-z0-9._@+=,~-]+(?:/[A-Za-z0-9._@+=,~-]+)*")


class Kind(StrEnum):
    """Where a buildpack comes from."""

    NAME = "name"
    PATH = "path"
    URL = "url"


@dataclass(frozen=True, slots=True)
class Buildpack:
    """One buildpack of an app.

    source: ``python``, ``/srv/buildpacks/mine``, ``https://host/path[#branch, tag or commit]``, or
    such an address by SSH.
    named: as its user named it: ``heroku/python``.
    """

    kind: Kind
    source: str
    named: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.named or self.source

    @property
    def repository(self) -> GitSource | None:
        """Where it is fetched from with git."""
        url, _, ref = self.source.partition("#")
        if self.kind is not Kind.URL or url.endswith(_ARCHIVES):
            return None
        return GitSource(url, ref or None)

    @property
    def shares_dependencies(self) -> bool:
        """Whether it can leave what it installs outside of the app's tree."""
        return self.kind is Kind.NAME and self.source == "python"

    def logs_in(self, access: FetchAccess) -> bool:
        """Whether an app with that access fetches it with a key or a token."""
        found = self.repository
        if found is None:
            return False
        host = host_of(found.url).removesuffix(":443")
        return is_ssh(found.url) or host in [one.host for one in access.tokens]


def buildpack(text: str) -> Buildpack:
    """Validate what a user names a buildpack by. Raises a usage error that lists the forms."""
    name = ALIASES.get(text, text)
    if _NAME.fullmatch(name):
        return Buildpack(Kind.NAME, name, text)
    if short := _HEROKU.fullmatch(text):
        return Buildpack(Kind.URL, HEROKU + short[1], text)
    if len(text) <= SOURCE_MAX and ".." not in text:
        if _URL.fullmatch(text) or _is_by_ssh(text):
            return Buildpack(Kind.URL, text, text)
        if _PATH.fullmatch(text):
            return Buildpack(Kind.PATH, str(PurePosixPath(text)), text)
    raise usage_error(
        "buildpack-name",
        f"{shown(text)} does not name a buildpack.",
        "Name one of the platform's, a git repository (https://host/path or git@host:path, with "
        "#ref for a branch, tag or commit), or a directory of the server (/path).",
    )


def _is_by_ssh(text: str) -> bool:
    url, mark, ref = text.partition("#")
    return is_ssh(url) and (not mark or _REF.fullmatch(ref) is not None)


def chosen_buildpack(text: str) -> Buildpack:
    """As `buildpack`, for what a user has just typed: likely typos are refused, too."""
    pack = buildpack(text)
    short = _HEROKU.fullmatch(text)
    alike = _alike(short[1], OF_HEROKU) if short and pack.kind is Kind.URL else None
    if short and alike and short[1] not in OF_HEROKU:
        raise usage_error(
            "buildpack-unknown",
            f"There is no buildpack {text!r}; heroku/{alike} has a similar name.",
            f"If there is one, name it by its address: {pack.source}",
        )
    return pack


def similar_name(name: str) -> str | None:
    """What a user may have meant who named a buildpack of the platform that it does not have."""
    alike = _alike(name, (*OWN, *OF_HEROKU))
    if alike is None or alike in OWN:
        return alike
    return ALIASES.get(f"heroku/{alike}", f"heroku/{alike}")


def _alike(name: str, known: Collection[str]) -> str | None:
    import difflib  # as in laptop/suggestions.py: only a mistyped name needs it

    found = difflib.get_close_matches(name, sorted(known), 1, _ALIKE)
    return found[0] if found else None


def folder(text: str) -> str:
    """Validate a folder of an app's repository (``services/web``). Raises a usage error."""
    name = text.strip("/")
    parts = name.split("/")
    if len(text) > SOURCE_MAX or not _FOLDER.fullmatch(name) or {".", "..", ".git"} & {*parts}:
        raise usage_error(
            "build-dir",
            f"{shown(text)} is not a folder of an app's repository.",
            "Give its path from the top, for example: paas builder:set build-dir services/web",
        )
    return name


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """Files that the proxy serves itself, for an app without a web process.

    root: their folder below the app's, ``.`` for all of it. fallback: the file that answers where
    none fits, with status 200, for apps that route in the browser. error_page: the file that
    answers with status 404. Both are relative to root.
    """

    root: str
    fallback: str | None = None
    error_page: str | None = None


def static_files(root: str, fallback: str | None, error_page: str | None) -> StaticFiles:
    """Validate what a build proposes to serve. Raises a usage error."""
    return StaticFiles(
        "." if root in {".", "./", ""} else folder(root),
        folder(fallback) if fallback else None,
        folder(error_page) if error_page else None,
    )
