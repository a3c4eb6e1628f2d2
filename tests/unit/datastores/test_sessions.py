"""psql as a one-off process of the app, over fakes."""

from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.releases.artifacts import DOCKER, NATIVE, Image
from paas.domain.values.names import VarName
from paas.interfaces import Built
from tests.fakes.world import ROOT, World
from tests.unit.datastores.test_datastores import create, refused
from tests.unit.datastores.test_externals import URL
from tests.unit.runs.test_runs import Nobody


def psql(world: World, wanted: str | None = None) -> None:
    """The command, by root, with a statement."""
    world.datastore_sessions.run(
        ROOT,
        "shop",
        wanted,
        DatastoreKind.POSTGRESQL,
        "SELECT 1",
        terminal=None,
        caller=Nobody(),
        progress=world.progress,
    )


def test_it_needs_no_deploy(world: World) -> None:
    """The program is the server's; the app's directory is empty."""
    world.app()
    with refused(world, "which-datastore"):
        psql(world)
    made = create(world)
    psql(world)
    (spec,) = world.runs.wanted
    assert spec.command == "psql 'SELECT 1'"
    assert (spec.slug_id, spec.env["DATABASE_URL"]) == ("", made.url)


def test_it_is_no_program_of_an_image(world: World) -> None:
    """For an app in containers, too, it is the server's: the image need not have it."""
    world.app()
    made = create(world)
    world.builder.built = Built("Dockerfile", {}, image=Image(f"sha256:{'a' * 64}"))
    world.by_name[DOCKER] = world.by_name[NATIVE]
    world.push()
    psql(world)
    spec = world.runs.wanted[-1]
    assert (spec.image, spec.slug_id, spec.env["DATABASE_URL"]) == (None, "", made.url)


def test_one_elsewhere(world: World) -> None:
    """By its attachment's name."""
    world.app()
    create(world)
    world.externals.attach(ROOT, "shop", URL, AttachmentName("HEROKU"), world.progress)
    psql(world, "HEROKU")
    assert world.runs.wanted[-1].env[VarName("PGHOST")].reveal() == "db.example.com"
    psql(world)
    assert "PGHOST" not in world.runs.wanted[-1].env
