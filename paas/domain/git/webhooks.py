"""Webhooks of git servers: whether one is genuine, and what it is about.

GitHub: https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
GitLab: https://docs.gitlab.com/user/project/integrations/webhooks/
Gitea, Forgejo: https://docs.gitea.com/usage/webhooks
Bitbucket: https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from paas.domain.git.events import Event, Forge, What, events_of
from paas.domain.git.sources import GitSource
from paas.domain.values.errors import PaasError
from paas.domain.values.names import BranchName, UserName
from paas.domain.values.secret import Secret

ID_CHARACTERS = 32
SECRET_CHARACTERS = 40
HEADER_MAX = 300
BODY_MAX_BYTES = 5 * 1024**2
_DELIVERY = re.compile(r"[A-Za-z0-9-]{1,64}")


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


# Forgejo also sends Gitea's headers, and both send GitHub's.
_SIGNS = (
    _Signs(
        Forge.FORGEJO,
        "x-forgejo-event",
        "x-forgejo-signature",
        "x-forgejo-delivery",
        "",
    ),
    _Signs(Forge.GITEA, "x-gitea-event", "x-gitea-signature", "x-gitea-delivery", ""),
    _Signs(Forge.BITBUCKET, "x-event-key", "x-hub-signature", "x-request-uuid", "sha256="),
    _Signs(Forge.GITLAB, "x-gitlab-event", "x-gitlab-token", "x-gitlab-event-uuid", None),
    _Signs(
        Forge.GITHUB,
        "x-github-event",
        "x-hub-signature-256",
        "x-github-delivery",
        "sha256=",
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
    """A genuine webhook. pushed: the new commit of the branch; None: it is about something else.

    events: what it tells beside that.
    """

    forge: Forge
    id: str
    pushed: str | None
    events: tuple[Event, ...] = ()


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
    told = events_of(signs.forge, headers[signs.event], body)
    ours = [one for one in told if one.what is What.PUSHED and one.branch == webhook.branch]
    return Delivery(
        signs.forge,
        id if _DELIVERY.fullmatch(id) else "",
        ours[-1].commit if ours else None,
        tuple(one for one in told if one not in ours),
    )


def _is_genuine(signs: _Signs, secret: Secret, headers: Mapping[str, str], body: bytes) -> bool:
    given, key = headers.get(signs.proof, "").encode(), secret.reveal().encode()
    if signs.prefix is None:
        return hmac.compare_digest(given, key)
    expected = signs.prefix + hmac.new(key, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(given, expected.encode())
