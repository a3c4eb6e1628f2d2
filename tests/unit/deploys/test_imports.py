"""git:sync and git:from-archive: what is fetched, deployed, and where the branch then is."""

import io
from pathlib import Path

import pytest

from paas.domain.git.refs import NO_COMMIT, RefUpdate
from paas.domain.git.sources import (
    GitSource,
    archive_message,
    archive_url,
    check_submodule_url,
    git_source,
)
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName, branch_name
from paas.interfaces import Archive
from paas.services.deploys.imports import Building
from tests.fakes.world import ROOT, World

URL = "https://example.com/shop.git"
NEW = "c" * 40


@pytest.fixture
def world(in_memory: Path) -> World:
    made = World(in_memory)
    made.app()
    return made


def sync(world: World, building: Building, ref: str | None = None) -> None:
    source = GitSource(URL, ref)
    world.imports.sync(ROOT, "shop", source, building, world.progress)


def live_commit(world: World) -> str | None:
    app = world.store.apps.by_id(1)
    release = world.store.releases.find(1, app.current) if app and app.current else None
    slug = world.store.slugs.find(release.slug_id) if release and release.slug_id else None
    return slug.commit if slug else None


def test_a_sync_without_build_only_moves_the_branch(world: World) -> None:
    """As Dokku's; it says how to deploy."""
    sync(world, Building.NEVER)
    assert world.importer.kept == {(1, "main"): NEW}
    assert live_commit(world) is None
    assert "add --build" in world.progress.lines[-1]
    assert world.importer.open == 0


def test_a_sync_with_build_deploys_and_then_moves_the_branch(world: World) -> None:
    """What was fetched is gone, and kept, before the caller gets its answer."""
    answered: list[tuple[int, dict[tuple[int, str], str]]] = []

    def note() -> None:
        answered.append((world.importer.open, dict(world.importer.kept)))

    world.progress.when_live = note
    source = GitSource(URL, None)
    world.imports.sync(ROOT, "shop", source, Building.ALWAYS, world.progress)
    assert answered == [(0, {(1, "main"): NEW})]
    assert live_commit(world) == NEW


def test_a_sync_whose_build_fails_changes_nothing(world: World) -> None:
    """Neither the branch nor what is live."""
    world.push()
    world.builder.failure = PaasError("build-failed", "No.")
    with pytest.raises(PaasError, match="No"):
        sync(world, Building.ALWAYS)
    assert world.importer.kept == {}
    assert world.importer.open == 0
    assert live_commit(world) == "a" * 40


def test_a_branch_that_git_would_not_move_is_not_built_for(world: World) -> None:
    """A lock file that was left, a branch in its way: known before the build."""
    world.refs.will = PaasError("ref-locked", "git could not move the branch.")
    with pytest.raises(PaasError, match="could not move"):
        sync(world, Building.ALWAYS)
    assert world.refs.asked == [RefUpdate(NO_COMMIT, NEW, "refs/heads/main")]
    assert (world.importer.kept, live_commit(world)) == ({}, None)


def test_if_changed_builds_what_is_not_live(world: World) -> None:
    """Also when the branch is there already."""
    sync(world, Building.NEVER)
    sync(world, Building.IF_CHANGED)
    assert live_commit(world) == NEW
    builds = len(world.store.builds.of_app(1))
    sync(world, Building.IF_CHANGED)
    assert len(world.store.builds.of_app(1)) == builds
    assert "is already live" in world.progress.lines[-1]


def test_the_app_s_deploy_branch_is_what_is_fetched_and_moved(world: World) -> None:
    """Where one was chosen; a ref that is named is fetched in its place."""
    world.store.apps.set_deploy_branch(1, branch_name("production"))
    world.repository.heads["production"] = "b" * 40
    sync(world, Building.NEVER)
    sync(world, Building.NEVER, "v1.0")
    assert world.importer.kept == {(1, "production"): NEW}
    assert world.importer.asked == [
        (GitSource(URL, "production"), "b" * 40),
        (GitSource(URL, "v1.0"), "b" * 40),
    ]


def test_an_app_with_master_keeps_it(world: World) -> None:
    """Two deploy branches would be one too many."""
    world.repository.heads["master"] = "b" * 40
    sync(world, Building.NEVER)
    assert world.importer.kept == {(1, "master"): NEW}


def test_a_locked_app_can_be_synced_but_not_built(world: World) -> None:
    """And nothing is fetched in vain."""
    world.maintenance.lock(ROOT, "shop", "")
    with pytest.raises(PaasError, match="locked"):
        sync(world, Building.ALWAYS)
    assert world.importer.asked == []
    sync(world, Building.NEVER)


def test_a_sync_waits_for_a_push(world: World) -> None:
    """They would move the same branch; the message names what it waits for."""
    world.locks.pushed.add(1)
    sync(world, Building.NEVER)
    assert any(
        "Waiting: bob pushes. This command runs after that." in line
        for line in world.progress.lines
    )
    assert world.importer.kept == {(1, "main"): NEW}
    assert world.locks.pushed == set()


def test_an_archive_is_always_deployed(world: World) -> None:
    """On top of what the branch has."""
    world.repository.heads["main"] = "b" * 40
    archive = Archive(io.BytesIO(b"tar"), None, "root <root@localhost>", "An archive")
    world.imports.unpack(ROOT, "shop", archive, world.progress)
    assert world.importer.asked == [(archive, "b" * 40)]
    assert live_commit(world) == NEW
    assert world.importer.kept == {(1, "main"): NEW}


def test_submodules_are_fetched_before_the_build(world: World) -> None:
    """And one that cannot be had rejects the push."""
    world.repository.submodules = {"vendor/lib": "d" * 40}
    world.push()
    assert world.submodules.fetched == {"vendor/lib": "d" * 40}
    world.submodules.failure = PaasError("submodule-url", "The submodule 'vendor/lib' ...")
    world.builder.used = ["untouched"]
    with pytest.raises(PaasError, match="vendor/lib"):
        world.push(commit="b" * 40)
    assert world.builder.used == ["untouched"]


def test_lfs_pointers_are_refused_with_their_names(world: World) -> None:
    """Some of them, and how many more, before anything is built."""
    world.repository.lfs_pointers = tuple(f"img/{n}.png" for n in range(7))
    with pytest.raises(
        PaasError, match=r"7 files .* img/0.png, .*, img/4.png and 2 more"
    ) as raised:
        world.push()
    assert raised.value.reference == "lfs-pointers"
    assert "git lfs migrate export" in (raised.value.hint or "")
    assert not any("Fake app detected" in line for line in world.progress.lines)


def test_lfs_pointers_are_built_where_the_app_says_so(world: World) -> None:
    """By Git LFS's own variable."""
    values = {VarName("GIT_LFS_SKIP_SMUDGE"): "1"}
    world.config.set(ROOT, "shop", values, world.progress)
    world.repository.lfs_pointers = ("img/a.png",)
    world.push()
    assert live_commit(world) == "a" * 40
    assert any("Built with Git LFS pointers" in line for line in world.progress.lines)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("git@example.com:-x.git", "must begin with https"),
        ("git@-oProxyCommand=id:x.git", "must begin with https"),
        ("file:///etc", "must begin with https"),
        ("ext::sh -c id", "must begin with https"),
        ("--upload-pack=id", "must begin with https"),
        ("https://alice:secret@example.com/x.git", "a user or a password"),
        ("https://example.com/x.git\n", "characters that are not allowed"),
        ("https://example.com/../x.git", "characters that are not allowed"),
        ("https://-x/y", "characters that are not allowed"),
    ],
)
def test_addresses_that_are_not_fetched(url: str, words: str) -> None:
    """Are refused with the reason, and never with a password in it."""
    for check in (lambda: git_source(url, None), lambda: archive_url(url)):
        with pytest.raises(PaasError, match=words) as raised:
            check()
        assert raised.value.exit_code == 2
        assert "secret" not in raised.value.message


@pytest.mark.parametrize("ref", ["-u", "a..b", "a b", "", "a\n", "$(id)", "refs/heads/x:y"])
def test_refs_that_are_none(ref: str) -> None:
    """Are refused."""
    with pytest.raises(PaasError, match="not a branch, a tag or a commit"):
        git_source(URL, ref)


def test_addresses_that_are_fetched() -> None:
    """With port, query (an archive's), and http where the user says so."""
    assert git_source("http://localhost:8080/a/b", "v1.0/x").ref == "v1.0/x"
    address = archive_url("https://example.com/a.tar.gz?ref=main&signature=x")
    assert archive_message(address) == "Archive https://example.com/a.tar.gz"
    check_submodule_url("lib", "https://github.com/heroku/python-getting-started.git")
    with pytest.raises(PaasError, match="only https"):
        check_submodule_url("lib", "http://example.com/x.git")
