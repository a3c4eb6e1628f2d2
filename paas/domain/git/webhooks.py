"""Webhooks of git servers: whether one is genuine, and which branch was pushed.

GitHub: https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
GitLab: https://docs.gitlab.com/user/project/integrations/webhooks/
Gitea, Forgejo: https://docs.gitea.com/usage/webhooks
Bitbucket: https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs

from paas.domain.git.refs import NO_COMMIT
from paas.domain.git.sources import GitSource
from paas.domain.values.errors import PaasError
from paas.domain.values.names import BranchName, UserName
from paas.domain.values.secret import Secret

ID_CHARACTERS = 32
SECRET_CHARACTERS = 40
HEADER_MAX = 300
BODY_MAX_BYTES = 5 * 1024**2
_COMMIT = re.compile(r"[0-9a-f]{40}")
_DELIVERY = re.compile(r"[A-Za-z0-9-]{1,64}")


class Forge(StrEnum):
    """Who sends webhooks."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"
    FORGEJO = "forgejo"
    BITBUCKET = "bitbucket"


@dataclass(frozen=True, slots=True)
class _Signs:
    """How one signs: the header with the event, the one with the proof, and that of the delivery.

    prefix: before an HMAC-SHA256 of the body; None: the proof is the secret itself.
    """

    forge: Forge
    event: str
    proof: str
    delivery: str
    prefix: str | None
    pushes: str


# Forgejo also sends Gitea's headers, and both send GitHub's.
_SIGNS = (
    _Signs(
        Forge.FORGEJO,
        "x-forgejo-event",
        "x-forgejo-signature",
        "x-forgejo-delivery",
        "",
        "push",
    ),
    _Signs(Forge.GITEA, "x-gitea-event", "x-gitea-signature", "x-gitea-delivery", "", "push"),
    _Signs(
        Forge.BITBUCKET, "x-event-key", "x-hub-signature", "x-request-uuid", "sha256=", "repo:push"
    ),
    _Signs(
        Forge.GITLAB, "x-gitlab-event", "x-gitlab-token", "x-gitlab-event-uuid", None, "Push Hook"
    ),
    _Signs(
        Forge.GITHUB,
        "x-github-event",
        "x-hub-signature-256",
        "x-github-delivery",
        "sha256=",
        "push",
    ),
)
HEADERS = frozenset(name for signs in _SIGNS for name in (signs.event, signs.proof, signs.delivery))


@dataclass(frozen=True, slots=True)
class Webhook:
    """Deploy on push, of one app. user: who set it up, and as whom it deploys; None: root.

    wanted, done: how many pushes came, and how many of them a deploy has taken in.
    last: what became of the last one.
    """

    id: str
    app_id: int
    source: GitSource
    branch: BranchName
    user: UserName | None
    secret: Secret
    wanted: int = 0
    done: int = 0
    last: "LastPush | None" = None


@dataclass(frozen=True, slots=True)
class LastPush:
    """The last push that came. result: in words; empty while it waits or is deployed."""

    at: datetime
    forge: Forge
    commit: str
    result: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A genuine webhook. pushed: the new commit of the branch; None: it is about something else."""

    forge: Forge
    id: str
    pushed: str | None


def delivery(webhook: Webhook, headers: Mapping[str, str], body: bytes) -> Delivery:
    """Verify what arrived. headers: by lower-case names. Raises PaasError if it is not genuine."""
    signs = next((one for one in _SIGNS if one.event in headers), None)
    if signs is None or not _is_genuine(signs, webhook.secret, headers, body):
        raise PaasError(
            "webhook-signature",
            "The webhook is not signed with this app's secret.",
            "Copy the secret again, or make a new one: paas git:deploy-on-push --rotate",
        )
    id = headers.get(signs.delivery, "").strip("{}")
    commit = None
    if headers[signs.event] == signs.pushes:
        commit = _pushed(signs.forge, body, webhook.branch)
    return Delivery(signs.forge, id if _DELIVERY.fullmatch(id) else "", commit)


def _is_genuine(signs: _Signs, secret: Secret, headers: Mapping[str, str], body: bytes) -> bool:
    given, key = headers.get(signs.proof, "").encode(), secret.reveal().encode()
    if signs.prefix is None:
        return hmac.compare_digest(given, key)
    expected = signs.prefix + hmac.new(key, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(given, expected.encode())


def _pushed(forge: Forge, body: bytes, branch: BranchName) -> str | None:
    """The commit that a push made the tip of the branch; None if it moved another, or deleted it.

    Raises PaasError if that cannot be read: a genuine webhook is sent in another form then.
    """
    try:
        found = json.loads(_json_of(body))
        pairs = list(_bitbucket(found) if forge is Forge.BITBUCKET else [_plain(found)])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PaasError(
            "webhook-form",
            "The webhook's content is not that of a push.",
            "Have it sent as application/json, for pushes only.",
        ) from error
    commits = [commit for name, commit in pairs if name == branch]
    commit = commits[-1] if commits else None
    return commit if commit != NO_COMMIT else None


def _json_of(body: bytes) -> bytes:
    """GitHub's other content type has the JSON in a form."""
    if body.startswith(b"payload="):
        return parse_qs(body.decode("ascii"), strict_parsing=True)["payload"][0].encode()
    return body


def _plain(found: Mapping[str, Any]) -> tuple[str, str]:
    """Branch and new commit, in GitHub's form; tags have no branch."""
    ref, commit = str(found["ref"]), str(found["after"])
    name = ref.removeprefix("refs/heads/")
    return ("" if name == ref else name, _valid(commit))


def _bitbucket(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for change in found["push"]["changes"]:
        new = change["new"]
        if new is not None and new["type"] == "branch":
            yield str(new["name"]), _valid(str(new["target"]["hash"]))


def _valid(commit: str) -> str:
    if _COMMIT.fullmatch(commit) is None:
        raise ValueError("That is no commit.")
    return commit
