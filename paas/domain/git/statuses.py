"""What a git server is told of a commit: that it is being deployed, and how that ended.

GitHub: https://docs.github.com/rest/commits/statuses
GitLab: https://docs.gitlab.com/api/commits/#set-commit-pipeline-status
Gitea, Forgejo: https://docs.gitea.com/api (repoCreateStatus)
Bitbucket: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commit-statuses/
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote

from paas.domain.git.events import Forge
from paas.domain.git.sources import host_of

_DESCRIPTION_MAX = 140
_COMMIT = re.compile("[0-9a-f]{40}")
_GITHUB, _BITBUCKET = "github.com", "bitbucket.org"


class Outcome(Enum):
    """What is told."""

    PENDING = "pending"
    DEPLOYED = "deployed"
    FAILED = "failed"
    REMOVED = "removed"


# As GitHub and Gitea call them, GitLab, and Bitbucket.
_STATES: Mapping[Outcome, tuple[str, str, str]] = {
    Outcome.PENDING: ("pending", "running", "INPROGRESS"),
    Outcome.DEPLOYED: ("success", "success", "SUCCESSFUL"),
    Outcome.FAILED: ("failure", "failed", "FAILED"),
    Outcome.REMOVED: ("success", "success", "SUCCESSFUL"),
}


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """One request. host: whose token it takes. scheme: before the token, in Authorization."""

    host: str
    url: str
    scheme: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """app: the name. words: for people. site: the app's address."""

    commit: str
    outcome: Outcome
    app: str
    words: str
    site: str


def status_request(forge: Forge, repository: str, status: CommitStatus) -> StatusRequest | None:
    """The request for a repository, by its address; None if it cannot be made."""
    host, path = _host(repository), _path(repository)
    parts = path.split("/")
    if not host or len(parts) < 2 or not all(parts) or _COMMIT.fullmatch(status.commit) is None:
        return None
    name, words, commit = f"paas/{status.app}", status.words[:_DESCRIPTION_MAX], status.commit
    hub, lab, bucket = _STATES[status.outcome]
    if forge is Forge.GITLAB:
        url = f"https://{host}/api/v4/projects/{quote(path, safe='')}/statuses/{commit}"
        fields = {"state": lab, "name": name, "description": words, "target_url": status.site}
        return StatusRequest(host, url, "Bearer", fields)
    owner, repo = (quote(part, safe="") for part in parts[-2:])
    if forge is Forge.BITBUCKET:
        if host != _BITBUCKET:
            return None  # a server of one's own has another API
        url = f"https://api.{host}/2.0/repositories/{owner}/{repo}/commit/{commit}/statuses/build"
        fields = {"key": name, "name": name, "state": bucket, "description": words}
        return StatusRequest(host, url, "Bearer", {**fields, "url": status.site})
    if forge is Forge.GITHUB:
        base = f"https://api.{host}" if host == _GITHUB else f"https://{host}/api/v3"
    else:
        base = f"https://{host}/api/v1"
    url = f"{base}/repos/{owner}/{repo}/statuses/{commit}"
    fields = {"state": hub, "context": name, "description": words, "target_url": status.site}
    return StatusRequest(host, url, "Bearer" if forge is Forge.GITHUB else "token", fields)


def _host(repository: str) -> str:
    """Where the API is: of an address by SSH, at the usual port."""
    host = host_of(repository)
    return host if repository.lower().startswith("http") else host.partition(":")[0]


def _path(repository: str) -> str:
    """``acme/shop``."""
    if "://" in repository:
        path = repository.partition("://")[2].partition("/")[2]
    else:
        path = repository.partition(":")[2]
    return path.strip("/").removesuffix(".git")
