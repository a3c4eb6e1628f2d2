"""What git servers tell of branches and pull requests, read from the body of a genuine webhook.

GitHub: https://docs.github.com/webhooks/webhook-events-and-payloads
GitLab: https://docs.gitlab.com/user/project/integrations/webhook_events/
Gitea, Forgejo: https://docs.gitea.com/usage/webhooks
Bitbucket: https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs

from paas.domain.git.refs import NO_COMMIT
from paas.domain.values.errors import PaasError

NUMBER_MAX = 10**9
_COMMIT = re.compile(r"[0-9a-f]{40}")


class Forge(StrEnum):
    """Who sends webhooks."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"
    FORGEJO = "forgejo"
    BITBUCKET = "bitbucket"


class What(StrEnum):
    """What happened. OPENED: a pull request was opened, reopened, or got commits."""

    PUSHED = "pushed"
    DELETED = "deleted"
    OPENED = "opened"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a branch.

    commit: its tip; empty if it is not told in full. pull_request: the number of the one that it is
    about. from_fork: whether the branch is in another repository than the one that tells.
    """

    what: What
    branch: str
    commit: str = ""
    pull_request: int | None = None
    from_fork: bool = False


_Read = Callable[[Mapping[str, Any]], Iterable[Event]]


def events_of(forge: Forge, name: str, body: bytes) -> tuple[Event, ...]:
    """What a webhook tells. name: of its event, as its header has it.

    Raises PaasError if that cannot be read: a genuine webhook is sent in another form then.
    """
    read = _READS[forge].get(name)
    if read is None:
        return ()
    try:
        return tuple(read(json.loads(_json_of(body))))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PaasError(
            "webhook-form",
            "The webhook's content is not that of a push or a pull request.",
            "Have it sent as application/json, for pushes and pull requests only.",
        ) from error


def _json_of(body: bytes) -> bytes:
    """GitHub's other content type has the JSON in a form."""
    if body.startswith(b"payload="):
        return parse_qs(body.decode("ascii"), strict_parsing=True)["payload"][0].encode()
    return body


def _push(found: Mapping[str, Any]) -> Iterator[Event]:
    """In GitHub's form, which all but Bitbucket have."""
    ref, commit = str(found["ref"]), _valid(found["after"])
    name = ref.removeprefix("refs/heads/")
    if name != ref:
        yield _moved(name, commit)


def _delete(found: Mapping[str, Any]) -> Iterator[Event]:
    if found["ref_type"] == "branch":
        yield Event(What.DELETED, str(found["ref"]))


def _pull_request(found: Mapping[str, Any]) -> Iterator[Event]:
    """GitHub's and Gitea's form; the latter says ``synchronized``."""
    action, pull = found["action"], found["pull_request"]
    head, number = pull["head"], _number(found["number"])
    if action == "closed":
        yield Event(What.CLOSED, str(head["ref"]), _valid(head["sha"]), number)
    if action in {"opened", "reopened", "synchronize", "synchronized"}:
        theirs = head["repo"]  # null where the fork was deleted
        from_fork = theirs is None or int(theirs["id"]) != int(found["repository"]["id"])
        yield Event(What.OPENED, str(head["ref"]), _valid(head["sha"]), number, from_fork)


def _merge_request(found: Mapping[str, Any]) -> Iterator[Event]:
    one = found["object_attributes"]
    action, branch, number = one.get("action"), str(one["source_branch"]), _number(one["iid"])
    commit = _valid(one["last_commit"]["id"])
    if action in {"close", "merge"}:
        yield Event(What.CLOSED, branch, commit, number)
    # An update without a former commit is one of the title, labels and the like.
    if action in {"open", "reopen"} or (action == "update" and one.get("oldrev")):
        from_fork = int(one["source_project_id"]) != int(one["target_project_id"])
        yield Event(What.OPENED, branch, commit, number, from_fork)


def _bitbucket_push(found: Mapping[str, Any]) -> Iterator[Event]:
    for change in found["push"]["changes"]:
        new, old = change["new"], change.get("old")
        if new is not None and new["type"] == "branch":
            yield _moved(str(new["name"]), _valid(new["target"]["hash"]))
        elif new is None and old is not None and old["type"] == "branch":
            yield Event(What.DELETED, str(old["name"]))


def _bitbucket_pull_request(what: What) -> _Read:
    def read(found: Mapping[str, Any]) -> Iterator[Event]:
        pull = found["pullrequest"]
        source, target = pull["source"], pull["destination"]
        theirs = source.get("repository")  # null where the fork was deleted
        from_fork = theirs is None or str(theirs["uuid"]) != str(target["repository"]["uuid"])
        commit = str((source.get("commit") or {}).get("hash", ""))  # the first 12 digits only
        commit = commit if _COMMIT.fullmatch(commit) else ""
        yield Event(what, str(source["branch"]["name"]), commit, _number(pull["id"]), from_fork)

    return read


def _moved(branch: str, commit: str) -> Event:
    if commit == NO_COMMIT:
        return Event(What.DELETED, branch)
    return Event(What.PUSHED, branch, commit)


def _valid(commit: object) -> str:
    if not isinstance(commit, str) or _COMMIT.fullmatch(commit) is None:
        raise ValueError("That is no commit.")
    return commit


def _number(value: object) -> int:
    if type(value) is not int or not 0 < value < NUMBER_MAX:
        raise ValueError("That is no number of a pull request.")
    return value


_GITHUB: Mapping[str, _Read] = {"push": _push, "delete": _delete, "pull_request": _pull_request}
_READS: Mapping[Forge, Mapping[str, _Read]] = {
    Forge.GITHUB: _GITHUB,
    Forge.GITEA: _GITHUB,
    Forge.FORGEJO: _GITHUB,
    Forge.GITLAB: {"Push Hook": _push, "Merge Request Hook": _merge_request},
    Forge.BITBUCKET: {
        "repo:push": _bitbucket_push,
        "pullrequest:created": _bitbucket_pull_request(What.OPENED),
        "pullrequest:updated": _bitbucket_pull_request(What.OPENED),
        "pullrequest:fulfilled": _bitbucket_pull_request(What.CLOSED),
        "pullrequest:rejected": _bitbucket_pull_request(What.CLOSED),
    },
}
