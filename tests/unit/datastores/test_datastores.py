"""What users do with datastores, over fakes."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from paas.domain.datastores.datastores import Datastore, DatastoreState
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.plans import SMALL
from paas.domain.releases.releases import InstanceState, State
from paas.domain.runtime.workloads import Supervised
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from paas.entrypoints.cli.datastore_row import datastore_row
from paas.services.datastores.upkeep import SilentDatastores
from tests.fakes.runtime import Behaviour, FakeRuntime
from tests.fakes.world import ROOT, World

ORDER = (DatastoreKind.POSTGRESQL, SMALL)
NAME = "postgresql-quiet-otter-1234"


def create(world: World, app: str = "shop", wanted: str | None = None) -> Datastore:
    """A datastore of an app, made by root."""
    name = AttachmentName(wanted) if wanted else None
    return world.datastores.create(ROOT, app, ORDER, name, world.progress)


def refused(world: World, reference: str) -> pytest.RaisesExc[PaasError]:
    """An error of that reference."""
    return pytest.raises(PaasError, check=lambda error: error.reference == reference)


def test_a_new_one_serves_and_the_app_has_its_url(world: World) -> None:
    """In a release that contains nothing of it."""
    app = world.app()
    world.push()
    made = create(world)
    assert made.name == NAME
    found = world.store.datastores.find(NAME)
    assert found is not None
    assert found.state is DatastoreState.READY
    assert world.datastore_server.answers(made)
    env = world.environment()
    assert env["DATABASE_URL"] == env["HEROKU_POSTGRESQL_AMBER_URL"] == made.url.reveal()
    releases = world.store.releases.of_app(app.id)
    assert releases[0].description == f"Attach DATABASE, HEROKU_POSTGRESQL_AMBER ({NAME})"
    assert not any("DATABASE_URL" in release.config for release in releases)
    assert [client.uid for client in world.datastore_clients.clients] == [app.uid]


def test_a_scheme_stays_with_the_attachment(world: World) -> None:
    """Of a new one and of one that is there; one that its kind does not have changes nothing."""
    world.app()
    world.push()
    with refused(world, "datastore-scheme"):
        world.datastores.create(ROOT, "shop", ORDER, None, world.progress, scheme="mysql")
    assert world.store.datastores.all() == []
    scheme = "postgresql+psycopg"
    made = world.datastores.create(ROOT, "shop", ORDER, None, world.progress, scheme=scheme)
    assert world.environment()["DATABASE_URL"] == made.url_with(scheme).reveal()
    stats = AttachmentName("STATS")
    with refused(world, "datastore-scheme"):
        world.attachments.attach(ROOT, "shop", NAME, stats, world.progress, scheme="x")
    world.attachments.attach(ROOT, "shop", NAME, stats, world.progress)
    assert world.environment()["STATS_URL"] == made.url.reveal()
    world.releases.rollback(ROOT, "shop", 1, world.progress)
    assert world.environment()["DATABASE_URL"] == made.url_with(scheme).reveal()


def test_before_the_first_deploy(world: World) -> None:
    """The URL is there when the app comes."""
    world.app()
    made = create(world)
    world.push()
    assert world.environment()["DATABASE_URL"] == made.url.reveal()


def test_a_rollback_brings_back_no_former_url(world: World) -> None:
    """Nor takes the present one away."""
    world.app()
    world.push()
    made = create(world)
    world.releases.rollback(ROOT, "shop", 1, world.progress)
    assert world.environment()["DATABASE_URL"] == made.url.reveal()


def test_one_that_cannot_be_made_leaves_nothing(world: World) -> None:
    """Neither files, nor a process, nor numbers."""
    world.app()
    before = world.store.allocations.all()
    world.datastore_server.fail = PaasError("datastore-not-started", "It did not answer.")
    with refused(world, "datastore-not-started"):
        create(world)
    assert world.store.datastores.all() == []
    assert world.store.allocations.all() == before
    assert world.datastore_server.files == set()
    assert world.runtime.running == {}


def test_an_app_that_does_not_come_up_with_it(world: World) -> None:
    """It is there and not attached, and the user is told how to try again."""
    world.app()
    world.push()
    command = next(one.argv[-1] for one in world.runtime.running.values())
    world.runtime.break_new(command, Behaviour(State.CRASHED, exits=1))
    with pytest.raises(PaasError):
        create(world)
    assert world.store.datastores.attachments() == []
    assert world.datastore_clients.clients == []
    del world.runtime.behaviours[command]
    world.attachments.attach(ROOT, "shop", NAME, None, world.progress)
    assert "DATABASE_URL" in world.environment()


def test_only_root_has_it_installed(world: World) -> None:
    """A user is told who installs it."""
    alice = world.user("alice")
    world.app(actor=alice)
    world.datastore_server.has_programs = False
    with refused(world, "datastore-not-installed"):
        world.datastores.create(alice, "shop", ORDER, None, world.progress)
    assert create(world)
    with refused(world, "datastore-taken"):  # the same random name
        create(world)


def test_its_config_var_cannot_be_changed(world: World) -> None:
    """It is shown, and what an exported file repeats is no change."""
    world.app()
    made = create(world)
    shown = world.config.all(ROOT, "shop")
    assert shown[VarName("DATABASE_URL")] == made.url
    var = VarName("DATABASE_URL")
    with refused(world, "config-attached") as caught:
        world.config.set(ROOT, "shop", {var: "postgresql://elsewhere/x"}, world.progress)
    assert caught.value.hint == ("To use another database: paas addons:detach DATABASE -a shop")
    with refused(world, "config-attached"):
        world.config.unset(ROOT, "shop", [var], world.progress)
    world.config.set(ROOT, "shop", {var: made.url.reveal(), VarName("A"): "1"}, world.progress)
    app = world.store.apps.find("shop")
    assert app is not None
    release = world.store.releases.current(app)
    assert release is not None
    assert {*release.config} == {"A"}


def test_another_app_gets_it_and_loses_it(world: World) -> None:
    """Only by somebody who may configure both."""
    alice, bob = world.user("alice"), world.user("bob")
    shop, blog = world.app("shop", alice), world.app("blog", bob)
    create(world)
    with refused(world, "no-such-datastore"):
        world.attachments.attach(bob, "blog", NAME, None, world.progress)
    world.attachments.attach(ROOT, "blog", NAME, AttachmentName("SHOP"), world.progress)
    assert {client.uid for client in world.datastore_clients.clients} == {shop.uid, blog.uid}
    assert [one.owner for one in world.datastores.listing(bob, "blog")] == ["shop"]
    with refused(world, "datastore-of-another-app"):
        world.datastores.destroy(bob, "blog", NAME, NAME, world.progress)
    world.attachments.detach(bob, "blog", ["SHOP"], world.progress)
    assert {client.uid for client in world.datastore_clients.clients} == {shop.uid}
    with refused(world, "not-attached"):
        world.attachments.detach(bob, "blog", ["SHOP"], world.progress)


def test_destroying(world: World) -> None:
    """With its name repeated, and not while it is attached; then nothing is left."""
    world.app()
    create(world)
    with refused(world, "confirm"):
        world.datastores.destroy(ROOT, "shop", NAME, None, world.progress)
    with refused(world, "datastore-attached"):
        world.datastores.destroy(ROOT, "shop", NAME, NAME, world.progress)
    with refused(world, "app-has-datastores"):
        world.apps.destroy(ROOT, "shop", "shop", world.progress)
    for name in ("DATABASE", "HEROKU_POSTGRESQL_AMBER"):
        world.attachments.detach(ROOT, "shop", [name], world.progress)
    before = world.reserve.times
    world.datastores.destroy(ROOT, "shop", NAME, NAME, world.progress)
    assert world.reserve.times == before + 1  # it may be what has filled the disk
    assert world.store.datastores.all() == []
    assert world.datastore_server.files == set()
    assert world.runtime.running == {}
    world.apps.destroy(ROOT, "shop", "shop", world.progress)


def test_an_app_is_destroyed_with_its_datastores_by_their_names(world: World) -> None:
    """All of them, and nothing else; not while another app needs one."""
    world.app()
    world.push()
    create(world)
    world.app("blog")
    world.attachments.attach(ROOT, "blog", NAME, None, world.progress)

    def destroy(*names: str) -> None:
        world.apps.destroy(ROOT, "shop", "shop", world.progress, datastores=names)

    with refused(world, "app-has-datastores") as caught:
        destroy()
    assert f"apps:destroy shop --confirm shop --confirm {NAME}" in str(caught.value.hint)
    with refused(world, "no-such-datastore"):
        destroy(NAME, "postgresql-other-1")
    with refused(world, "datastore-attached"):
        destroy(NAME)
    world.attachments.detach(ROOT, "blog", [NAME], world.progress)
    assert "DATABASE_URL" in world.environment()
    destroy(NAME)
    assert world.store.apps.find("shop") is None
    assert world.store.datastores.all() == []
    assert world.datastore_server.files == set()
    assert world.runtime.running == {}


def test_a_destruction_that_fails_half_way_is_finished(world: World) -> None:
    """The datastore goes; the app is there until it is destroyed again."""
    world.app()
    made = create(world)
    world.store.datastores.give_up([made])
    assert world.reconcile.run(world.progress) >= 1
    assert world.store.datastores.all() == []
    world.apps.destroy(ROOT, "shop", "shop", world.progress)


def test_a_destroyed_app_reaches_nothing(world: World) -> None:
    """Its uid is given to another app one day."""
    world.app()
    blog = world.app("blog")
    create(world)
    world.attachments.attach(ROOT, "blog", NAME, None, world.progress)
    world.apps.destroy(ROOT, "blog", "blog", world.progress)
    assert blog.uid not in {client.uid for client in world.datastore_clients.clients}


def test_an_app_that_cannot_do_without_it(world: World) -> None:
    """It stays attached while the app runs; stopped, the app can lose it."""
    world.app()
    world.push()
    create(world)
    command = next(one.argv[-1] for one in world.runtime.running.values() if one.app_id)
    world.runtime.break_new(command, Behaviour(State.CRASHED, exits=1))
    with pytest.raises(PaasError):
        world.attachments.detach(ROOT, "shop", ["DATABASE"], world.progress)
    assert "DATABASE_URL" in world.store.datastores.attached_vars(1)
    world.processes.stop(ROOT, "shop", [], world.progress)
    world.attachments.detach(ROOT, "shop", ["DATABASE"], world.progress)
    assert "DATABASE_URL" not in world.store.datastores.attached_vars(1)


def test_which_one_is_meant(world: World) -> None:
    """By the name, that of an attachment, or without any if there is no doubt."""
    world.app()
    with refused(world, "which-datastore"):
        world.datastores.info(ROOT, "shop", None, None)
    create(world, wanted="STATS")
    for wanted in (None, "STATS", NAME):
        shown = world.datastores.info(ROOT, "shop", wanted, None)
        assert shown.datastore.name == NAME
        assert shown.figures is not None
    world.runtime.lose_all()
    assert world.datastores.info(ROOT, "shop", None, None).figures is None
    with refused(world, "no-such-datastore"):
        world.datastores.info(ROOT, "shop", "postgresql-other-1", None)


def test_a_start_brings_it_back(world: World) -> None:
    """After the supervisor has lost all."""
    world.app()
    made = create(world)
    world.runtime.lose_all()
    world.datastore_clients.clients = []
    assert world.reconcile.run(world.progress) >= 1
    assert world.datastore_server.answers(made)
    assert world.datastore_clients.clients
    assert world.datastore_server.refreshed == [NAME]
    assert world.reconcile.run(world.progress) == 0


@pytest.mark.parametrize("state", [DatastoreState.PENDING, DatastoreState.REMOVED])
def test_what_was_interrupted_is_removed(world: World, state: DatastoreState) -> None:
    """Whether it was being made or destroyed, unless somebody still does."""
    app = world.app()
    made = create(world)
    for one in world.store.datastores.attachments():
        world.attachments.detach(ROOT, "shop", [one.name], world.progress)
    world.store.datastores.set_state(made.name, state)
    with world.locks.app(app.id, "makes it"):
        world.reconcile.run(world.progress)
        assert world.store.datastores.all()
    world.reconcile.run(world.progress)
    assert world.store.datastores.all() == []
    assert world.datastore_server.files == set()


def test_an_app_may_not_have_many(world: World) -> None:
    """They take memory and disk of the whole server."""
    app = world.app()
    for number in range(5):
        world.store.database.write(
            "INSERT INTO datastores (name, kind, version, plan, app_id, uid, port, state, "
            "password, created_at) VALUES (?, 'postgresql', 15, 'small', ?, ?, ?, 'ready', 'x', "
            "'2026-01-01T00:00:00+00:00')",
            f"postgresql-x-{number}",
            app.id,
            70100 + number,
            31100 + number,
        )
    with refused(world, "too-many-datastores"):
        create(world)


def test_doctor_reports_one_that_is_down_or_half_made(world: World) -> None:
    """And mends it."""
    world.app()
    made = create(world)
    diagnosis = world.doctor.diagnosis
    assert [found for found in diagnosis.findings() if found.check == "datastores"] == []
    world.runtime.lose_all()
    (found,) = [found for found in diagnosis.findings() if found.check == "datastores"]
    assert found.message == f"The server of {NAME} does not answer."
    world.reconcile.run(world.progress)
    world.store.datastores.set_state(made.name, DatastoreState.REMOVED)
    (found,) = [found for found in diagnosis.findings() if found.check == "datastores"]
    assert found.message == f"Creating or destroying {NAME} was interrupted."


def test_doctor_mends_who_may_reach_them_and_their_files(world: World) -> None:
    """What is not as the database says, or as it was made; a change by hand is undone."""
    world.app()
    made = create(world)
    world.datastore_clients.clients = []
    world.datastore_files.wrong[made.name] = ["/srv/datastores/1/data is missing"]
    diagnosis, before = world.doctor.diagnosis, list(world.datastore_server.refreshed)
    found = [one for one in diagnosis.findings() if one.check == "datastores"]
    assert [one.message for one in found] == [
        "The apps with access to datastores are not those in the database.",
        f"{NAME}: /srv/datastores/1/data is missing.",
    ]
    assert all(one.mends for one in found)
    world.doctor.fix(ROOT, world.progress)
    assert [one for one in diagnosis.findings() if one.check == "datastores"] == []
    assert [client.port for client in world.datastore_clients.clients] == [made.port]
    assert world.datastore_server.refreshed[len(before) :] == [NAME]


def test_one_that_is_being_changed_is_left_alone(world: World) -> None:
    """A command may have written half of its files."""
    world.app()
    made = create(world)
    world.datastore_files.wrong[made.name] = ["/srv/datastores/1/data is missing"]
    with world.locks.app(made.app_id, "somebody configures it"):
        assert world.doctor.diagnosis.findings() == []


class Stopped(FakeRuntime):
    """That of a server which is stopped."""

    def states(self, supervised: Sequence[Supervised]) -> dict[str, InstanceState]:
        """Nobody answers."""
        raise PaasError("supervisor-down", "supervisord does not answer.")


def silent(world: World) -> SilentDatastores:
    """Those that were asked and do not answer."""
    return world.doctor.diagnosis.datastores.upkeep.silent()


def test_each_is_asked_once(world: World) -> None:
    """Since one that hangs answers nobody for a while."""
    world.app()
    made = create(world)
    world.datastore_server.asked.clear()
    assert silent(world) == SilentDatastores()
    assert world.datastore_server.asked == [made.name]


def test_what_admins_see_of_all(world: World) -> None:
    """How many, which do not run or answer, which have no backup, and what is on the disk."""
    world.app()
    assert datastore_row(world.datastore_overview.look(silent(world))) is None
    made = create(world)
    folder = world.settings.paths.datastores / str(made.id)
    folder.mkdir(parents=True)
    (folder / "data").write_bytes(b"x" * 3_000_000)
    found = world.datastore_overview.look(silent(world))
    assert (found.kinds, found.not_running) == ({"postgresql": 1, "mysql": 0, "redis": 0}, [])
    assert found.disk_bytes >= 3_000_000
    row = datastore_row(found)
    assert row is not None
    assert row[1].startswith("1 PostgreSQL; 2.9 MiB")
    world.clock.sleep(27 * 3600)
    assert world.datastore_overview.look(silent(world)).without_backup == [NAME]
    world.datastore_server.files.clear()
    assert world.datastore_overview.look(silent(world)).not_answering == [NAME]
    world.runtime.lose_all()
    found = world.datastore_overview.look(silent(world))
    assert (found.not_running, found.not_answering) == ([NAME], [])
    row = datastore_row(found)
    assert row is not None
    assert row[1].endswith(f"; not running: {NAME}; without a recent backup: {NAME}")
    stopped = replace(world.datastore_overview, runtime=Stopped())
    assert stopped.look(silent(world)).not_running == [NAME]
    warnings = [one.message for one in world.doctor.warnings(silent(world))]
    assert f"The server of {NAME} does not answer." in warnings
