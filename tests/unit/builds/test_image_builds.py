"""From a commit with a Dockerfile to its release, and what users set for that."""

from pathlib import Path

import pytest

from paas.domain.builds.build_values import RegistryLogin, ValueKind
from paas.domain.builds.builders import BuilderName, BuilderSettings, DockerfileBuild
from paas.domain.releases.artifacts import DOCKER, NATIVE, Image, engine_of
from paas.domain.values.errors import NoBuildpackError, PaasError
from paas.domain.values.names import AppName, VarName
from paas.domain.values.secret import Secret
from paas.interfaces import Built, Engine
from paas.services.server.docker_use import apps_on_docker, refuse_removal
from tests.fakes.world import ROOT, World

COMMIT = "a" * 40
IMAGE = Image("sha256:" + "1" * 64, 8080)
NONE_FITS = NoBuildpackError("no-buildpack", "No buildpack fits this app.")
TOKEN, DEBUG = VarName("TOKEN"), VarName("DEBUG")


@pytest.fixture
def plain(in_memory: Path) -> World:
    """A server without Docker, with an app."""
    world = World(in_memory)
    world.app()
    return world


@pytest.fixture
def world(plain: World) -> World:
    """A server with Docker; a commit of a Dockerfile alone, and no buildpack that fits."""
    plain.by_name[DOCKER] = Engine(
        builder=plain.image_builder, runtime=plain.runtime, one_off=plain.one_off, runs=plain.runs
    )
    plain.builder.failure = NONE_FITS
    plain.repository.procfiles[COMMIT] = None
    plain.repository.contents[COMMIT, "Dockerfile"] = b"FROM base\n"
    plain.image_builder.built = Built("Dockerfile", {}, image=IMAGE, image_bytes=100)
    plain.image_builder.processes = {"web": ""}  # type: ignore[dict-item]
    return plain


def _built(world: World) -> DockerfileBuild:
    """What the builder of images was given."""
    assert world.image_builder.dockerfile is not None
    return world.image_builder.dockerfile


@pytest.mark.parametrize(
    ("user", "warned"), [("", False), ("root", False), ("0:0", False), ("node", True)]
)
def test_an_image_whose_user_cannot_write(world: World, user: str, warned: bool) -> None:
    """If the app has storage directories, the push says so, with what to do."""
    world.image_builder.built = Built("Dockerfile", {}, image=IMAGE, user=user)
    world.storage.add(ROOT, "shop", "/app/data", world.progress)
    world.push()
    told = "runs as the user 'node', who cannot write to /app/data" in str(world.progress.lines)
    assert told == warned


def test_an_image_that_starts_nothing(world: World) -> None:
    """The error speaks of the image."""
    world.image_builder.processes = {}
    with pytest.raises(PaasError, match="neither ENTRYPOINT nor CMD") as caught:
        world.push()
    assert caught.value.reference == "no-processes"
    # The app has no release, so no engine either; the cache is kept within its limits all the same.
    assert len(world.image_builder.kept) == 1


def test_a_dockerfile_alone(world: World) -> None:
    """Where no buildpack fits it is built, and the log says how to choose."""
    world.push()
    slug = world.store.slugs.of_app(1)[0]
    assert (slug.image, engine_of(slug.image), slug.processes) == (IMAGE, DOCKER, {"web": ""})
    assert slug.size_bytes >= 100
    assert _built(world) == DockerfileBuild()
    assert "No buildpack fits. To choose: paas builder:set dockerfile" in str(world.progress.lines)
    assert "The image's own command is web" in str(world.progress.lines)


def test_a_buildpack_that_fits_counts_first(world: World) -> None:
    """Many Dockerfiles are for development only."""
    world.builder.failure = None
    world.builder.processes = {"web": "serve"}  # type: ignore[dict-item]
    world.push()
    assert world.store.slugs.of_app(1)[0].image is None
    assert world.image_builder.dockerfile is None


def test_a_builder_that_was_set(world: World) -> None:
    """It counts for the next push, in both directions."""
    world.builder.failure = None
    assert world.image_builds.set_builder(ROOT, "shop", "dockerfile") is BuilderName.DOCKERFILE
    world.push()
    assert world.store.slugs.of_app(1)[0].image == IMAGE
    world.image_builds.set_builder(ROOT, "shop", "buildpacks")
    world.builder.failure = NONE_FITS
    with pytest.raises(PaasError, match="No buildpack fits"):
        world.push()


def test_buildpacks_that_were_set_are_a_choice(world: World) -> None:
    """The error is theirs, whatever Dockerfile there is."""
    world.buildpacks.set(ROOT, "shop", "python", None)
    with pytest.raises(PaasError, match="No buildpack fits"):
        world.push()


def test_an_error_of_a_buildpack_is_no_reason_to_try_the_dockerfile(world: World) -> None:
    """It fits, and says what is wrong."""
    world.builder.failure = PaasError("build-failed", "pip failed.")
    with pytest.raises(PaasError, match="pip failed"):
        world.push()
    assert "There is also Dockerfile. To build that: paas builder:set" in str(world.progress.lines)
    assert world.image_builder.dockerfile is None


def test_heroku_yml(world: World) -> None:
    """It names the Dockerfile, its arguments and the processes; what was set by hand wins."""
    world.repository.procfiles[COMMIT] = b"web: from-the-procfile\n"
    world.repository.contents[COMMIT, "heroku.yml"] = (
        b"build:\n  docker:\n    web: deploy/Dockerfile\n  config:\n    DEBUG: 1\n    A: b\n"
        b"run:\n  worker: work\n  network: host\n"
    )
    world.image_builds.set_values(ROOT, "shop", ValueKind.ARG, {DEBUG: "0"})
    world.push()
    assert _built(world) == DockerfileBuild("deploy/Dockerfile", args={"DEBUG": "0", "A": "b"})  # type: ignore[dict-item]
    assert world.store.slugs.of_app(1)[0].processes == {"worker": "work", "network": "host"}
    world.image_builds.set_dockerfile(ROOT, "shop", "Dockerfile")
    world.push()
    assert _built(world).path == "Dockerfile"


def test_a_heroku_yml_that_is_wrong(world: World) -> None:
    """The message has the place."""
    world.repository.contents[COMMIT, "heroku.yml"] = b"build:\n  docker: [\n"
    with pytest.raises(PaasError, match=r"heroku\.yml, line 3, column 1: "):
        world.push()
    world.repository.contents[COMMIT, "heroku.yml"] = b"[" * 60_000
    with pytest.raises(PaasError, match=r"heroku\.yml is not valid YAML"):
        world.push()


def test_a_procfile_of_the_image(world: World) -> None:
    """Its lines are the processes, and the image's own command is none of them."""
    world.image_builder.built = Built("Dockerfile", {}, procfile=b"worker: work\n", image=IMAGE)
    world.push()
    assert world.store.slugs.of_app(1)[0].processes == {"worker": "work"}


def test_a_server_without_docker(plain: World) -> None:
    """It says so for a Dockerfile alone, and nothing else changes: heroku.yml is not read."""
    plain.repository.contents[COMMIT, "heroku.yml"] = b"]"
    plain.push()
    plain.repository.contents[COMMIT, "Dockerfile"] = b"FROM base\n"
    plain.builder.failure = NONE_FITS
    with pytest.raises(PaasError, match="this server does not have"):
        plain.push()
    with pytest.raises(PaasError, match="this server does not have"):
        plain.image_builds.set_builder(ROOT, "shop", "dockerfile")


def test_slugs_in_containers(world: World) -> None:
    """From the next push on there is an image of what buildpacks make; and back."""
    world.builder.failure = None
    world.builder.processes = {"web": "serve"}  # type: ignore[dict-item]
    world.push()
    assert world.image_builds.set_engine(ROOT, "shop", "docker") == DOCKER
    world.image_builds.set_port(ROOT, "shop", 3000)
    world.push()
    native, contained = reversed(world.store.slugs.of_app(1))
    assert (engine_of(native.image), engine_of(contained.image)) == (NATIVE, DOCKER)
    assert contained.image is not None
    assert (contained.image.slug, contained.image.port) == (True, 3000)
    assert (contained.processes, world.slug_images.made) == ({"web": "serve"}, [contained.id])
    assert contained.size_bytes == native.size_bytes + 1_000
    assert world.image_builds.set_engine(ROOT, "shop", None) == NATIVE
    world.push()
    assert world.store.slugs.of_app(1)[0].image is None


def test_an_image_that_is_not_made(world: World) -> None:
    """The push is rejected, and the slug is gone."""
    world.builder.failure = None
    world.builder.processes = {"web": "serve"}  # type: ignore[dict-item]
    world.image_builds.set_engine(ROOT, "shop", "docker")
    world.slug_images.failure = PaasError("runtime-image", "The runtime image was not made.")
    with pytest.raises(PaasError, match="was not made"):
        world.push()
    assert world.store.slugs.of_app(1) == []
    assert not world.slugs.building | world.slugs.frozen


def test_an_engine_that_the_server_lacks(plain: World) -> None:
    """It cannot be chosen; an app that has it is told what to do. A Dockerfile needs no choice."""
    with pytest.raises(PaasError, match="is to run in containers, and this server has no Docker"):
        plain.image_builds.set_engine(ROOT, "shop", "docker")
    with pytest.raises(PaasError, match="'podman' is not an engine"):
        plain.image_builds.set_engine(ROOT, "shop", "podman")
    plain.store.image_builds.set_settings(1, BuilderSettings(engine=DOCKER))
    with pytest.raises(PaasError, match="is to run in containers"):
        plain.push()


def test_values_reach_the_build(world: World) -> None:
    """Arguments, secrets, logins, stage and port; the report shows no secret."""
    world.image_builds.set_values(ROOT, "shop", ValueKind.ARG, {DEBUG: "1"})
    world.image_builds.set_values(ROOT, "shop", ValueKind.SECRET, {TOKEN: "t0ken"})
    login = RegistryLogin("ghcr.io", "alice", Secret("pa55"))
    world.image_builds.login(ROOT, "shop", login)
    world.image_builds.set_target(ROOT, "shop", "production")
    world.image_builds.set_port(ROOT, "shop", 3000)
    world.push()
    assert _built(world) == DockerfileBuild(
        target="production",
        args={DEBUG: "1"},
        secrets={TOKEN: Secret("t0ken")},
        logins=(login,),
        port=3000,
    )
    report = world.image_builds.report(ROOT, "shop")
    assert (report.secrets, report.logins) == ((TOKEN,), (("ghcr.io", "alice"),))
    assert report.image == IMAGE


def test_values_are_sealed(world: World) -> None:
    """None of them is in the database in the clear, nor after the key has changed."""
    world.image_builds.set_values(ROOT, "shop", ValueKind.SECRET, {TOKEN: "t0ken-c4nary"})
    world.image_builds.login(ROOT, "shop", RegistryLogin("ghcr.io", "a", Secret("pa55-c4nary")))
    world.store.sealing.rotate()
    assert b"c4nary" not in (world.folder / "state.db").read_bytes()
    assert world.store.image_builds.values(1, ValueKind.SECRET) == {TOKEN: Secret("t0ken-c4nary")}


def test_values_are_removed(world: World) -> None:
    """One that is not there is named, and nothing is removed then."""
    world.image_builds.set_values(ROOT, "shop", ValueKind.ARG, {DEBUG: "1"})
    with pytest.raises(PaasError, match="shop does not have TOKEN"):
        world.image_builds.unset_values(ROOT, "shop", ValueKind.ARG, [DEBUG, TOKEN])
    world.image_builds.unset_values(ROOT, "shop", ValueKind.ARG, [DEBUG])
    assert world.image_builds.report(ROOT, "shop").args == {}
    with pytest.raises(PaasError, match="does not have ghcr"):
        world.image_builds.logout(ROOT, "shop", "ghcr.io")


def test_a_copy_has_the_same(world: World) -> None:
    """apps:clone copies how the app is built."""
    world.image_builds.set_builder(ROOT, "shop", "dockerfile")
    world.image_builds.set_values(ROOT, "shop", ValueKind.SECRET, {TOKEN: "t"})
    world.image_builds.set_port(ROOT, "shop", 3000)
    world.cloning.clone(ROOT, "shop", AppName("other"), world.progress, deploy=False)
    report = world.image_builds.report(ROOT, "other")
    assert (report.settings.builder, report.secrets, report.port) == (
        BuilderName.DOCKERFILE,
        (TOKEN,),
        3000,
    )


@pytest.mark.parametrize(
    ("user", "password"), [("", "x"), ("a", ""), ("a:b", "x"), ("a", "x\ny"), ("a", "x" * 20_000)]
)
def test_logins_that_are_refused(user: str, password: str) -> None:
    """What a header could not carry."""
    with pytest.raises(PaasError, match=r"one line of text|contains a colon"):
        RegistryLogin("ghcr.io", user, Secret(password))


def test_the_cache_is_kept_for_the_last_builds(world: World) -> None:
    """Of each app three; purging it for one app keeps what others used last."""
    world.app("blog")
    world.push("blog")
    for digit in "bcde":
        commit = digit * 40
        world.repository.procfiles[commit] = None
        world.repository.contents[commit, "Dockerfile"] = b"FROM base\n"
        world.push(commit=commit)
    begins = [build.created_at for build in world.store.builds.of_app(1)]
    (of_blog,) = world.store.builds.of_app(2)
    kept = {span.begin for span in world.image_builder.kept}
    assert kept == {of_blog.created_at, *begins[:3]}
    world.builds.purge_cache(ROOT, "shop", world.progress)
    assert [span.begin for span in world.image_builder.kept] == [of_blog.created_at]
    world.image_builder.kept = []
    world.apps.destroy(ROOT, "shop", "shop", world.progress)
    assert [span.begin for span in world.image_builder.kept] == [of_blog.created_at]


def test_an_image_that_is_gone_is_built_again(world: World) -> None:
    """Doctor finds it, though the release's files are there; --fix builds the live one again."""
    world.key_file.publish(world.store.keys.all(), [])
    world.push()
    world.slugs.lost_images.add(IMAGE.id)
    (finding,) = world.doctor.look()
    assert f"v1, which is live, need the image {IMAGE.id}, which the" in finding.message
    assert (finding.check, finding.mends) == ("slug", True)
    made = Image("sha256:" + "2" * 64, 8080)
    world.image_builder.built = Built("Dockerfile", {}, image=made, image_bytes=100)
    assert world.doctor.fix(ROOT, world.progress).mended == [finding]
    live = world.store.slugs.of_release(world.store.releases.of_app(1)[0])
    assert live is not None
    assert live.image == made


def test_docker_is_not_removed_while_apps_need_it(world: World) -> None:
    """They are named; one that was deployed otherwise needs it no longer."""
    assert apps_on_docker(world.store) == []
    world.push()
    with pytest.raises(PaasError, match="removed: shop runs in containers"):
        refuse_removal(world.store)
    world.builder.failure = None
    world.builder.processes = {"web": "serve"}  # type: ignore[dict-item]
    world.repository.procfiles["b" * 40] = b"web: serve\n"
    world.push(commit="b" * 40)
    refuse_removal(world.store)
