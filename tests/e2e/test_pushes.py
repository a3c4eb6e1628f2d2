"""What may be pushed, and what a hostile or broken push leads to."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.server import Repository, Server, User, run
from tests.e2e.tiny import program, refs, releases, tiny

MakeRepository = Callable[..., Repository]


def refused(user: User, repository: Repository, app: str, refspec: str = "main") -> str:
    """What git push tells; asserts that it failed and moved no ref on the server."""
    before = refs(user.server, app)
    done = user.push(repository, app, refspec=refspec, check=False)
    assert done.returncode == 1, done.stdout
    assert refs(user.server, app) == before
    return done.stdout


def commit_tree(repository: Repository, tree: str) -> str:
    """A commit of a tree that git itself would not make, as the branch main."""
    commit = repository.git("commit-tree", "-m", "Crafted", "-p", "main", tree).stdout.strip()
    repository.git("update-ref", "refs/heads/main", commit)
    return commit


def add_object(repository: Repository, kind: str, content: bytes) -> str:
    """Store an object without any check of git's."""
    path = repository.path / "object"
    path.write_bytes(content)
    argv = ("hash-object", "-t", kind, "-w", "--literally", "object")
    return repository.git(*argv).stdout.strip()


def test_other_branches_and_tags_are_stored_and_told(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """Neither goes live; the message says how a branch would."""
    pushed = repository(tiny("from main"))
    alice.push(pushed, "topics")
    pushed.git("switch", "-q", "-c", "topic")
    topic = pushed.commit({"serve.py": program("from a topic")})
    pushed.git("tag", "-m", "One", "v1.0")

    told = alice.push(pushed, "topics", "--follow-tags", refspec="topic").stdout

    assert "Stored topic; not deployed, as only main is" in told
    assert "To deploy it: git push deploy topic:main" in told
    assert "Stored v1.0; not deployed, as only main is" in told
    assert "To deploy it: git push deploy 'v1.0^{}:refs/heads/main'" in told
    assert server.get("topics").text == "from main"
    assert refs(server, "topics")["refs/heads/topic"] == topic
    told = alice.push(pushed, "topics", refspec=":topic").stdout
    assert "Deleted topic" in told
    assert "refs/heads/topic" not in refs(server, "topics")


def test_branch_beside_the_deploy_branch(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """A push of main and another branch at once deploys the one and stores the other."""
    pushed = repository(tiny("both"))
    pushed.git("branch", "topic")

    told = alice.push(pushed, "sidecar", "--all", refspec="--").stdout

    assert "Stored topic" in told
    assert server.get("sidecar").text == "both"
    assert set(refs(server, "sidecar")) == {"refs/heads/main", "refs/heads/topic"}


def test_deletion_of_the_deploy_branch_is_refused(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """With the command that removes the app, which may be what was meant."""
    alice.push(repository(tiny()), "kept")

    told = refused(alice, repository(tiny()), "kept", ":main")

    assert "The deploy branch cannot be deleted" in told
    assert "paas apps:destroy kept --confirm kept" in told
    assert server.get("kept").text == "v1"


def test_two_deploy_branches_at_once_are_refused(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """main and master in one push: neither is taken."""
    pushed = repository(tiny())
    alice.ssh("apps:create", "twins")
    pushed.git("branch", "master")

    done = alice.push(pushed, "twins", "--all", refspec="--", check=False)

    assert done.returncode == 1
    assert "two deploy branches, main and master" in done.stdout
    assert refs(server, "twins") == {}


def test_force_push_is_a_new_release(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """Rewritten history is allowed when it is forced, and only then."""
    pushed = repository(tiny("first"))
    alice.push(pushed, "rewritten")
    pushed.git("commit", "-q", "--amend", "-m", "Rewritten")
    amended = pushed.git("rev-parse", "HEAD").stdout.strip()
    assert "rejected" in refused(alice, pushed, "rewritten")

    alice.push(pushed, "rewritten", "--force")

    assert refs(server, "rewritten") == {"refs/heads/main": amended}
    assert [row[:2] for row in releases(server, "rewritten")] == [
        (2, "succeeded"),
        (1, "succeeded"),
    ]


def test_ref_with_shell_characters(server: Server, alice: User, repository: MakeRepository) -> None:
    """A branch named $(id);x is a branch like others: stored, told, and run by nobody."""
    pushed = repository(tiny())
    alice.push(pushed, "shelly")

    told = alice.push(pushed, "shelly", refspec="main:refs/heads/$(id);x").stdout

    assert "Stored $(id);x" in told
    assert "uid=" not in told
    assert "refs/heads/$(id);x" in refs(server, "shelly")


@pytest.mark.parametrize("name", [".git", ".GIT", "..", "a/b"])
def test_tree_with_a_forbidden_name(
    server: Server, alice: User, repository: MakeRepository, name: str
) -> None:
    """An entry named .git, or one that leads elsewhere, is refused before anything is written."""
    app = f"crafted-{len(name)}-{name.encode().hex()}"[:30]
    pushed = repository(tiny())
    alice.push(pushed, app)
    blob = pushed.git("rev-parse", "main:serve.py").stdout.strip()
    entry = b"100644 " + name.encode() + b"\0" + bytes.fromhex(blob)
    commit_tree(pushed, add_object(pushed, "tree", entry))

    told = refused(alice, pushed, app)

    assert "-----> Python app detected" not in told
    assert " !     git's checks refuse this push: a folder in it has a name" in told
    assert server.get(app).text == "v1"


def test_empty_tree(server: Server, alice: User, repository: MakeRepository) -> None:
    """A commit without files."""
    alice.push(repository(tiny()), "hollow")
    pushed = repository({})

    done = alice.push(pushed, "hollow", "--force", check=False)

    assert done.returncode == 1
    assert "The commit has no files" in done.stdout
    assert server.get("hollow").text == "v1"


def test_procfile_that_is_a_link_is_not_followed(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """A link to /etc/shadow is reported as not a file; none of its content is shown."""
    alice.push(repository(tiny()), "linked")
    pushed = repository(tiny())
    (pushed.path / "Procfile").unlink()
    (pushed.path / "Procfile").symlink_to("/etc/shadow")
    pushed.commit()

    done = alice.push(pushed, "linked", "--force", check=False)

    assert done.returncode == 1
    assert "Procfile must be a plain file, not a link or a folder" in done.stdout
    assert "root:" not in done.stdout
    assert server.get("linked").text == "v1"


def test_shallow_clone_is_refused_before_the_build(
    server: Server, alice: User, repository: MakeRepository, tmp_path: Path
) -> None:
    """The message has the command that completes the clone, and after it the push works."""
    origin = repository(tiny())
    origin.commit({"serve.py": program("v2")})
    shallow = Repository(tmp_path / "shallow")
    run(["git", "clone", "-q", "--depth=1", f"file://{origin.path}", str(shallow.path)])
    alice.ssh("apps:create", "shallow")

    told = refused(alice, shallow, "shallow")
    assert "This is a push from a shallow clone" in told
    assert "git fetch --unshallow" in told
    assert "app detected" not in told

    shallow.git("fetch", "-q", "--unshallow")
    alice.push(shallow, "shallow")
    assert server.get("shallow").text == "v2"


def test_pack_above_the_limit(strict: Server, repository: MakeRepository) -> None:
    """The transfer ends at the limit; the old version stays, and a small push works again."""
    user = strict.user("alice")
    pushed = repository(tiny())
    user.push(pushed, "bulky")
    pushed.commit({"noise.bin": os.urandom(1_500_000)})
    told = refused(user, pushed, "bulky")
    assert "exceeds maximum allowed size" in told
    assert " !     This push is larger than the 1 MiB that the server takes" in told
    assert strict.get("bulky").text == "v1"

    pushed.git("reset", "-q", "--hard", "HEAD~1")
    pushed.commit({"serve.py": program("v2")})
    user.push(pushed, "bulky")
    assert strict.get("bulky").text == "v2"


def test_repository_of_sha256(
    server: Server, alice: User, repository: MakeRepository, tmp_path: Path
) -> None:
    """git says that the server cannot take it; the server says why, and how it can, over ssh."""
    pushed = Repository(tmp_path / "sha256")
    run(["git", "init", "-q", "-b", "main", "--object-format=sha256", str(pushed.path)])
    pushed.commit(tiny("by sha256"))
    for number in range(5):
        told = alice.push(pushed, f"longhash-{number}", check=False).stdout
        assert " !     git ended this push before it sent anything.\n" in told
    alice.push(repository(tiny()), "longhash")

    told = alice.push(pushed, "longhash", check=False).stdout

    assert "hash algorithm" in told.partition(" !     ")[0]
    assert " !     git ended this push before it sent anything.\n" in told
    (command,) = [line for line in told.splitlines() if "fast-import" in line]
    run(["bash", "-c", command.removeprefix(" !     ")], cwd=pushed.path)
    alice.push(Repository(tmp_path / "with-sha1"), "longhash", "--force")
    assert server.get("longhash").text == "by sha256"


def test_blob_that_expands_beyond_the_limit(strict: Server, repository: MakeRepository) -> None:
    """16 MiB of zeros are a small pack; the limit is on what would be written out."""
    user = strict.user("alice")
    pushed = repository(tiny())
    user.push(pushed, "bomb")
    pushed.commit({"zeros.bin": bytes(16 * 1024**2)})

    told = refused(user, pushed, "bomb")

    assert "the limit is 8 MiB in all (setting max_tree_mib)" in told
    assert strict.get("bomb").text == "v1"


def test_too_many_files(strict: Server, repository: MakeRepository) -> None:
    """More files than the limit are refused, and the limit's setting is named."""
    user = strict.user("alice")
    pushed = repository(tiny())
    user.push(pushed, "crowd")
    pushed.commit({f"many/{number}": "" for number in range(200)})

    told = refused(user, pushed, "crowd")

    assert "the limit is 100 files (setting max_tree_files)" in told
    assert strict.get("crowd").text == "v1"


def test_an_annotated_tag_is_refused_before_the_build(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """Never built, live, and then refused; the command in the message deploys it."""
    pushed = repository(tiny("before"))
    alice.push(pushed, "tagged")
    pushed.commit({"serve.py": program("after")})
    pushed.git("tag", "-a", "v1", "-m", "One")

    told = refused(alice, pushed, "tagged", "v1:main")

    assert "v1 is an annotated tag" in told
    assert "git push deploy 'v1^{}:main'" in told
    assert "Releasing" not in told
    assert server.get("tagged").text == "before"
    assert "Live" in alice.push(pushed, "tagged", refspec="v1^{}:main").stdout
    assert server.get("tagged").text == "after"


def test_a_branch_that_git_cannot_store_is_refused_before_the_build(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """git push --all: main would go live and the other be refused."""
    pushed = repository(tiny("before"))
    alice.push(pushed, "beside")
    alice.push(pushed, "beside", refspec="main:feature")
    pushed.git("branch", "feature/x")
    pushed.commit({"serve.py": program("after")})

    before = refs(server, "beside")
    done = alice.push(pushed, "beside", "--all", refspec="--", check=False)

    assert done.returncode == 1
    assert "git cannot store feature/x beside feature" in done.stdout
    assert (refs(server, "beside"), server.get("beside").text) == (before, "before")


def test_any_way_to_name_a_commit_is_deployed(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """A detached head, another branch, all branches, a mirror, tags along with it; and what HEAD
    of the server's repository names may be deleted where another branch is deployed."""
    pushed = repository(tiny("0"))
    ways = (
        ("main", ()),
        ("HEAD:main", ()),
        ("feature/x:main", ()),
        ("--", ("--all",)),
        ("main", ("--follow-tags",)),
        ("--", ("--mirror",)),
    )
    for number, (refspec, options) in enumerate(ways, start=1):
        pushed.git("checkout", "-q", "main")
        pushed.commit({"serve.py": program(str(number))})
        pushed.git("tag", "-a", f"v{number}", "-m", "x")
        pushed.git("branch", "-f", "feature/x")
        pushed.git("checkout", "-q", "--detach")
        assert "Live" in alice.push(pushed, "ways", *options, refspec=refspec).stdout
        assert server.get("ways").text == str(number)
    alice.ssh("git:set", "-a", "ways", "deploy-branch", "feature/x")
    alice.push(pushed, "ways", refspec=":main")
    assert "refs/heads/main" not in refs(server, "ways")
