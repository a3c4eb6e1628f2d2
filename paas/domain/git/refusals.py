"""Why git itself refused a push, in plain words, by its complaints before any hook ran."""

from __future__ import annotations

from paas.domain.values.errors import PaasError, disk_full

TYPE_CHECKING = False  # typing, collections.abc and re cost more than all that is done here
if TYPE_CHECKING:
    from collections.abc import Sequence

HUNG_UP = "the remote end hung up unexpectedly"
_TEXT_CHARACTERS = 200
_BAD_NAMES = frozenset({"hasDot", "hasDotdot", "hasDotgit", "fullPathname", "emptyName"})
_WITHOUT_HISTORY = (
    "git checkout --orphan fresh && git commit -m 'Without history' "
    "&& git push --force deploy fresh:main"
)


def explained(complaints: Sequence[str], max_push_mib: int) -> PaasError | None:
    """The error for a refusal; None if git's own message has to do.

    complaints: what git receive-pack and its children said in English, without ``fatal:``.
    """
    for complaint in complaints:
        words = complaint.split(": ", 2)
        if words[0].startswith("object ") and len(words) > 2:
            return _flawed(words[0].removeprefix("object "), words[1], words[2])
        if "exceeds maximum allowed size" in complaint:
            return _too_large(max_push_mib)
        if "No space left on device" in complaint or "Disk quota exceeded" in complaint:
            return disk_full()
        if complaint.endswith("died of signal 9") or "Out of memory" in complaint:
            return _killed()
    if list(complaints) == [HUNG_UP]:
        return _not_begun()
    return None


def _too_large(max_push_mib: int) -> PaasError:
    return PaasError(
        "push-too-large",
        f"This push is larger than the {max_push_mib} MiB that the server takes (setting "
        "max_push_mib), so\ngit stopped it there. Nothing was deployed.",
        "See what is large, in old commits too; the largest come last:\n"
        "git rev-list --objects --all |"
        " git cat-file --batch-check='%(objectsize:disk) %(rest)' | sort -n | tail\n"
        "Leave it out (.gitignore, git rm --cached FILE, git commit --amend), or keep it in Git "
        "LFS:\ngit lfs migrate import --everything --above=10MB\n"
        f"If only old commits have it, push without the history:\n{_WITHOUT_HISTORY}",
    )


def _flawed(thing: str, flaw: str, text: str) -> PaasError:
    """An object that git fsck objects to (git-fsck(1), FSCK MESSAGES)."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in text[:_TEXT_CHARACTERS])
    if flaw in _BAD_NAMES:
        what = "a folder in it has a name that could overwrite files of git or outside of the app"
    elif flaw.startswith("gitmodules"):
        what = "its .gitmodules has an entry that could overwrite files or run a command"
    else:
        what = "one of its objects is malformed"
    return PaasError(
        "push-flawed",
        f"git's checks refuse this push: {what}.\n"
        f"That is object {thing}: {shown} ({flaw}).\nNothing was deployed.",
        f"See which path it is: git rev-list --objects --all | grep {thing}\n"
        "Rename or correct it there, then commit and push. If only old commits have it, push "
        "without the "
        f"history:\n{_WITHOUT_HISTORY}",
    )


def _killed() -> PaasError:
    return PaasError(
        "git-killed",
        "git was killed on the server while it received this push, most likely because "
        "memory ran out.\nNothing was deployed.",
        "Push again. If that fails too, push old commits first, some at a time:\n"
        "git push deploy COMMIT:refs/heads/part\n"
        "The server's administrator can see what was killed with: dmesg | tail; free -m",
    )


def _not_begun() -> PaasError:
    """A client that left after the server had sent its refs and capabilities."""
    return PaasError(
        "push-not-begun",
        "git ended this push before it sent anything.\n"
        "If it says that the hash algorithm is not supported, or 'unexpected capabilities': your "
        "repository\nuses SHA-256 and the server SHA-1. git cannot convert one while it pushes.",
        "A copy with SHA-1, made with its history, can be pushed:\n"
        "git init --object-format=sha1 ../with-sha1 &&"
        " git fast-export --all | git -C ../with-sha1 fast-import\n"
        'git -C ../with-sha1 push "$(git remote get-url deploy)" main',
    )
