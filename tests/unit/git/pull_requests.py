"""Webhooks of pull requests as the git servers document them."""

import json
from typing import Any

from paas.domain.git.events import Forge, What
from tests.unit.git.deliveries import Sent, signed

NUMBER = 12
_ACTIONS = {
    Forge.GITHUB: {What.OPENED: "synchronize", What.CLOSED: "closed"},
    Forge.GITEA: {What.OPENED: "synchronized", What.CLOSED: "closed"},
    Forge.FORGEJO: {What.OPENED: "synchronized", What.CLOSED: "closed"},
    Forge.GITLAB: {What.OPENED: "update", What.CLOSED: "merge"},
    Forge.BITBUCKET: {What.OPENED: "updated", What.CLOSED: "fulfilled"},
}


def pulled(
    forge: Forge, secret: str, what: What, branch: str, commit: str, *, fork: bool = False
) -> Sent:
    """Pull request 12 of the branch: opened, or closed."""
    action = _ACTIONS[forge][what]
    match forge:
        case Forge.GITLAB:
            found = _gitlab(action, branch, commit, fork=fork)
        case Forge.BITBUCKET:
            found = _bitbucket(branch, commit, fork=fork)
        case _:
            found = _github(action, branch, commit, fork=fork)
    body = json.dumps(found).encode()
    return _headers(forge, action, secret, body), body


def _github(action: str, branch: str, commit: str, *, fork: bool) -> dict[str, Any]:
    """https://docs.github.com/webhooks/webhook-events-and-payloads#pull_request"""
    theirs = {"id": 2 if fork else 1, "full_name": f"{'mallory' if fork else 'acme'}/shop"}
    ours = {"id": 1, "full_name": "acme/shop"}
    return {
        "action": action,
        "number": NUMBER,
        "pull_request": {
            "number": NUMBER,
            "state": "open",
            "head": {"ref": branch, "sha": commit, "repo": theirs},
            "base": {"ref": "main", "sha": "1" * 40, "repo": ours},
        },
        "repository": ours,
        "sender": {"login": "bob"},
    }


def _gitlab(action: str, branch: str, commit: str, *, fork: bool) -> dict[str, Any]:
    """https://docs.gitlab.com/user/project/integrations/webhook_events/#merge-request-events"""
    return {
        "object_kind": "merge_request",
        "project": {"id": 1},
        "object_attributes": {
            "id": 99,
            "iid": NUMBER,
            "action": action,
            "source_branch": branch,
            "source_project_id": 2 if fork else 1,
            "target_project_id": 1,
            "last_commit": {"id": commit},
            "oldrev": "1" * 40,
        },
    }


def _bitbucket(branch: str, commit: str, *, fork: bool) -> dict[str, Any]:
    """https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/#Pull-request-events"""
    theirs, ours = {"uuid": "{2}" if fork else "{1}"}, {"uuid": "{1}"}
    return {
        "pullrequest": {
            "id": NUMBER,
            "source": {
                "branch": {"name": branch},
                "commit": {"hash": commit[:12]},
                "repository": theirs,
            },
            "destination": {"branch": {"name": "main"}, "repository": ours},
        }
    }


def _headers(forge: Forge, action: str, secret: str, body: bytes) -> dict[str, str]:
    proof = signed(secret, body)
    match forge:
        case Forge.GITLAB:
            return {"X-Gitlab-Event": "Merge Request Hook", "X-Gitlab-Token": secret}
        case Forge.BITBUCKET:
            event = f"pullrequest:{action}"
            return {"X-Event-Key": event, "X-Hub-Signature": f"sha256={proof}"}
        case Forge.GITHUB:
            hub = {"X-GitHub-Event": "pull_request", "X-Hub-Signature-256": f"sha256={proof}"}
            return {**hub, "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958"}
        case _:
            name = forge.capitalize()
            found = {f"X-{name}-Event": "pull_request", f"X-{name}-Signature": proof}
            return {**found, "X-GitHub-Event": "pull_request", "X-GitHub-Delivery": "1"}
