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
_SSH_USER = r"[A-Za-z_][A-Za-z0-9_.-]*"
_SSH = re.compile(rf"ssh://(?:{_SSH_USER}@)?{_HOST}{_PATH}", re.IGNORECASE)
# As scp names files: git@host:path (git-fetch(1), GIT URLS).
_SCP = re.compile(
    rf"{_SSH_USER}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?:"
    r"[A-Za-z0-9._~%+@,=][A-Za-z0-9._~%+@,=/-]*"
)
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+@-]*")
_SEPARATELY = "a token is set separately (paas git:auth), so that it is in no log"
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
    if not _fits(_GIT, url) and not is_ssh(url):
        raise usage_error(
            "git-url",
            f"{_shown_url(url)} is not the address of a git repository that can be fetched: "
            f"{_why_not(url, or_by_ssh=True)}.",
            "paas git:sync https://host/path.git [REF]",
        )
    if ref is not None and (not _REF.fullmatch(ref) or ".." in ref or len(ref) > ADDRESS_MAX):
        raise usage_error(
            "git-ref",
            f"{shown(ref)} is not a branch, a tag or a commit.",
            f"paas git:sync {url} main",
        )
    return GitSource(url, ref)


def is_ssh(url: str) -> bool:
    """Whether it is the address of a repository by SSH."""
    return _fits(_SSH, url) or _fits(_SCP, url)


def host_of(url: str) -> str:
    """The host of a repository's address, with a port that it names."""
    if "://" not in url:
        return url.partition("@")[2].partition(":")[0].lower()
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2].lower()


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


def check_submodule_url(name: str, url: str, *, has_key: bool = False) -> None:
    """Raises PaasError, which names the submodule, where its address is not one by https.

    has_key: whether the app has a deploy key, so that it may also be one by SSH.
    """
    if _fits(_SUBMODULE, url) or (has_key and is_ssh(url)):
        return
    why = "only https:// addresses are fetched"
    if is_ssh(url):
        why += ", and for those by SSH the app needs a deploy key (paas git:deploy-key)"
    if url.startswith(("./", "../")):
        why = "it is relative, and a pushed repository has no address that it could be relative to"
    elif _USER.fullmatch(url) and url.startswith("https://"):
        why = f"it has a user or a password in it; {_SEPARATELY}"
    raise PaasError(
        "submodule-url",
        f"The submodule {shown(name)} has the address {_shown_url(url)}: {why}.",
        f"git submodule set-url {shown(name)} https://host/path.git; commit .gitmodules and push.",
    )


def _fits(pattern: re.Pattern[str], url: str) -> bool:
    return len(url) <= ADDRESS_MAX and ".." not in url and pattern.fullmatch(url) is not None


def _why_not(url: str, *, or_by_ssh: bool = False) -> str:
    if not url.lower().startswith(("https://", "http://", "ssh://")[: 3 if or_by_ssh else 2]):
        more = ", or be of the form git@host:path" if or_by_ssh else ""
        return f"it must begin with https:// or http://{more}"
    if _USER.fullmatch(url) and not url.lower().startswith("ssh://"):
        return f"it has a user or a password in it; {_SEPARATELY}"
    return "it has characters that are not allowed, or is too long"


def _shown_url(url: str) -> str:
    """The address for a message, without a password that may be in it."""
    return shown(re.sub(r"//[^/@]*@", "//...@", url)[:200])
