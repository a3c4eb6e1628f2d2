"""``logs --service`` shows the log of a datastore's server to those who see the app's log."""

import os
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import SMALL
from paas.domain.people.actors import Actor
from paas.domain.values.errors import PaasError
from paas.entrypoints.cli.command_table import root
from paas.entrypoints.cli.session import Session
from paas.wiring.services import all_services
from tests.fakes.world import ROOT, World


def shown(world: World, actor: Actor, *words: str) -> str:
    """What the command prints."""
    caller: Any = SimpleNamespace()
    session = Session(all_services(world.adapters), actor, lambda: False, caller, {})
    return CliRunner().invoke(root, ["logs", *words], obj=session, catch_exceptions=False).output


@pytest.fixture
def named(world: World) -> str:
    """A datastore of shop that logged something."""
    world.app()
    order = (DatastoreKind.POSTGRESQL, SMALL)
    made = world.datastores.create(ROOT, "shop", order, None, world.progress)
    world.store.database.write("UPDATE datastores SET uid = ?", os.getuid())
    directory = world.folder / "datastores" / str(made.id) / "log"
    directory.mkdir(parents=True)
    (directory / "postgresql-Mon.log").write_text("one\nred \x1b[31m\n")
    return made.name


def test_its_lines(world: World, named: str) -> None:
    """By its name or an attachment's; nothing of them reaches the terminal's cursor."""
    assert shown(world, ROOT, "-a", "shop", "--service", named) == "one\nred \\x1b[31m\n"
    assert shown(world, ROOT, "-a", "shop", "--service", "DATABASE", "-n", "1", "--json") == (
        f'{{"service": "{named}", "text": "red \\u001b[31m"}}\n'
    )


def test_who_sees_it(world: World, named: str) -> None:
    """Nobody who may not see the app; and not by way of an app that does not have it."""
    bob = world.user("bob")
    world.app("blog", bob)
    for app in ("shop", "blog"):
        with pytest.raises(PaasError) as caught:
            shown(world, bob, "-a", app, "--service", named)
        assert caught.value.reference in {"no-such-app", "no-such-datastore"}


def test_filters_of_the_apps_log(world: World, named: str) -> None:
    """There are none."""
    with pytest.raises(PaasError) as caught:
        shown(world, ROOT, "-a", "shop", "--service", named, "--source", "app")
    assert caught.value.reference == "logs-service"
