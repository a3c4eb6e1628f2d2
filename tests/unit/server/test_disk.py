"""Disk usage: what each user is shown, and in which form."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from paas.domain.people.actors import Actor
from paas.domain.people.users import Role
from paas.domain.releases.losses import LostFile
from paas.domain.values.errors import PaasError
from paas.entrypoints.cli.command_table import root
from paas.entrypoints.cli.session import Session
from paas.services.server.disk import OwnerDisk
from paas.wiring.services import all_services
from tests.fakes.world import ROOT, World

MIB = 1024**2


@pytest.fixture
def filled(world: World) -> World:
    """Alice has two apps, bob one, the operator one."""
    alice, bob = world.user("alice"), world.user("bob")
    for name, actor, size in (("shop", alice, 2), ("blog", alice, 1), ("wiki", bob, 4)):
        app = world.app(name, actor)
        folder = world.folder / "cache" / str(app.id)
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"x" * size * MIB)
    world.app("tool")
    return world


def test_a_member_sees_their_own(filled: World) -> None:
    """The largest first, and nothing about others or the server."""
    found = filled.disk.report(filled.actor("alice"), None)
    assert [one.app.name for one in found.apps] == ["shop", "blog"]
    assert found.apps[0].usage.cache >= 2 * MIB
    assert found.total_bytes == sum(one.usage.total for one in found.apps)
    assert (found.owners, found.server) == ((), None)


def test_an_admin_sees_all(filled: World) -> None:
    """Each app, each owner's total, and the disk."""
    found = filled.disk.report(ROOT, None)
    assert [one.app.name for one in found.apps] == ["wiki", "shop", "blog", "tool"]
    assert [(owner.name, owner.apps) for owner in found.owners] == [
        ("bob", 1),
        ("alice", 2),
        ("root", 1),
    ]
    assert isinstance(found.owners[0], OwnerDisk)
    assert sum(owner.total_bytes for owner in found.owners) == found.total_bytes
    assert found.server is not None
    assert found.server.free_bytes < found.server.size_bytes


def test_one_app(filled: World) -> None:
    """Somebody else's app does not exist."""
    (one,) = filled.disk.report(filled.actor("bob"), "wiki").apps
    assert one.app.name == "wiki"
    with pytest.raises(PaasError, match="no app"):
        filled.disk.report(filled.actor("bob"), "shop")


def test_what_layers_take_is_no_part_of_the_total(filled: World) -> None:
    """It is memory, not disk space."""
    filled.push("shop")
    (before,) = filled.disk.report(ROOT, "shop").apps
    filled.layers.everywhere = (LostFile("/app/a.db", 8_192, own_directory=True),)
    (after,) = filled.disk.report(ROOT, "shop").apps
    assert (before.layers_bytes, after.layers_bytes) == (0, 8_192)
    assert before.usage == after.usage


def shown(world: World, actor: Actor, *words: str, app: str | None = None) -> str:
    """What the command prints."""
    services = all_services(world.adapters)
    caller: Any = SimpleNamespace()
    session = Session(services, actor, lambda: False, caller, {}, default_app=app)
    return CliRunner().invoke(root, words, obj=session, catch_exceptions=False).output


@pytest.mark.parametrize("role", list(Role))
def test_tables_fit_80_columns(filled: World, role: Role) -> None:
    """However long the names and however large the sizes."""
    user = filled.user("a-user-with-quite-a-long-name", role)
    app = filled.app("x" * 30, user)
    for part in ("storage", "cache", "slugs"):
        path = filled.folder / part / (f"{app.id}-1" if part == "slugs" else str(app.id))
        path.mkdir(parents=True)
        (path / "file").write_bytes(b"x" * (10 * MIB + 700_000))
    words = ("--terminal", "80", "false", "--stdout-terminal", "disk")
    lines = shown(filled, user, *words).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split()[0] == "App"
    assert "Total" in lines[0]
    assert "10.7 MiB" in lines[1]


def test_json(filled: World) -> None:
    """Numbers in bytes; the parts for admins only if they ask for all apps."""
    mine = json.loads(shown(filled, filled.actor("alice"), "disk", "--json"))
    assert set(mine) == {"apps", "total_bytes"}
    assert mine["total_bytes"] == sum(app["total_bytes"] for app in mine["apps"])
    every = json.loads(shown(filled, ROOT, "disk", "--json"))
    assert {"owners", "trash_bytes", "free_disk_bytes", "disk_bytes"} <= set(every)
    assert set(json.loads(shown(filled, ROOT, "disk", "wiki", "--json"))) == {"apps", "total_bytes"}


def test_in_an_apps_repository(filled: World) -> None:
    """It shows that app, unless all are asked for."""
    alice = filled.actor("alice")
    assert len(json.loads(shown(filled, alice, "disk", "--json", app="shop"))["apps"]) == 1
    assert len(json.loads(shown(filled, alice, "disk", "--all", "--json", app="shop"))["apps"]) == 2
