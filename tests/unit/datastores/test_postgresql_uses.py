"""Settings and extensions of PostgreSQL: what may be chosen, by whom, and what a failure leaves."""

import pytest

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.extensions import Extension, Maker, package_with
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import SMALL, STANDARD
from paas.domain.datastores.postgresql_settings import (
    SETTINGS,
    chosen,
    read_value,
    refuse_unfit,
    setting_named,
)
from paas.domain.people.actors import Actor
from paas.domain.values.errors import PaasError
from tests.fakes.world import ROOT, World


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("log-statement", "DDL", "ddl"),
        ("log-min-duration-statement", "500", "500ms"),
        ("log_min_duration_statement", "never", "-1"),
        ("statement_timeout", "2min", "120000ms"),
        ("work_mem", "8MB", "8192kB"),
        ("random_page_cost", "1.1", "1.1"),
        ("jit", "off", "off"),
    ],
)
def test_values_that_may_be(name: str, text: str, value: str) -> None:
    """As PostgreSQL takes them; names also with Heroku's dashes."""
    setting = setting_named(name)
    assert read_value(setting, text, SMALL) == value
    assert setting.read(value, SMALL) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("log_statement", "everything"),
        ("statement_timeout", "-1"),
        ("statement_timeout", "2 days"),
        ("statement_timeout", "25h"),
        ("work_mem", "64"),
        ("work_mem", "1GB"),
        ("work_mem", "8MB\nport = 1"),
        ("shared_buffers", "1MB"),
        ("random_page_cost", "nan"),
        ("default_statistics_target", "0"),
        ("default_statistics_target", "٣"),
        ("jit", "on'"),
    ],
)
def test_values_that_may_not_be(name: str, text: str) -> None:
    """They are refused with what may be."""
    with pytest.raises(PaasError) as caught:
        read_value(setting_named(name), text, SMALL)
    assert caught.value.reference == "pg-setting-value"


@pytest.mark.parametrize("name", ["port", "archive_command", "max_connections", "shop"])
def test_other_settings_are_the_platform_s(name: str) -> None:
    """Also those that PostgreSQL has."""
    with pytest.raises(PaasError, match="not a setting"):
        setting_named(name)


def made(world: World) -> Datastore:
    """A PostgreSQL of the app shop, as it is in the store now."""
    if not world.store.datastores.all():
        world.app()
        order = (DatastoreKind.POSTGRESQL, SMALL)
        world.datastores.create(ROOT, "shop", order, None, world.progress)
    return world.store.datastores.all()[0]


def put(world: World, name: str, text: str | None, *, restart: bool = False) -> None:
    """What pg:settings:set and pg:settings:unset do."""
    change = (SETTINGS[name], text)
    world.postgresql.set_setting(ROOT, "shop", None, change, world.progress, restart=restart)


def test_a_setting_is_followed_and_kept(world: World) -> None:
    """Until it is unset."""
    one = made(world)
    put(world, "work_mem", "8MB")
    assert chosen(made(world)) == {"work_mem": "8192kB"}
    assert world.postgresql_servers.in_force[one.name] == {"work_mem": "8192kB"}
    shown = {each.setting.name: each for each in world.postgresql.settings(ROOT, "shop", None)}
    assert (shown["work_mem"].value, shown["jit"].chosen) == ("8192kB", None)
    put(world, "work_mem", None)
    assert chosen(made(world)) == {}
    assert world.postgresql_servers.in_force[one.name] == {}


def test_a_fork_has_the_settings(world: World) -> None:
    """From its first start."""
    made(world)
    put(world, "work_mem", "8MB")
    world.archive_jobs.run_due(world.progress)
    world.random_name = "loud-crow-5678"
    new = world.forks.fork(ROOT, "shop", None, None, None, world.progress, lambda _name: None)
    assert chosen(new) == {"work_mem": "8192kB"}


def test_what_the_server_does_not_take_is_put_back(world: World) -> None:
    """In the store as well."""
    made(world)
    put(world, "work_mem", "8MB")
    world.postgresql_servers.fail = PaasError("datastore-not-switched", "It did not.")
    with pytest.raises(PaasError, match="did not"):
        put(world, "work_mem", "16MB")
    assert chosen(made(world)) == {"work_mem": "8192kB"}


def test_a_setting_that_needs_a_restart(world: World) -> None:
    """It is restarted if that was asked for, and has its former settings if it does not come up."""
    one = made(world)
    with pytest.raises(PaasError) as caught:
        put(world, "shared_buffers", "64MB")
    assert caught.value.reference == "pg-setting-restart"
    put(world, "shared_buffers", "64MB", restart=True)
    assert chosen(made(world)) == {"shared_buffers": "65536kB"}
    world.datastore_server.fail = PaasError("datastore-not-started", "It did not.")
    with pytest.raises(PaasError, match="did not"):
        put(world, "shared_buffers", "128MB", restart=True)
    world.datastore_server.fail = None
    assert chosen(made(world)) == {"shared_buffers": "65536kB"}
    assert world.datastore_server.answers(one)


def test_a_plan_that_is_too_small_for_a_setting(world: World) -> None:
    """It is named."""
    made(world)
    world.store.datastores.set_plan(made(world).name, STANDARD)
    put(world, "work_mem", "100MB")
    with pytest.raises(PaasError, match="work_mem"):
        refuse_unfit(made(world), SMALL)
    refuse_unfit(made(world), STANDARD)


def test_extensions_by_who_makes_them(world: World) -> None:
    """What is there stays; what is refused says why; a package is named."""
    one = made(world)
    for _ in range(2):
        world.postgresql.make_extension(ROOT, "shop", None, "pgrowlocks", world.progress)
    assert world.postgresql_servers.made == {one.name: ["pgrowlocks"]}
    found = {each.name: each for each in world.postgresql.extensions(ROOT, "shop", None)}
    assert found["pgrowlocks"].installed
    assert found["hstore"].maker is Maker.APP
    for name, words in (("file_fdw", "reads files"), ("postgis", "no extension")):
        with pytest.raises(PaasError, match=words):
            world.postgresql.make_extension(ROOT, "shop", None, name, world.progress)
    assert package_with("postgis", "17") == "postgresql-17-postgis-3"
    unknown = Extension("odd", "1", None, free=False, comment="")
    assert unknown.maker is Maker.NOBODY
    assert "superuser" in unknown.refusal


def test_only_the_app_that_has_it_changes_it(world: World) -> None:
    """Whoever may not see the app does not even learn of it."""
    made(world)
    bob: Actor = world.user("bob")
    with pytest.raises(PaasError, match="no app"):
        world.postgresql.settings(bob, "shop", None)
    blog = world.app("blog")
    world.attachments.attach(ROOT, "blog", made(world).name, None, world.progress)
    change = (SETTINGS["jit"], "off")
    with pytest.raises(PaasError, match="belongs to"):
        world.postgresql.set_setting(ROOT, blog.name, None, change, world.progress, restart=False)
