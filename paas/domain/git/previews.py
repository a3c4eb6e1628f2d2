"""Previews: an app of its own for a pull request or a branch of another one."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from paas.domain.git.events import NUMBER_MAX, Forge
from paas.domain.manifest.appjson import AppJson
from paas.domain.values.errors import usage_error
from paas.domain.values.names import APP_NAME_MAX, AppName, BranchName, VarName
from paas.domain.values.secret import Secret

EXPIRE_COMMAND = "previews:expire"
DEFAULT_LIFETIME = timedelta(days=7)
LIFETIME_MAX = timedelta(days=365)
PREVIEWS_MAX = 20
_HASH_DIGITS = 6
_PARENT_MAX, _BRANCH_MAX = 12, 10


@dataclass(frozen=True, slots=True)
class PreviewSettings:
    """How an app's previews are made.

    config: what is set in each. lifetime: since the last deploy.
    """

    config: Mapping[VarName, Secret]
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class PreviewOf:
    """What a preview shows: a pull request, or a branch if there is no number."""

    branch: BranchName
    pull_request: int | None = None

    def __str__(self) -> str:
        if self.pull_request is not None:
            return f"pull request {self.pull_request}"
        return f"the branch {self.branch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """An app that was made as a preview.

    parent_id: of the app that it is a preview of; None if that was destroyed. forge, commit: what
    was told last. wanted, done: how many deploys were asked for, and how many of these are done.
    ended: why it is to be removed; None: it is not. result: of the last deploy, in words; empty
    while it waits or runs.
    """

    app_id: int
    parent_id: int | None
    of: PreviewOf
    forge: Forge | None
    commit: str
    expires_at: datetime
    wanted: int = 0
    done: int = 0
    ended: str | None = None
    result: str = ""


def preview_names(parent: AppName, of: PreviewOf) -> Iterator[AppName]:
    """Names that the app may have, the best first; the last one is nobody else's by chance."""
    digest = hashlib.sha256(f"{parent} {of.pull_request} {of.branch}".encode()).hexdigest()
    if of.pull_request is not None:
        yield _joined(parent, f"pr-{of.pull_request}")
        yield _joined(parent, f"pr-{of.pull_request}-{digest[:_HASH_DIGITS]}")
        return
    words = re.sub(r"[^a-z0-9]+", "-", of.branch.lower()).strip("-")
    if words and len(parent) + 1 + len(words) <= APP_NAME_MAX:
        yield _joined(parent, words)
    short = words[:_BRANCH_MAX].strip("-")
    rest = "-".join(part for part in (short, digest[:_HASH_DIGITS]) if part)
    yield _joined(AppName(parent[:_PARENT_MAX]), rest)


def _joined(parent: AppName, rest: str) -> AppName:
    room = APP_NAME_MAX - len(rest) - 1
    return AppName(f"{parent[:room].rstrip('-')}-{rest}")


def pull_request_number(number: int) -> int:
    """Validate a number. Raises a usage error."""
    if not 0 < number < NUMBER_MAX:
        raise usage_error("preview-number", f"{number} is not the number of a pull request.")
    return number


def inherited(manifest: AppJson, config: Mapping[str, Secret]) -> dict[str, Secret]:
    """What a preview gets of its parent's config: what app.json declares without a value.

    manifest: of what the parent runs, not of the branch, whose author must not choose.
    """
    wanted = [var.name for var in manifest.env if var.value is None and not var.generated]
    return {name: config[name] for name in wanted if name in config}
