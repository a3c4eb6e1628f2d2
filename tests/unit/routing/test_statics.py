"""Static files: what users may set, and what the proxy gets of it."""

import json
import re

import pytest

from paas.adapters.proxy.error_pages import PAGES, render_page
from paas.domain.releases.history import former_slug
from paas.domain.releases.releases import Release, Slug
from paas.domain.routing.sites import Site
from paas.domain.routing.statics import (
    StaticPath,
    expires,
    parse_static_paths,
    static_folder,
    static_path,
)
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from tests.fakes.world import ROOT, World
from tests.unit.releases.test_history import history

STATIC = StaticPath("/static", "app/static")


@pytest.mark.parametrize(
    ("text", "path"), [("/static/", "/static"), ("/", "/"), ("/a/b-c_d~e.f", "/a/b-c_d~e.f")]
)
def test_paths(text: str, path: str) -> None:
    """A slash at the end makes no difference."""
    assert static_path(text) == path


@pytest.mark.parametrize(
    "text",
    [
        "", "static", "//", "/a//b", "/.git", "/a/.b", "/a/..", "/../a", "/a b", "/a\n", '/a"',
        "/a$b", "/a;b", "/a{2}", "/(a)", "/a*", "/a\\b", "/a%2e", "/\u00fc", "/" + "a" * 200,
    ],
)  # fmt: skip
def test_what_is_no_path(text: str) -> None:
    """Nothing that could be more than a path to Nginx."""
    with pytest.raises(PaasError) as caught:
        static_path(text)
    assert caught.value.exit_code == 2


def test_folders() -> None:
    """From the top; build tools make some that begin with a dot."""
    assert static_folder("./app/static/") == "app/static"
    assert static_folder(".next/static") == ".next/static"


@pytest.mark.parametrize(
    "text",
    ["", ".", "./", "..", "/app", "a/..", "a/../b", ".git", "a/.git", "a//b", "a\n", 'a"', "a$b"],
)  # fmt: skip
def test_what_is_no_folder(text: str) -> None:
    """The top would show the app's code."""
    with pytest.raises(PaasError) as caught:
        static_folder(text)
    assert caught.value.reference == "static-folder"


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("30d", "max-age=2592000"),
        ("10m", "max-age=600"),
        ("off", "no-cache"),
        ("no-store", "no-store"),
    ],
)
def test_times(text: str, header: str) -> None:
    """And what browsers get."""
    seconds, store = expires(text)
    assert StaticPath("/a", "a", seconds, store).cache_control == header


@pytest.mark.parametrize("text", ["", "30", "0d", "-1d", "367d", "1y", "max", "30d\n", "\u0663d"])
def test_what_is_no_time(text: str) -> None:
    """Up to a year."""
    with pytest.raises(PaasError):
        expires(text)


def test_paths_of_the_config() -> None:
    """As Piku reads them."""
    assert parse_static_paths(" /static:app/static, /media:media/ ,") == (
        StaticPath("/media", "media"),
        STATIC,
    )
    for text in ("/static", "/static:", ":a", "/static:/app", "/a:b:c"):
        with pytest.raises(PaasError):
            parse_static_paths(text)


def site(world: World) -> Site:
    """What the proxy serves of the app."""
    return world.proxy.by_app[1]


def served(world: World) -> dict[str, list[str]]:
    """The folders by path."""
    return {
        static.path: [f"{folder.slug.name}/{folder.name}" for folder in static.folders]
        for static in site(world).statics
    }


def slug(world: World, number: int) -> Slug:
    """The app's slugs, oldest first, from 1."""
    return sorted(world.store.slugs.of_app(1), key=lambda slug: slug.created_at)[number - 1]


def test_files_come_from_the_release_and_the_one_before(world: World) -> None:
    """Also after a change of the config, and after a rollback: then from what was rolled back."""
    world.app()
    world.push()
    world.statics.add(ROOT, "shop", STATIC, world.progress)
    first = slug(world, 1).id
    assert served(world) == {"/static": [f"{first}/app/static"]}
    world.push(commit="b" * 40)
    second = slug(world, 2).id
    both = {"/static": [f"{second}/app/static", f"{first}/app/static"]}
    assert served(world) == both
    world.config.set(ROOT, "shop", {VarName("A"): "b"}, world.progress)
    assert served(world) == both
    world.reconcile.run(world.progress)
    assert served(world) == both
    world.releases.rollback(ROOT, "shop", 1, world.progress)
    assert served(world) == {"/static": [f"{first}/app/static", f"{second}/app/static"]}


def test_a_folder_that_a_release_lacks(world: World) -> None:
    """A deploy says so, and the former release's files are still there; then the app answers."""
    world.app()
    world.push()
    first = slug(world, 1).id
    assert world.statics.add(ROOT, "shop", STATIC, world.progress)
    world.builder.meanwhile = lambda: world.slugs.missing.add(
        (sorted(world.slugs.building)[0], "app/static")
    )
    world.push(commit="b" * 40)
    assert " !     v2 has no folder app/static: the app answers /static" in world.progress.lines
    assert served(world) == {"/static": [f"{first}/app/static"]}
    assert [info.there for info in world.statics.listing(ROOT, "shop")] == [False]
    world.push(commit="c" * 40)
    assert served(world) == {}


def test_the_config_says_paths_too(world: World) -> None:
    """By Piku's name as well; for the same path the command counts."""
    world.app()
    world.push()
    value = "/static:other,/media:media"
    world.config.set(ROOT, "shop", {VarName("STATIC_PATHS"): value}, world.progress)
    assert set(served(world)) == {"/static", "/media"}
    world.statics.add(ROOT, "shop", STATIC, world.progress)
    assert served(world)["/static"][0].endswith("app/static")
    listed = [(i.static.path, i.by_config) for i in world.statics.listing(ROOT, "shop")]
    assert listed == [("/media", True), ("/static", False)]
    world.statics.remove(ROOT, "shop", "/static", world.progress)
    assert served(world)["/static"][0].endswith("other")
    with pytest.raises(PaasError) as caught:
        world.statics.remove(ROOT, "shop", "/static", world.progress)
    assert caught.value.reference == "no-such-static"


def test_a_config_that_cannot_be_read_is_refused(world: World) -> None:
    """What an app has by that name from elsewhere is left aside, and said."""
    world.app()
    name = VarName("STATIC_PATHS")
    with pytest.raises(PaasError):
        world.config.set(ROOT, "shop", {name: "nonsense"}, world.progress)
    world.repository.contents["a" * 40, "app.json"] = json.dumps(
        {"env": {"STATIC_PATHS": "nonsense"}}
    ).encode()
    world.push()
    assert " !     So STATIC_PATHS is ignored." in world.progress.lines
    assert served(world) == {}


def test_no_more_than_twenty(world: World) -> None:
    """Each costs Nginx memory."""
    world.app()
    with pytest.raises(PaasError) as caught:
        for number in range(21):
            world.statics.add(ROOT, "shop", StaticPath(f"/{number}", "a"), world.progress)
    assert caught.value.reference == "too-many-statics"


def test_a_closed_app_serves_no_files(world: World) -> None:
    """Maintenance is for all of it."""
    world.app()
    world.push()
    world.statics.add(ROOT, "shop", STATIC, world.progress)
    world.maintenance.set_maintenance(ROOT, "shop", True, world.progress)
    assert served(world) == {}


def test_the_app_s_own_pages(world: World) -> None:
    """Those of the live release."""
    world.app()
    world.push()
    world.slugs.pages.add(slug(world, 1).id)
    world.reconcile.run(world.progress)
    assert {code: page.name for code, page in site(world).error_pages.items()} == {
        502: "502.html",
        503: "503.html",
        504: "504.html",
    }


def test_the_slug_before_is_the_last_other_one_that_was_live() -> None:
    """Failed releases and changes of the config do not count."""

    def former(*words: str) -> str | None:
        releases: list[Release] = history(*words)
        return former_slug(releases, releases[0].version, releases[0].slug_id or "")

    assert former("a:s") is None
    assert former("a:s", "b:s") == "a"
    assert former("a:s", "b:s", "b:s") == "a"
    assert former("a:s", "b:f", "c:p") == "a"
    assert former("a:s", "b:s", "a:s") == "b"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_pages_are_small_and_whole(name: str) -> None:
    """Nothing is loaded from elsewhere; both forms say the same."""
    page = render_page(name, "html", "ID")
    assert len(page) < 2_000
    assert not re.search(r"https?:|src=|href=|@import|url\(", page)
    assert "prefers-color-scheme: dark" in page
    spoken = json.loads(render_page(name, "json", "ID"))
    assert spoken["status"] == PAGES[name].status
    assert spoken.get("request_id") == ("ID" if "<code>ID</code>" in page else None)
