"""What git refuses after the hook is known before it: each case is tried on git itself, too."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from paas.adapters.git.refs import GitRefs
from paas.domain.git.refs import NO_COMMIT, RefUpdate
from paas.domain.values.errors import PaasError
from paas.interfaces import Quarantine

ACCOUNT = 64_123
IDENTITY = {
    "GIT_AUTHOR_NAME": "Alice",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "Alice",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "HOME": "/nonexistent",
    "PATH": "/usr/bin:/bin",
}
MAIN = "refs/heads/main"


class Git:
    """A server's repository, one that is pushed from, and what a push would bring."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.server, self.tree = root / "7.git", root / "tree"
        self.refs = GitRefs(root, (ACCOUNT, ACCOUNT))
        self.run("init", "-q", "--bare", "-b", "main", str(self.server), at=root)
        self.run("init", "-q", "-b", "main", str(self.tree), at=root)
        self.run("commit", "-q", "--allow-empty", "-m", "one")
        self.run("push", "-q", str(self.server), "main")

    def run(self, *words: str, at: Path | None = None, check: bool = True) -> str:
        """Run git as the account, in the tree; what it printed."""
        ended = subprocess.run(
            ["git", *words],
            cwd=at or self.tree,
            env=IDENTITY,
            user=ACCOUNT,
            group=ACCOUNT,
            extra_groups=[],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert ended.returncode == 0 or not check, ended.stdout
        return ended.stdout.strip()

    def tip(self, ref: str) -> str:
        """Where a ref of the server's is, or zeros."""
        return self.run("rev-parse", "-q", "--verify", ref, at=self.server, check=False) or (
            NO_COMMIT
        )

    def judged(self, *pairs: tuple[str, str]) -> PaasError | None:
        """What the adapter says to a push of these objects to these refs. Empty: a deletion."""
        updates = [
            RefUpdate(self.tip(ref), self.run("rev-parse", name) if name else NO_COMMIT, ref)
            for name, ref in pairs
        ]
        return self.refs.refusal(7, updates, Quarantine(self.tree / ".git/objects"))

    def pushed(self, *pairs: tuple[str, str]) -> str:
        """What git says to it; nothing where it took all."""
        specs = [f"+{name}:{ref}" if name else f":{ref}" for name, ref in pairs]
        said = self.run("push", "--porcelain", str(self.server), *specs, check=False)
        return "\n".join(line for line in said.splitlines() if "remote rejected" in line)


@contextmanager
def new_git() -> Iterator[Git]:
    """Where the account may pass; removed after the block."""
    root = Path(tempfile.mkdtemp(prefix="paas-refs-"))
    os.chown(root, ACCOUNT, ACCOUNT)
    try:
        yield Git(root)
    finally:
        shutil.rmtree(root)


@pytest.fixture
def git() -> Iterator[Git]:
    """Made for each test."""
    with new_git() as made:
        yield made


def both_refuse(git: Git, *pairs: tuple[str, str]) -> PaasError:
    """The refusal, of a push that git itself refuses when it is asked afterwards."""
    before = git.run("for-each-ref", at=git.server)
    refused = git.judged(*pairs)
    assert git.run("for-each-ref", at=git.server) == before
    assert list(git.server.glob("**/*.lock")) == []
    assert git.pushed(*pairs), "git took it"
    assert refused is not None
    return refused


def test_what_git_takes_is_taken(git: Git) -> None:
    """A first commit, a next one, history that was rewritten, a tag, a deletion: nothing moves."""
    git.run("commit", "-q", "--allow-empty", "-m", "two")
    git.run("tag", "-a", "v1", "-m", "One")
    git.run("push", "-q", str(git.server), "main:old")
    for pairs in (
        [("HEAD", MAIN)],
        [("HEAD^", MAIN), ("v1", "refs/tags/v1")],
        [("HEAD", "refs/heads/$(id);x"), ("HEAD", "refs/heads/bücher")],
        [("HEAD", MAIN), ("", "refs/heads/old")],
    ):
        assert git.judged(*pairs) is None
        assert git.pushed(*pairs) == ""


def test_an_annotated_tag_is_no_branch(git: Git) -> None:
    """The command that pushes the commit it marks is in the message, and works."""
    git.run("tag", "-a", "v1.0", "-m", "One")
    refused = both_refuse(git, ("v1.0", MAIN))
    assert refused.reference == "not-a-commit"
    assert refused.message.startswith("v1.0 is an annotated tag")
    assert refused.hint is not None
    assert refused.hint.endswith("git push deploy 'v1.0^{}:main'")
    assert git.judged(("v1.0^{}", MAIN)) is None
    assert git.pushed(("v1.0^{}", MAIN)) == ""


def test_a_tag_whose_name_is_a_command_is_not_put_into_one(git: Git) -> None:
    """A tag object names itself as whoever made it likes."""
    text = f"object {git.run('rev-parse', 'HEAD')}\ntype commit\ntag '$(id)\n\nx\n"
    (git.tree / "tag").write_text(text)
    made = git.run("hash-object", "-t", "tag", "-w", "--literally", "tag")
    refused = both_refuse(git, (made, MAIN))
    assert refused.hint is not None
    assert "'TAG^{}:main'" in refused.hint


def test_a_file_or_folder_is_no_branch(git: Git) -> None:
    """There is no commit to name then."""
    (git.tree / "file").write_text("x")
    blob = git.run("hash-object", "-w", "file")
    for name in (blob, "HEAD^{tree}"):
        refused = both_refuse(git, (name, "refs/heads/live"))
        assert "file or a folder" in refused.message
        assert refused.hint == "Push a commit: git push deploy HEAD:refs/heads/live"


@pytest.mark.parametrize("there", ["feature", "feature/x"])
def test_a_branch_in_the_way_of_another(git: Git, there: str) -> None:
    """feature and feature/x, whichever was first; nothing of the push is stored, main included."""
    other = {"feature": "feature/x", "feature/x": "feature"}[there]
    git.run("push", "-q", str(git.server), f"main:refs/heads/{there}")
    refused = both_refuse(git, ("main", MAIN), ("main", f"refs/heads/{other}"))
    assert refused.message.startswith(f"git cannot store {other} beside {there}")
    assert refused.hint is not None
    assert refused.hint.endswith(f"git push deploy --delete {there}")


def test_two_new_branches_in_the_way_of_each_other(git: Git) -> None:
    """Git sees that when it stores the second."""
    refused = both_refuse(git, ("main", "refs/heads/a"), ("main", "refs/heads/a/b"))
    assert refused.reference == "ref-in-the-way"


def test_a_name_that_no_file_can_have(git: Git) -> None:
    """Longer than a file's, or a path's; git says that in as many words."""
    refused = both_refuse(git, ("main", f"refs/heads/{'n' * 254}"))
    assert "File name too long" in refused.message
    refused = both_refuse(git, ("main", "refs/heads/" + "/".join(["n" * 200] * 21)))
    assert len(refused.message) < 600


def test_a_lock_file_that_was_left(git: Git) -> None:
    """By a push that was killed as it moved the ref: each later one would go live and fail."""
    (git.server / "refs/heads/main.lock").touch()
    git.run("commit", "-q", "--allow-empty", "-m", "two")
    updates = [RefUpdate(git.tip(MAIN), git.run("rev-parse", "HEAD"), MAIN)]
    refused = git.refs.refusal(7, updates, Quarantine(git.tree / ".git/objects"))
    assert "remote rejected" in git.run("push", str(git.server), "main", check=False)
    assert refused is not None
    assert refused.message.endswith("its lock file refs/heads/main.lock.")
    assert refused.hint == "The server's administrator can remove it: paas doctor --fix"


def test_a_ref_that_is_damaged(git: Git) -> None:
    """Git advertises it to nobody, and cannot write over it."""
    (git.server / "refs/heads/main").write_text("")
    git.run("commit", "-q", "--allow-empty", "-m", "two")
    updates = [RefUpdate(NO_COMMIT, git.run("rev-parse", "HEAD"), MAIN)]
    refused = git.refs.refusal(7, updates, Quarantine(git.tree / ".git/objects"))
    assert git.pushed(("main", MAIN))
    assert refused is not None
    assert "reference broken" in refused.message


def test_objects_that_belong_to_somebody_else(git: Git) -> None:
    """Root's own git makes folders that the platform's account cannot write to."""
    git.run("commit", "-q", "--allow-empty", "-m", "two")
    commit = git.run("rev-parse", "HEAD")
    place = git.server / "objects" / commit[:2]
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o755)
    refused = both_refuse(git, ("main", MAIN))
    assert str(place) in refused.message


def test_a_push_of_nothing_new(git: Git) -> None:
    """Without a quarantine, since git makes none where no object is sent."""
    git.run("push", "-q", str(git.server), "main:old")
    updates = [RefUpdate(git.tip(MAIN), NO_COMMIT, "refs/heads/old")]
    assert git.refs.refusal(7, updates, Quarantine(git.server / "objects")) is None


def test_the_folders_of_pushed_objects_are_made_before_the_hook_ends(git: Git) -> None:
    """A disk that is full then could hinder git at making them, when the new version is live."""
    git.run("commit", "-q", "--allow-empty", "-m", "two")
    assert git.judged(("main", MAIN)) is None
    objects = git.tree / ".git/objects"
    there = {path.name for path in (git.server / "objects").iterdir()}
    assert {path.name for path in objects.iterdir()} <= there
    assert {path.stat().st_uid for path in (git.server / "objects").iterdir()} == {ACCOUNT}
    assert git.pushed(("main", MAIN)) == ""


def test_a_disk_that_is_full_at_the_trial_is_named(git: Git) -> None:
    """As any full disk, not in git's words about a lock file."""
    git.run("commit", "-q", "--allow-empty", "-m", "two")
    git.judged(("main", MAIN))
    heads = git.server / "refs/heads"
    options = f"size=4k,nr_inodes=1,mode=0755,uid={ACCOUNT}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "paas-test", str(heads)], check=True)
    try:
        refused = git.judged(("main", MAIN))
    finally:
        subprocess.run(["umount", str(heads)], check=True)
    assert refused is not None
    assert refused.reference == "disk-full"
