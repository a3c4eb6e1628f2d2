"""Which datastore an app has as its first, and several attachments at once, over fakes."""

import pytest

from paas.domain.datastores.datastores import Attachment
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.names import DatastoreName
from paas.domain.datastores.promotion import promotion
from paas.domain.releases.releases import State
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from tests.fakes.runtime import Behaviour
from tests.fakes.world import ROOT, World
from tests.unit.datastores.test_datastores import NAME, create, refused

OTHER = "postgresql-other-1"


@pytest.fixture
def two(world: World) -> None:
    """An app with two: NAME as DATABASE and AMBER, and one of blog as STATS."""
    world.app("blog")
    made = create(world, "blog", "OWN")
    world.store.database.write("UPDATE datastores SET name = ? WHERE id = ?", OTHER, made.id)
    sealed = world.store.sealing.seal(f"The password of the datastore {OTHER}", "other")
    world.store.database.write("UPDATE datastores SET password = ? WHERE id = ?", sealed, made.id)
    world.app()
    world.push()
    create(world)
    world.attachments.attach(ROOT, "shop", OTHER, AttachmentName("STATS"), world.progress)


def promote(world: World, wanted: str) -> None:
    """The command, by root."""
    kind = DatastoreKind.POSTGRESQL
    world.attachments.promote(ROOT, "shop", wanted, kind, world.progress)


def names(world: World) -> dict[str, DatastoreName]:
    """The attachments of shop."""
    app = world.store.apps.find("shop")
    assert app is not None
    return {one.name: one.datastore for one in world.store.datastores.attachments(app_id=app.id)}


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("wanted", ["STATS", OTHER])
def test_another_becomes_the_first(world: World, wanted: str) -> None:
    """As a release; the former one keeps its color."""
    promote(world, wanted)
    assert names(world) == {
        "DATABASE": OTHER,
        "STATS": OTHER,
        "HEROKU_POSTGRESQL_AMBER": NAME,
    }
    assert world.environment()["DATABASE_URL"] == world.environment()["STATS_URL"]
    app = world.store.apps.find("shop")
    assert app is not None
    release = world.store.releases.current(app)
    assert release is not None
    assert release.description == f"Promote {OTHER} to DATABASE"
    promote(world, wanted)
    assert world.progress.lines[-1].endswith(f"DATABASE_URL is already the URL of {OTHER}")


@pytest.mark.usefixtures("two")
def test_a_former_one_without_another_name_gets_a_color(world: World) -> None:
    """So it is not lost."""
    world.attachments.detach(ROOT, "shop", ["HEROKU_POSTGRESQL_AMBER"], world.progress)
    promote(world, "STATS")
    assert names(world)["HEROKU_POSTGRESQL_AMBER"] == NAME


@pytest.mark.usefixtures("two")
def test_an_app_that_does_not_come_up_with_it(world: World) -> None:
    """Has what it had."""
    before = names(world)
    world.runtime.break_new("serve", Behaviour(State.CRASHED, exits=1))
    with pytest.raises(PaasError):
        promote(world, "STATS")
    assert names(world) == before


@pytest.mark.usefixtures("two")
def test_a_variable_that_was_set_by_hand_is_not_hidden(world: World) -> None:
    """It would be back when the datastore is detached."""
    world.attachments.detach(ROOT, "shop", ["DATABASE"], world.progress)
    world.config.set(ROOT, "shop", {VarName("DATABASE_URL"): "postgresql://h/d"}, world.progress)
    with refused(world, "attachment-taken"):
        promote(world, "STATS")
    with refused(world, "not-attached"):
        promote(world, "NOTHING")


@pytest.mark.usefixtures("two")
def test_all_attachments_of_one_in_one_roll_out(world: World) -> None:
    """By the datastore's name, beside another by that of the attachment."""
    app = world.store.apps.find("shop")
    assert app is not None
    before = len(world.store.releases.of_app(app.id))
    with refused(world, "not-attached"):
        world.attachments.detach(ROOT, "shop", [NAME, "NOTHING"], world.progress)
    world.attachments.detach(ROOT, "shop", [NAME, "STATS"], world.progress)
    assert names(world) == {}
    assert len(world.store.releases.of_app(app.id)) == before + 1
    assert "DATABASE_URL" not in world.environment()


def one(name: str, datastore: str) -> Attachment:
    """An attachment of app 1."""
    return Attachment(1, AttachmentName(name), DatastoreName(datastore))


POSTGRESQL = one("DATABASE", "postgresql-a-1")
KINDS = {
    DatastoreName("postgresql-a-1"): DatastoreKind.POSTGRESQL,
    DatastoreName("mysql-a-1"): DatastoreKind.MYSQL,
    DatastoreName("mysql-b-2"): DatastoreKind.MYSQL,
}


def promoted(*present: Attachment, taken: tuple[str, ...] = ()) -> dict[str, str]:
    """What there is once the last one was promoted, by name."""
    used = {*taken, *(attached.name for attached in present)}
    changed = promotion(present[-1], present, KINDS, used)
    stay = [attached for attached in present if attached not in changed.removed]
    return {attached.name: attached.datastore for attached in (*stay, *changed.added)}


def test_all_first_names_of_a_kind_go_together() -> None:
    """As they came with the first one, which gets one color for both."""
    former = one("DATABASE", "mysql-a-1"), one("JAWSDB", "mysql-a-1")
    assert promoted(*former, one("JAWSDB_AMBER", "mysql-b-2")) == {
        "DATABASE": "mysql-b-2",
        "JAWSDB": "mysql-b-2",
        "JAWSDB_AMBER": "mysql-b-2",
        "JAWSDB_AQUA": "mysql-a-1",
    }


def test_a_first_name_of_another_kind_stays_there() -> None:
    """An app with both has PostgreSQL as its DATABASE, or whatever was set by hand."""
    former, wanted = one("JAWSDB", "mysql-a-1"), one("JAWSDB_AMBER", "mysql-b-2")
    found = promoted(POSTGRESQL, former, wanted)
    assert (found["DATABASE"], found["JAWSDB"]) == ("postgresql-a-1", "mysql-b-2")
    assert promoted(former, wanted, taken=("DATABASE",))["JAWSDB"] == "mysql-b-2"
    with pytest.raises(PaasError) as caught:
        promoted(one("DATABASE", "mysql-a-1"), one("STATS", "postgresql-a-1"))
    assert caught.value.reference == "attachment-taken"
    assert "mysql-a-1, which is MariaDB" in str(caught.value)


def test_it_is_the_first_already() -> None:
    """Nothing changes."""
    first = one("DATABASE", "mysql-a-1"), one("JAWSDB", "mysql-a-1")
    assert promotion(first[1], first, KINDS, {"DATABASE", "JAWSDB"}).added == ()


def test_waiting_for_it(world: World) -> None:
    """Until it answers; not for one that never does, nor for one that is gone."""
    world.app()
    create(world)
    kind = DatastoreKind.POSTGRESQL
    world.datastores.wait(ROOT, "shop", None, kind, world.progress)
    world.runtime.lose_all()
    with refused(world, "datastore-down"):
        world.datastores.wait(ROOT, "shop", None, kind, world.progress)
    assert world.clock.monotonic() >= 600
