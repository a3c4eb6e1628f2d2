"""Where code comes from other than a push: git addresses, archives, submodules."""

import re
from dataclasses import dataclass
from enum import StrEnum

from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import shown

ADDRESS_MAX = 1_000
SUBMODULE_DEPTH_MAX = 5
SUBMODULES_MAX = 100
STDIN = "-"

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?"
_PATH = r"(?:/[A-Za-z0-9._~%+@:,=-]+)+/?"
_GIT = re.compile(rf"https?://{_HOST}{_PATH}", re.IGNORECASE)
_ARCHIVE = re.compile(rf"https?://{_HOST}{_PATH}(?:\?[A-Za-z0-9._~%+@:,=&/-]*)?", re.IGNORECASE)
_SUBMODULE = re.compile(rf"https://{_HOST}{_PATH}", re.IGNORECASE)
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+@-]*")
_USER = re.compile(r"[a-z][a-z0-9+.-]*://[^/]*@.*", re.IGNORECASE)


class ArchiveType(StrEnum):
    """What Dokku's git:from-archive takes."""

    TAR = "tar"
    TAR_GZ = "tar.gz"
    ZIP = "zip"


@dataclass(frozen=True, slots=True)
class GitSource:
    """A git repository elsewhere. ref: a branch, a tag or a commit; None: what its HEAD is."""

    url: str
    ref: str | None


def git_source(url: str, ref: str | None) -> GitSource:
    """Validate what a user has synced. Raises a usage error that shows the form."""
    if not _fits(_GIT, url):
        raise usage_error(
            "git-url",
            f"{_shown_url(url)} is not the address of a git repository that can be fetched: "
            f"{_why_not(url)}.",
            "paas git:sync https://host/path.git [REF]",
        )
    if ref is not None and (not _REF.fullmatch(ref) or ".." in ref or len(ref) > ADDRESS_MAX):
        raise usage_error(
            "git-ref",
            f"{shown(ref)} is not a branch, a tag or a commit.",
            f"paas git:sync {url} main",
        )
    return GitSource(url, ref)


def archive_url(url: str) -> str:
    """Validate an archive's address. Raises a usage error that lists the forms."""
    if not _fits(_ARCHIVE, url):
        raise usage_error(
            "archive-url",
            f"{_shown_url(url)} is not the address of an archive: {_why_not(url)}.",
            "paas git:from-archive https://host/app.tar.gz, or from a file: "
            "paas git:from-archive - < app.tar.gz",
        )
    return url


def archive_message(url: str | None) -> str:
    """The commit's message. Without the query, which may be a signature: the history stays."""
    return f"Archive {url.partition('?')[0]}" if url else "Archive from standard input"


def check_submodule_url(name: str, url: str) -> None:
    """Raises PaasError, which names the submodule, where its address is not one by https."""
    if _fits(_SUBMODULE, url):
        return
    why = "only https:// addresses are fetched"
    if url.startswith(("./", "../")):
        why = "it is relative, and a pushed repository has no address that it could be relative to"
    elif _USER.fullmatch(url) and url.startswith("https://"):
        why = "it has a user or a password in it, and only public ones are fetched"
    raise PaasError(
        "submodule-url",
        f"The submodule {shown(name)} has the address {_shown_url(url)}: {why}.",
        f"git submodule set-url {shown(name)} https://host/path.git; commit .gitmodules and push.",
    )


def _fits(pattern: re.Pattern[str], url: str) -> bool:
    return len(url) <= ADDRESS_MAX and ".." not in url and pattern.fullmatch(url) is not None


def _why_not(url: str) -> str:
    if not url.lower().startswith(("https://", "http://")):
        return "it must begin with https:// or http://"
    if _USER.fullmatch(url):
        return "it has a user or a password in it, and only public ones are fetched"
    return "it has characters that are not allowed, or is too long"


def _shown_url(url: str) -> str:
    """The address for a message, without a password that may be in it."""
    return shown(re.sub(r"//[^/@]*@", "//...@", url)[:200])
