"""Why git itself refused a push."""

import pytest

from paas.domain.git.refusals import explained

THING = "6e3dcc20ac885257b888d14931b122d9aa4c1bcf"


@pytest.mark.parametrize(
    ("complaints", "reference", "said"),
    [
        (["pack exceeds maximum allowed size (1.00 MiB)"], "push-too-large", "the 7 MiB that"),
        (["pack exceeds maximum allowed size"], "push-too-large", "max_push_mib"),
        (
            [f"object {THING}: hasDotgit: contains '.git'", "fsck error in packed object"],
            "push-flawed",
            f"a folder in it has a name that could overwrite files of git or outside of the app.\n"
            f"That is object {THING}: contains '.git' (hasDotgit).",
        ),
        (
            [f"object {THING}: gitmodulesUrl: disallowed submodule url: -u./x"],
            "push-flawed",
            "its .gitmodules has an entry that could",
        ),
        (
            [f"object {THING}: treeNotSorted: not \x1b[2J\nsorted"],
            "push-flawed",
            "one of its objects is malformed.\n"
            f"That is object {THING}: not ?[2J?sorted (treeNotSorted).",
        ),
        (["write error: No space left on device"], "disk-full", "disk is full"),
        (["unable to write file x: Disk quota exceeded"], "disk-full", "disk is full"),
        (["index-pack died of signal 9"], "git-killed", "memory"),
        (["Out of memory, malloc failed (tried to allocate 9 bytes)"], "git-killed", "memory"),
        (["the remote end hung up unexpectedly"], "push-not-begun", "SHA-256"),
    ],
)
def test_refusals_are_explained(complaints: list[str], reference: str, said: str) -> None:
    """Each with its cause, and with a next command."""
    error = explained(complaints, 7)
    assert error is not None
    assert error.reference == reference
    assert said in error.message
    assert error.hint


@pytest.mark.parametrize("complaints", [[], ["early EOF"], ["index-pack died of signal 15"]])
def test_what_is_not_known_is_left_to_git(complaints: list[str]) -> None:
    """No guess where git was not understood."""
    assert explained(complaints, 7) is None
