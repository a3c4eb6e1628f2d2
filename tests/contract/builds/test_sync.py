"""Commits of git repositories elsewhere, fetched by https in the sandbox."""

import os
from pathlib import Path

import pytest

from paas.domain.values.errors import PaasError
from tests.contract.builds.importing import APP, MIB, Desk, commit, git, published

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root")


def test_a_repository_is_fetched_and_then_only_what_is_new(desk: Desk, tmp_path: Path) -> None:
    """The app's repository gets history and branch, owned by the platform's account, and is whole;
    nothing else is left."""
    work = tmp_path / "work"
    first = commit(work, {"app.py": "1", "big.bin": os.urandom(200_000).hex()})
    url = published(desk, "shop", work)
    assert desk.sync(url) == first
    second = commit(work, {"app.py": "2"})
    published(desk, "shop", work)
    assert desk.sync(url) == second
    assert desk.sync(url) == second
    assert desk.git("log", "--format=%H", "main").split() == [second, first]
    desk.git("fsck", "--strict", "--no-dangling")
    objects = desk.repository.path(APP.id) / "objects"
    packs = sorted(path.stat().st_size for path in objects.glob("pack/*.pack"))
    assert len(packs) == 2
    assert packs[0] < 10_000 < packs[1]
    uid = APP.uid + 20_000
    assert {path.stat().st_uid for path in objects.rglob("*")} == {uid}
    assert desk.repository.remove_partial(APP.id) == 0
    assert list((desk.settings.state / "fetches").iterdir()) == []


def test_a_branch_a_tag_and_a_commit_can_be_named(desk: Desk, tmp_path: Path) -> None:
    """Also a commit that is no tip."""
    work = tmp_path / "work"
    first = commit(work, {"app.py": "1"})
    git(work, "tag", "-m", "One", "v1")
    second = commit(work, {"app.py": "2"})
    git(work, "switch", "-q", "-c", "topic")
    third = commit(work, {"app.py": "3"})
    git(work, "switch", "-q", "main")
    url = published(desk, "shop", work)
    assert desk.sync(url) == second
    assert desk.sync(url, "topic") == third
    assert desk.sync(url, "v1") == first
    assert desk.sync(url, second) == second


def test_what_cannot_be_fetched_is_told(desk: Desk, tmp_path: Path) -> None:
    """No such repository, no such ref, and a pack above the limit; the branch stays."""
    work = tmp_path / "work"
    commit(work, {"app.py": "1"})
    url = published(desk, "shop", work)
    head = desk.sync(url)
    for address, ref, words in (
        (f"{desk.address}/none.git", None, "none.git could not be fetched"),
        (url, "nowhere", "nowhere of"),
        (url, "0" * 39 + "1", "could not be fetched"),
    ):
        with pytest.raises(PaasError, match=words) as raised:
            desk.sync(address, ref)
        assert raised.value.reference == "not-fetched"
    (work / "noise").write_bytes(os.urandom(6 * MIB))
    commit(work, {})
    published(desk, "shop", work)
    with pytest.raises(PaasError, match="larger than the server accepts"):
        desk.sync(url)
    assert desk.repository.head(APP.id, "main") == head


def test_a_repository_with_a_hostile_tree_is_refused(desk: Desk, tmp_path: Path) -> None:
    """As a push of it is: a tree with .git in it."""
    work = tmp_path / "work"
    commit(work, {"app.py": "1"})
    blob = git(work, "rev-parse", "HEAD:app.py")
    (work / "object").write_bytes(b"100644 .git\0" + bytes.fromhex(blob))
    tree = git(work, "hash-object", "-t", "tree", "-w", "--literally", "object")
    crafted = git(work, "commit-tree", "-m", "Crafted", tree)
    git(work, "update-ref", "refs/heads/main", crafted)
    with pytest.raises(PaasError, match="hasDotgit"):
        desk.sync(published(desk, "shop", work))
    assert desk.repository.head(APP.id, "main") is None


def test_what_an_interrupted_fetch_left_is_cleared(desk: Desk) -> None:
    """Its directories, and its processes; once."""
    for name in ("1", "1-submodules", "2"):
        (desk.settings.state / "fetches" / name).mkdir(parents=True)
    assert desk.importer.clear(APP.id)
    assert not desk.importer.clear(APP.id)
    assert [path.name for path in (desk.settings.state / "fetches").iterdir()] == ["2"]
