"""Code that does not come by a push of its own: git:sync, git:from-archive, submodules, Git LFS."""

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.builds.git_https import serving
from tests.e2e.server import Repository, Server, User, run
from tests.e2e.test_pushes import refused
from tests.e2e.tiny import Files, program, refs, releases, tiny
from tests.waiting import wait_for

MakeRepository = Callable[[Files], Repository]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, Path]]:
    """A git server elsewhere: its directory, its address, its certificate."""
    root = tmp_path_factory.mktemp("shelf")
    with serving(root) as (address, certificate):
        yield root, address, certificate


@pytest.fixture
def trusting(
    new_server: Callable[..., Server], shelf: tuple[Path, str, Path]
) -> tuple[Server, User]:
    """A server that trusts that one, and a user."""
    certificate = str(shelf[2])
    made = new_server(build_env={"GIT_SSL_CAINFO": certificate, "CURL_CA_BUNDLE": certificate})
    return made, made.user("alice")


def publish(shelf: tuple[Path, str, Path], name: str, repository: Repository) -> str:
    """Put a repository on the server elsewhere; its address."""
    bare = shelf[0] / f"{name}.git"
    if not bare.exists():
        run(["git", "clone", "-q", "--bare", str(repository.path), str(bare)])
    repository.git("push", "-q", "--force", str(bare), "HEAD:main")
    return f"{shelf[1]}/{name}.git"


def add_submodule(repository: Repository, path: str, url: str, commit: str) -> None:
    """Record a submodule, without fetching it."""
    repository.commit({".gitmodules": f'[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n'})
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")
    repository.git("commit", "-q", "-m", "A submodule")


def pipe(user: User, command: str, content: bytes) -> subprocess.CompletedProcess[str]:
    """Run a command over ssh with bytes on its standard input."""
    argv = [*user.ssh_argv(), "paas@127.0.0.1", command]
    done = subprocess.run(argv, input=content, capture_output=True, timeout=150, check=False)
    text = done.stdout.decode() + done.stderr.decode()
    return subprocess.CompletedProcess(argv, done.returncode, text)


def test_sync_submodules_and_an_archive(
    trusting: tuple[Server, User],
    shelf: tuple[Path, str, Path],
    repository: MakeRepository,
    tmp_path: Path,
) -> None:
    """One app's code by each way after the other; a push continues from there."""
    server, alice = trusting
    library = repository({"text.txt": "of a submodule"})
    library_url = publish(shelf, "library", library)
    read = "body = open('lib/text.txt', 'rb').read()"
    source = repository(tiny())
    content = (source.path / "serve.py").read_text().replace('body = b"v1"', read)
    source.commit({"serve.py": content})
    head = library.git("rev-parse", "HEAD").stdout.strip()
    add_submodule(source, "lib", library_url, head)
    url = publish(shelf, "shop", source)
    alice.ssh("apps:create", "shop")

    told = alice.ssh("git:sync", "shop", url).stderr
    assert "not deployed" in told
    commit = source.git("rev-parse", "HEAD").stdout.strip()
    assert refs(server, "shop") == {"refs/heads/main": commit}
    assert releases(server, "shop") == []

    told = alice.ssh("git:sync", "--build", "-a", "shop", url).stderr
    assert "Fetching submodules" in told
    assert f"lib: {head[:8]} of {library_url}" in told
    assert server.get("shop").text == "of a submodule"
    assert "is already live" in alice.ssh("git:sync", "--build-if-changes", "shop", url).stderr
    assert len(releases(server, "shop")) == 1

    archive = subprocess.run(
        ["git", "archive", "--format=tar.gz", "--prefix=app-1.0/", "HEAD~3"],
        cwd=source.path,
        capture_output=True,
        check=True,
    ).stdout
    done = pipe(alice, "git:from-archive -a shop -", archive)
    assert done.returncode == 0, done.stdout
    assert server.get("shop").text == "v1"
    (shelf[0] / "app.zip").write_bytes(b"PK\5\6" + bytes(18))
    done = pipe(alice, f"git:from-archive shop {shelf[1]}/app.zip", b"")
    assert done.returncode == 1, done
    assert "The archive has no files" in done.stdout

    # What came otherwise is the app's history like any other.
    clone = Repository(tmp_path / "clone")
    url = alice.git_url("shop")
    run(["git", "clone", "-q", url, str(clone.path)], env=alice.git_env())
    assert clone.git("log", "--format=%an").stdout.splitlines()[0] == "alice"
    clone.commit(tiny("pushed on top"))
    alice.push(clone, "shop")
    assert server.get("shop").text == "pushed on top"
    wait_for(
        lambda: list((server.state / "fetches").iterdir()) == [], what="the end of what was fetched"
    )


def test_what_is_not_fetched(server: Server, alice: User) -> None:
    """Another's app, an address that is none, a bad archive: refused with the reason and status."""
    alice.ssh("apps:create", "unfetched")
    server.user("carol")
    for words, status, told in (
        (("git:sync", "unfetched", "git@github.com:-x/y.git"), 2, "must begin with https://"),
        (("git:sync", "unfetched", "https://h/x.git", "--", "-u"), 2, "not a branch"),
        (("git:sync", "unknown-app", "https://h/x.git"), 20, "no app 'unknown-app'"),
        (("git:from-archive", "unfetched", "file:///etc/passwd"), 2, "must begin with https://"),
    ):
        done = alice.ssh(*words, check=False)
        assert (done.returncode, told in done.stderr) == (status, True), (words, done.stderr)
    done = pipe(alice, "git:from-archive unfetched --", b"<html>")
    assert done.returncode == 1, done
    assert "begins with '<html>'" in done.stdout
    assert refs(server, "unfetched") == {}


def test_lfs_pointers_are_refused_until_the_app_wants_them(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """Each is named, nothing is built; with Git LFS's own variable it is, as it is."""
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "a" * 64 + "\nsize 9\n"
    pushed = repository(tiny(**{"static/logo.png": pointer}))
    alice.ssh("apps:create", "pointers")

    told = refused(alice, pushed, "pointers")

    assert "the commit has only pointers: static/logo.png" in told
    assert "git lfs push --all deploy" in told
    assert "app detected" not in told
    alice.ssh("config:set", "-a", "pointers", "GIT_LFS_SKIP_SMUDGE=1")
    alice.push(pushed, "pointers")
    assert server.get("pointers").text == "v1"


def test_lfs_content_comes_over_the_same_remote(
    server: Server, alice: User, bob: User, repository: MakeRepository
) -> None:
    """As git-lfs sends it, before git pushes the pointer; only to the app's owner."""
    oid = hashlib.sha256(b"from LFS").hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 8\n"
    sent = [f"put-object {oid}\n", "size=8\n", None, "from LFS", "", "quit\n", ""]
    text = "".join("0001" if s is None else f"{len(s) + 4:04x}{s}" if s else "0000" for s in sent)

    alice.ssh("apps:create", "large")
    refused_one = bob.ssh("git-lfs-transfer large upload", stdin=text, check=False)
    assert (refused_one.returncode, "no app 'large'" in refused_one.stderr) == (20, True)
    told = alice.ssh("git-lfs-authenticate large upload", check=False)
    assert (told.returncode, "Git LFS 3.0 or later" in told.stderr) == (2, True)
    answer = alice.ssh("git-lfs-transfer '/large.git' upload", stdin=text).stdout
    assert answer.count("status 200") == 2
    serve = program("x").replace('b"x"', "open('big.txt', 'rb').read()")
    alice.push(repository(tiny(**{"serve.py": serve, "big.txt": pointer})), "large")

    assert server.get("large").text == "from LFS"


def test_folder_that_is_a_repository_is_refused(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """Its files were never pushed; the message has the commands that fix it."""
    pushed = repository(tiny())
    commit = pushed.git("rev-parse", "HEAD").stdout.strip()
    pushed.git("update-index", "--add", "--cacheinfo", f"160000,{commit},vendor/lib")
    pushed.git("commit", "-q", "-m", "A repository in the repository")
    alice.ssh("apps:create", "nested")

    told = refused(alice, pushed, "nested")

    assert "'vendor/lib' is a separate git repository inside yours" in told
    assert "git rm --cached 'vendor/lib'" in told


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("-u./x", "gitmodulesUrl: disallowed submodule url: -u./x"),
        ("ext::sh -c id", "The submodule 'x' has the address 'ext::sh -c id'"),
        ("file:///etc", "The submodule 'x' has the address 'file:///etc'"),
        ("../sibling.git", "The submodule 'x' has the address '../sibling.git': it is relative"),
    ],
)
def test_submodule_with_a_wrong_address_is_refused(
    server: Server, alice: User, repository: MakeRepository, url: str, why: str
) -> None:
    """By git's own check of what is pushed, or by ours, before anything is fetched."""
    app = f"modules-{len(url)}"
    alice.ssh("apps:create", app)
    pushed = repository(tiny())
    commit = pushed.commit({".gitmodules": f'[submodule "x"]\n\tpath = x\n\turl = {url}\n'})
    pushed.git("update-index", "--add", "--cacheinfo", f"160000,{commit},x")
    pushed.git("commit", "-q", "-m", "A submodule")

    told = refused(alice, pushed, app)

    assert why in told
    assert "uid=" not in told
    assert "app detected" not in told
