"""Naming, adding, setting, removing buildpacks, and what deploys do with them."""

from dataclasses import replace
from pathlib import Path

import pytest

from paas.domain.builds.buildpacks import OWN, Kind, StaticFiles, buildpack, folder, static_files
from paas.domain.git.credentials import HostKey, host_token
from paas.domain.git.sources import GitSource
from paas.domain.manifest.appjson import parse_app_json
from paas.domain.people.users import Role
from paas.domain.routing.sites import Folder
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName
from paas.domain.values.secret import Secret
from paas.interfaces import Built
from tests.fakes.world import ROOT, World

GIT = "https://example.com/some/pack"


@pytest.fixture
def world(in_memory: Path) -> World:
    """A server with an app."""
    world = World(in_memory)
    world.app()
    return world


@pytest.mark.parametrize(
    ("text", "kind", "source"),
    [
        ("python", Kind.NAME, "python"),
        ("heroku/python", Kind.NAME, "python"),
        ("heroku/nodejs", Kind.NAME, "node"),
        ("heroku/ruby", Kind.URL, "https://github.com/heroku/heroku-buildpack-ruby"),
        ("heroku-community/apt", Kind.URL, "https://github.com/heroku/heroku-buildpack-apt"),
        (GIT, Kind.URL, GIT),
        (f"{GIT}.git#v1.2/x_y-z", Kind.URL, f"{GIT}.git#v1.2/x_y-z"),
        ("https://Example.com:8443/a/", Kind.URL, "https://Example.com:8443/a/"),
        ("git@example.com:acme/pack.git#v1", Kind.URL, "git@example.com:acme/pack.git#v1"),
        ("ssh://git@example.com:2222/pack", Kind.URL, "ssh://git@example.com:2222/pack"),
        ("/srv/packs/mine/", Kind.PATH, "/srv/packs/mine"),
    ],
)
def test_names(text: str, kind: Kind, source: str) -> None:
    """A name, a directory of the server, or an https address with a ref."""
    text = text if text != "/srv/packs/mine/" else "/srv/packs/mine"
    assert buildpack(text).kind is kind
    assert buildpack(text).source == source


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "Python",
            "someone/ruby",
            "heroku/../x",
            "a b",
            "../x",
            "/",
            "/srv/../etc",
            "./x",
            "-i",
            "python\n",
        ),
        *("http://example.com/x", "git@example.com:", "ssh://-oProxy/x", "ext::sh -c id"),
        *("file:///etc", "https://", "https://example.com", "https://user:pw@example.com/x"),
        *("git@example.com:x#-u", "git@example.com:x#", "git@example.com:x y"),
        *("https://example.com/x;id", "https://example.com/$(id)", "https://example.com/x#-u"),
        *("https://example.com/x#a..b", "https://example.com/x y", "https://example.com/x\n"),
        "https://example.com/" + "a" * 500,
    ],
)
def test_refuses_names(text: str) -> None:
    """Anything else, above all what git or a shell would take for more than an address."""
    with pytest.raises(PaasError) as caught:
        buildpack(text)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("heroku/nodej", "heroku/nodejs"),
        ("heroku/node", "heroku/nodejs"),
        ("heroku/pyhton", "heroku/python"),
        ("heroku/rubby", "heroku/ruby"),
        ("heroku-community/ngnix", "heroku/nginx"),
        ("nodej", "node"),
        ("nodejs", "node"),
        ("ruby", "heroku/ruby"),
    ],
)
def test_a_misspelt_name_is_asked_about(world: World, text: str, meant: str) -> None:
    """Before anything is set, and not after a failed fetch at each push."""
    with pytest.raises(PaasError) as caught:
        world.buildpacks.set(ROOT, "shop", text, None)
    assert caught.value.reference == "buildpack-unknown"
    assert f"{meant} has a similar name." in caught.value.message
    assert world.buildpacks.all(ROOT, "shop") == []


@pytest.mark.parametrize("text", ["heroku/ruby", "heroku/some-pack-of-theirs", "heroku/nodejs"])
def test_a_name_is_kept_as_it_was_given(world: World, text: str) -> None:
    """Lists and errors show what the user wrote, and it is the same pack by another name."""
    world.buildpacks.set(ROOT, "shop", text, None)
    (pack,) = world.buildpacks.all(ROOT, "shop")
    assert str(pack) == text
    with pytest.raises(PaasError, match="already set"):
        world.buildpacks.add(ROOT, "shop", pack.source, None)
    world.buildpacks.remove(ROOT, "shop", pack.source, None)


def test_a_misspelt_name_in_app_json_rejects_the_push(world: World) -> None:
    """And the app.json of a live slug is still read."""
    content = b'{"buildpacks": [{"url": "heroku/nodej"}]}'
    world.repository.contents["a" * 40, "app.json"] = content
    with pytest.raises(PaasError, match="heroku/nodejs has a similar name"):
        world.push()
    assert [str(pack) for pack in parse_app_json(content).buildpacks] == ["heroku/nodej"]


@pytest.mark.parametrize(
    "text", ["", "/", ".", "..", "a/../b", "a//b", ".git", "a b", "a\n", "-\0"]
)
def test_refuses_folders(text: str) -> None:
    """A folder of a repository never leads out of it."""
    with pytest.raises(PaasError):
        folder(text)


def test_static_files_are_below_their_root() -> None:
    """Root and files are relative paths."""
    assert static_files("./", None, "404.html") == StaticFiles(".", None, "404.html")
    with pytest.raises(PaasError):
        static_files("public", "../x", None)


def test_adds_sets_and_removes(world: World) -> None:
    """In order, by position, as Heroku's commands do."""
    packs = world.buildpacks
    packs.add(ROOT, "shop", "python", None)
    packs.add(ROOT, "shop", "node", 1)
    packs.add(ROOT, "shop", GIT, None)
    assert [str(pack) for pack in packs.all(ROOT, "shop")] == ["node", "python", GIT]
    packs.set(ROOT, "shop", "/srv/mine", 2)
    assert [str(pack) for pack in packs.all(ROOT, "shop")] == ["node", "/srv/mine", GIT]
    packs.set(ROOT, "shop", "python", None)
    packs.remove(ROOT, "shop", None, 3)
    packs.remove(ROOT, "shop", "heroku/python", None)
    assert [str(pack) for pack in packs.all(ROOT, "shop")] == ["/srv/mine"]
    packs.clear(ROOT, "shop")
    assert packs.all(ROOT, "shop") == []


@pytest.mark.parametrize(
    ("reference", "text", "position"),
    [
        ("buildpack-set", "python", None),
        ("buildpack-unknown", "ruby", None),
        ("buildpack-index", "node", 0),
        ("buildpack-index", "node", 3),
        ("buildpack-directory", "/srv/other", None),
    ],
)
def test_refuses_to_add(world: World, reference: str, text: str, position: int | None) -> None:
    """Twice the same, an unknown one, a position that there is not: nothing changes."""
    world.buildpacks.add(ROOT, "shop", "python", None)
    with pytest.raises(PaasError) as caught:
        world.buildpacks.add(ROOT, "shop", text, position)
    assert caught.value.reference == reference
    assert len(world.buildpacks.all(ROOT, "shop")) == 1


def test_refuses_to_remove(world: World) -> None:
    """Where there is none, another one, or both a name and a position are given."""
    for text, position, reference in [
        ("python", None, "no-buildpacks"),
        (None, None, "buildpack-which"),
        ("python", 1, "buildpack-which"),
    ]:
        with pytest.raises(PaasError) as caught:
            world.buildpacks.remove(ROOT, "shop", text, position)
        assert caught.value.reference == reference
    world.buildpacks.add(ROOT, "shop", "python", None)
    with pytest.raises(PaasError) as caught:
        world.buildpacks.remove(ROOT, "shop", "node", None)
    assert caught.value.reference == "buildpack-not-set"


def test_directories_are_for_admins(world: World) -> None:
    """A member cannot have a directory of the server shown to their build; an admin can."""
    alice, boss = world.user("alice"), world.user("boss", Role.ADMIN)
    world.apps.create(alice, AppName("hers"))
    with pytest.raises(PaasError) as caught:
        world.buildpacks.add(alice, "hers", "/srv/mine", None)
    assert caught.value.reference == "admins-only"
    world.buildpacks.add(boss, "hers", "/srv/mine", None)
    with pytest.raises(PaasError) as caught:
        world.buildpacks.all(world.user("bob"), "hers")
    assert caught.value.exit_code == 20


def test_deploys_use_them(world: World) -> None:
    """A build gets the app's buildpacks in order, and an app that has none gets none."""
    world.push()
    assert world.builder.used == []
    world.buildpacks.add(ROOT, "shop", "node", None)
    world.buildpacks.add(ROOT, "shop", GIT, None)
    world.push(commit="b" * 40)
    assert world.builder.used == ["node", GIT]


def test_deploys_use_those_of_app_json(world: World) -> None:
    """As long as none are set by hand, and only those of the very commit."""
    world.repository.contents["a" * 40, "app.json"] = (
        b'{"buildpacks": [{"url": "https://example.com/some/pack"}, {"url": "heroku/python"}]}'
    )
    world.push()
    assert world.builder.used == [GIT, "python"]
    assert world.store.buildpacks.of_app(1) == []
    assert world.buildpacks.all(ROOT, "shop") == []
    assert [pack.source for pack in world.buildpacks.declared(ROOT, "shop")] == [GIT, "python"]
    world.buildpacks.add(ROOT, "shop", "node", None)
    world.push()
    assert world.builder.used == ["node"]
    world.buildpacks.clear(ROOT, "shop")
    world.push(commit="b" * 40)
    assert world.builder.used == []
    assert world.buildpacks.declared(ROOT, "shop") == ()


def test_the_names_are_those_of_the_files() -> None:
    """Those that app.json is judged by are those that the platform brings."""
    lines = (Path(__file__).parents[3] / "buildpacks/order.txt").read_text().splitlines()
    assert {line for line in lines if line and not line.startswith("#")} == OWN


def test_config_vars_of_a_buildpack_are_first_defaults(world: World) -> None:
    """They are set by the first deploy where the user has not, and by no later one."""
    world.builder.built = Built("fake", {}, config={"A": Secret("pack"), "B": Secret("pack")})
    from paas.domain.values.names import VarName

    world.config.set(ROOT, "shop", {VarName("A"): "mine"}, world.progress)
    world.push()
    assert {name: value.reveal() for name, value in world.config.all(ROOT, "shop").items()} == {
        "A": "mine",
        "B": "pack",
    }
    world.config.unset(ROOT, "shop", [VarName("B")], world.progress)
    world.push(commit="b" * 40)
    assert "B" not in world.config.all(ROOT, "shop")


def test_the_procfile_after_the_build_counts(world: World) -> None:
    """A buildpack may have made it."""
    world.builder.built = Built("fake", {}, procfile=b"web: made\n")
    world.push()
    assert [slug.processes for slug in world.store.slugs.of_app(1)] == [{"web": "made"}]


def test_static_files_are_served_by_the_proxy(world: World) -> None:
    """An app of files has no instance; the proxy gets the folder, also of an older release."""
    world.repository.procfiles["a" * 40] = None
    world.builder.built = Built("fake", {}, static=StaticFiles("public"))
    world.push()
    slug = world.store.slugs.of_app(1)[0]
    site = world.proxy.by_app[1]
    assert site.endpoints == ()
    assert site.folder == Folder(world.slugs.path(slug.id), StaticFiles("public"))
    assert world.store.slugs.find(slug.id) == replace(slug, static=StaticFiles("public"))
    world.push(commit="b" * 40)
    assert world.proxy.by_app[1].folder is None


def test_a_folder_of_a_monorepo(world: World) -> None:
    """build-dir: that folder is built, with its own Procfile; none: all of it again."""
    world.buildpacks.set_build_dir(ROOT, "shop", "services/web/")
    world.repository.contents["a" * 40, "services/web/Procfile"] = b"worker: run\nweb: inner\n"
    world.push()
    assert world.slugs.narrowed == "services/web"
    assert world.store.slugs.of_app(1)[0].processes == {"worker": "run", "web": "inner"}
    assert world.buildpacks.set_build_dir(ROOT, "shop", None) is None
    assert world.buildpacks.build_dir(ROOT, "shop") is None


def test_the_app_s_token_is_for_fetching_a_private_buildpack(world: World) -> None:
    """It is fetched before the build, which sees a directory; others are as they were."""
    private, archive = "https://git.example.com/acme/pack.git", "https://git.example.com/a.tgz"
    for text in (f"{private}#v1", "python", GIT, archive):
        world.buildpacks.add(ROOT, "shop", text, None)
    world.push()
    assert world.builder.used == [f"{private}#v1", "python", GIT, archive]
    assert world.buildpack_fetcher.asked == []
    token = host_token("git.example.com", None, "t0ken")
    world.git_credentials.set_token(ROOT, "shop", token)
    world.push(commit="b" * 40)
    assert world.builder.used == ["/fetched/0", "python", GIT, archive]
    assert world.buildpack_fetcher.asked == [GitSource(private, "v1")]
    assert world.buildpack_fetcher.access is not None
    assert world.buildpack_fetcher.access.tokens == (token,)


def test_a_buildpack_by_ssh_takes_the_deploy_key(world: World) -> None:
    """Without one the push is rejected, with what to do; a new host's key is kept."""
    app = world.store.apps.find("shop")
    assert app is not None
    world.buildpacks.set(ROOT, "shop", "git@git.example.com:acme/pack.git", None)
    with pytest.raises(PaasError, match="has no deploy key"):
        world.push()
    world.git_credentials.deploy_key(ROOT, "shop")
    seen = HostKey("git.example.com", "ssh-ed25519 " + "A" * 68)
    world.buildpack_fetcher.host_keys = (seen,)
    world.push()
    assert world.builder.used == ["/fetched/0"]
    assert world.git_credentials.of(app).host_keys == (seen,)
