"""Submodules, fetched by https in the sandbox."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from paas.adapters.builds.submodules import SandboxSubmodules
from paas.domain.git.credentials import NO_ACCESS, FetchAccess
from paas.domain.values.errors import PaasError
from paas.entrypoints.fetcher.submodules import Limits, Tree
from tests.contract.builds.importing import APP, MIB, Desk, commit, files_in, git, published

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root")


def fill(
    desk: Desk, gitmodules: str, links: Mapping[str, str], access: FetchAccess = NO_ACCESS
) -> dict[str, bytes]:
    """Fetch submodules into a new tree; its files."""
    tree = desk.settings.state / "builds/tree"
    tree.mkdir()
    (tree / ".gitmodules").write_text(gitmodules)
    for path in (tree, tree / ".gitmodules"):
        os.chown(path, APP.uid, APP.uid)
    submodules = SandboxSubmodules(desk.settings)
    submodules.fetch(APP, tree, links, access, desk.hear, lambda: None)
    found = files_in(tree)
    assert {path.stat().st_uid for path in tree.rglob("*")} == {APP.uid}
    del found[".gitmodules"]
    return found


def declared(path: str, url: str) -> str:
    return f'[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n'


def test_submodules_are_fetched_at_their_commits(desk: Desk, tmp_path: Path) -> None:
    """Also one that is no tip, and those of a submodule."""
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    recorded = commit(inner, {"deep.txt": "then"})
    commit(inner, {"deep.txt": "now"})
    inner_url = published(desk, "inner", inner)
    commit(outer, {"lib.py": "x = 1", ".gitmodules": declared("deep", inner_url)})
    git(outer, "update-index", "--add", "--cacheinfo", f"160000,{recorded},deep")
    git(outer, "commit", "-q", "-m", "A submodule")
    outer_url = published(desk, "outer", outer)
    tip = git(outer, "rev-parse", "HEAD")
    found = fill(desk, declared("vendor/outer", outer_url), {"vendor/outer": tip})
    del found["vendor/outer/.gitmodules"]
    assert found == {"vendor/outer/lib.py": b"x = 1", "vendor/outer/deep/deep.txt": b"then"}


def test_one_repository_at_a_time_is_on_the_disk(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a hundred of the largest would fill it."""
    work = tmp_path / "work"
    tip = commit(work, {"x": "1"})
    url = published(desk, "work", work)
    tree, out = tmp_path / "tree", tmp_path / "out"
    tree.mkdir()
    out.mkdir()
    (tree / ".gitmodules").write_text(declared("a", url) + declared("b", url))
    for name, value in desk.settings.build_env.items():
        monkeypatch.setenv(name, value)
    Tree(tree, out, Limits(10, MIB)).fill({"a": tip, "b": tip})
    assert [path.name for path in out.iterdir()] == ["none.git"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("-u./x", "only https:// addresses"),
        ("ext::sh -c id", "only https:// addresses"),
        ("file:///etc", "only https:// addresses"),
        ("git@github.com:x/y.git", "only https:// addresses"),
        ("../other.git", "it is relative"),
        ("https://alice:secret@example.com/x.git", "a user or a password"),
        ("", "only https:// addresses"),
    ],
)
def test_a_submodule_s_wrong_address_is_refused(desk: Desk, url: str, words: str) -> None:
    """With the submodule's name and why; a password is not repeated."""
    with pytest.raises(PaasError, match=words) as raised:
        fill(desk, declared("vendor/lib", url), {"vendor/lib": "1" * 40})
    assert raised.value.reference == "submodule-url"
    assert "'vendor/lib'" in raised.value.message
    assert "secret" not in raised.value.message


def test_a_submodule_s_own_wrong_address_is_refused(desk: Desk, tmp_path: Path) -> None:
    """One level down."""
    work = tmp_path / "work"
    head = commit(work, {".gitmodules": declared("deep", "file:///etc")})
    git(work, "update-index", "--add", "--cacheinfo", f"160000,{head},deep")
    git(work, "commit", "-q", "-m", "A submodule")
    url = published(desk, "outer", work)
    with pytest.raises(PaasError, match="'deep' has the address 'file:///etc'"):
        fill(desk, declared("lib", url), {"lib": git(work, "rev-parse", "HEAD")})


def test_a_submodule_that_cannot_be_had_is_named(desk: Desk, tmp_path: Path) -> None:
    """One that is in no .gitmodules, one whose commit was never pushed, one without end."""
    with pytest.raises(PaasError, match="'vendor/lib' is a separate git repository inside yours"):
        fill(desk, "", {"vendor/lib": "1" * 40})
    (desk.settings.state / "builds/tree/.gitmodules").unlink()
    (desk.settings.state / "builds/tree").rmdir()
    work = tmp_path / "work"
    commit(work, {"x": "1"})
    url = published(desk, "lib", work)
    with pytest.raises(PaasError, match="'lib' is recorded at 11111111, which"):
        fill(desk, declared("lib", url), {"lib": "1" * 40})


def test_submodules_above_the_limit_are_refused(desk: Desk, tmp_path: Path) -> None:
    """By number of files."""
    work = tmp_path / "work"
    tip = commit(work, {f"f{n}": "" for n in range(51)})
    url = published(desk, "lib", work)
    with pytest.raises(PaasError, match="makes the app too large"):
        fill(desk, declared("lib", url), {"lib": tip})


def test_too_many_submodules_are_refused_at_once(desk: Desk) -> None:
    """Also more than a command line could hold."""
    links = {f"{'long' * 40}/{n}": "1" * 40 for n in range(2000)}
    modules = "".join(declared(path, f"{desk.address}/none.git") for path in links)
    with pytest.raises(PaasError, match="at most 100"):
        fill(desk, modules, links)
