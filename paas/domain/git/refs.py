"""Refs of a repository: what a push moves, and why git would refuse that, in words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from paas.domain.values.errors import PaasError
from paas.domain.values.names import shown

NO_COMMIT = "0" * 40
# Only the beginning and the end of git's message are shown.
WORDS_START, WORDS_END = 300, 200
_NAME = re.compile(r"refs/[^/ ]+/[^ ]+")
_NOT_A_COMMIT = re.compile(r"trying to write non-commit object ([0-9a-f]{40}) to branch '(\S+)'")
_IN_THE_WAY = re.compile(r"'(\S+)' exists; cannot create '(\S+)'")
_BOTH = re.compile(r"cannot process '(\S+)' and '(\S+)' at the same time")
_LOCKED = re.compile(r"Unable to create '(\S+\.lock)': File exists")
_PLAIN_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """One line of pre-receive's input (githooks(5)): commit ids, and the ref's full name."""

    old: str
    new: str
    ref: str


def parse_update(line: str) -> RefUpdate:
    """Raises PaasError if the name is one that git does not store."""
    old, _, rest = line.partition(" ")
    new, _, ref = rest.partition(" ")
    if _NAME.fullmatch(ref) is None:
        raise PaasError(
            "ref-name",
            f"git does not accept the name {shown(ref)}.",
            "Push to a branch: git push deploy main, or git push deploy HEAD:refs/heads/NAME",
        )
    return RefUpdate(old, new, ref)


def rehearsal(updates: Sequence[RefUpdate]) -> bytes:
    """The input of ``git update-ref --stdin -z`` that makes all checks and moves nothing.

    All of them in one transaction, as in an atomic push: what is accepted so is accepted one by
    one. Deleting a ref that does not exist is left to git, which only warns.
    """
    lines = ["start"]
    for update in updates:
        if update.new != NO_COMMIT:
            lines.append(f"update {update.ref}\0{update.new}\0{update.old}")
        elif update.old != NO_COMMIT:
            lines.append(f"delete {update.ref}\0{update.old}")
    return "".join(f"{line}\0" for line in [*lines, "prepare", "abort"]).encode(
        "utf-8", "surrogateescape"
    )


def refused_object(said: str) -> str | None:
    """The object that git would not make the tip of a branch, by what it said."""
    found = _NOT_A_COMMIT.search(said)
    return found[1] if found else None


def explain(said: str, updates: Sequence[RefUpdate], tag: str | None) -> PaasError:
    """The refusal. said: what git did. tag: the name in the tag object, where there is one."""
    if found := _NOT_A_COMMIT.search(said):
        is_new = any(update.ref == found[2] and update.old == NO_COMMIT for update in updates)
        return _not_a_commit(found[2], tag, is_new=is_new)
    if found := _IN_THE_WAY.search(said) or _BOTH.search(said):
        return _in_the_way(short(found[1]), short(found[2]))
    if found := _LOCKED.search(said):
        return PaasError(
            "ref-locked",
            f"git could not move the branch: a push that was cut off left its lock file "
            f"{found[1].rpartition('.git/')[2]}.",
            "The server's administrator can remove it: paas doctor --fix",
        )
    words = said.strip().splitlines()[-1] if said.strip() else "it gave no reason"
    words = words.removeprefix("fatal: prepare: ")
    if len(words) > WORDS_START + WORDS_END:
        words = f"{words[:WORDS_START]} ... {words[-WORDS_END:]}"
    return PaasError(
        "git-refuses",
        f"git could not store this push: {words}.",
        "If the reason is the name, push to another one. Otherwise the repository on the server "
        "needs its administrator.",
    )


def _not_a_commit(ref: str, tag: str | None, *, is_new: bool) -> PaasError:
    branch = short(ref)
    # What is not a local branch has to be pushed to a new one by its full name.
    target = ref if is_new else branch
    if tag is None:
        return PaasError(
            "not-a-commit",
            f"What is pushed to {branch} is a file or a folder, and git takes only a commit as "
            f"the tip of a branch.",
            f"Push a commit: git push deploy HEAD:{target}",
        )
    name, what = (tag, tag) if _PLAIN_TAG.fullmatch(tag) else ("TAG", shown(tag))
    return PaasError(
        "not-a-commit",
        f"{what} is an annotated tag, and git takes only a commit as the tip of the branch "
        f"{branch}.",
        f"Push the commit that it marks: git push deploy '{name}^{{}}:{target}'",
    )


def _in_the_way(there: str, new: str) -> PaasError:
    return PaasError(
        "ref-in-the-way",
        f"git cannot store {new} beside {there}: one of the names is a folder of the other.",
        f"Push it under another name, or delete the other first: git push deploy --delete {there}",
    )


def short(ref: str) -> str:
    """A ref as people name it: ``main``."""
    for prefix in ("refs/heads/", "refs/tags/"):
        if ref.startswith(prefix):
            return ref[len(prefix) :]
    return ref
