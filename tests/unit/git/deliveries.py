"""Webhooks as the git servers document them: headers, and what is in the body."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping

from paas.domain.git.events import Forge

Sent = tuple[dict[str, str], bytes]


def signed(secret: str, body: bytes) -> str:
    """The proof of GitHub's kind."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _commits(commit: str) -> list[dict[str, object]]:
    return [{"id": commit, "message": "Fix \u2603", "author": {"name": "Bob"}}]


def github(secret: str, branch: str, commit: str) -> Sent:
    """https://docs.github.com/webhooks/webhook-events-and-payloads#push"""
    found = {
        "ref": f"refs/heads/{branch}",
        "before": "1" * 40,
        "after": commit,
        "created": False,
        "deleted": False,
        "forced": False,
        "repository": {"full_name": "acme/shop", "private": True},
        "pusher": {"name": "bob"},
        "commits": _commits(commit),
    }
    body = json.dumps(found).encode()
    headers = {
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature": "sha1=0000000000000000000000000000000000000000",
        "X-Hub-Signature-256": f"sha256={signed(secret, body)}",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "Content-Type": "application/json",
    }
    return headers, body


def gitlab(secret: str, branch: str, commit: str) -> Sent:
    """https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events"""
    found = {
        "object_kind": "push",
        "event_name": "push",
        "before": "1" * 40,
        "after": commit,
        "ref": f"refs/heads/{branch}",
        "ref_protected": True,
        "checkout_sha": commit,
        "user_username": "bob",
        "project": {"path_with_namespace": "acme/shop"},
        "commits": _commits(commit),
    }
    headers = {
        "X-Gitlab-Event": "Push Hook",
        "X-Gitlab-Token": secret,
        "X-Gitlab-Event-UUID": "13792a34-cac6-4fda-95a8-c58e00a3954e",
        "Content-Type": "application/json",
    }
    return headers, json.dumps(found).encode()


def gitea(secret: str, branch: str, commit: str) -> Sent:
    """https://docs.gitea.com/usage/webhooks"""
    found = {
        "ref": f"refs/heads/{branch}",
        "before": "1" * 40,
        "after": commit,
        "commits": _commits(commit),
        "repository": {"full_name": "acme/shop"},
        "pusher": {"login": "bob"},
    }
    body = json.dumps(found, indent=2).encode()
    signature = signed(secret, body)
    headers = {
        "X-Gitea-Event": "push",
        "X-Gitea-Delivery": "f6266f16-1bf3-46a5-9ea4-602e06ead473",
        "X-Gitea-Signature": signature,
        "X-Gogs-Event": "push",
        "X-Gogs-Signature": signature,
        "X-GitHub-Event": "push",
        "X-Hub-Signature-256": f"sha256={signature}",
        "Content-Type": "application/json",
    }
    return headers, body


def forgejo(secret: str, branch: str, commit: str) -> Sent:
    """https://forgejo.org/docs/latest/user/webhooks/"""
    headers, body = gitea(secret, branch, commit)
    forgejo = {
        "X-Forgejo-Event": "push",
        "X-Forgejo-Delivery": headers["X-Gitea-Delivery"],
        "X-Forgejo-Signature": headers["X-Gitea-Signature"],
    }
    return headers | forgejo, body


def bitbucket(secret: str, branch: str, commit: str) -> Sent:
    """https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/#Push"""
    change = {
        "new": {"type": "branch", "name": branch, "target": {"type": "commit", "hash": commit}},
        "old": {"type": "branch", "name": branch, "target": {"hash": "1" * 40}},
        "created": False,
        "closed": False,
        "forced": False,
    }
    gone = {"new": None, "old": {"type": "branch", "name": "topic"}, "closed": True}
    tag = {"new": {"type": "tag", "name": branch, "target": {"hash": "2" * 40}}, "old": None}
    found = {"actor": {"type": "user"}, "push": {"changes": [gone, change, tag]}}
    body = json.dumps(found).encode()
    headers = {
        "X-Event-Key": "repo:push",
        "X-Hook-UUID": "{fc2f2c38-0000-0000-0000-000000000000}",
        "X-Request-UUID": "{5a1a2b3c-0000-0000-0000-000000000000}",
        "X-Hub-Signature": f"sha256={signed(secret, body)}",
        "Content-Type": "application/json",
    }
    return headers, body


SENT: Mapping[Forge, Callable[[str, str, str], Sent]] = {
    Forge.GITHUB: github,
    Forge.GITLAB: gitlab,
    Forge.GITEA: gitea,
    Forge.FORGEJO: forgejo,
    Forge.BITBUCKET: bitbucket,
}


def known(headers: Mapping[str, str]) -> dict[str, str]:
    """By lower-case names, as they come out of the web process."""
    return {name.lower(): value for name, value in headers.items()}
