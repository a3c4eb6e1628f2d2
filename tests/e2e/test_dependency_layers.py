"""Slugs that share their dependencies, over the life of an app."""

from collections.abc import Callable

from tests.e2e.server import Repository, Server, User
from tests.e2e.tiny import app_id, tiny

MakeRepository = Callable[..., Repository]


def layers(server: Server, app: str) -> list[str]:
    """Those of an app, oldest first."""
    room = server.state / "dependencies" / str(app_id(server, app))
    return sorted(path.name for path in room.iterdir())


def test_each_release_has_the_dependencies_of_its_build(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """Pushes, rollbacks, one-off commands and promotions find what their slug was built with."""
    shown = "python -c 'import click; print(click.__file__)'"
    pushed = repository(tiny("first", **{"requirements.txt": "click\n"}))
    alice.push(pushed, "layered")
    (first,) = layers(server, "layered")
    pushed.commit(tiny("second", **{"requirements.txt": "click\n"}))
    alice.push(pushed, "layered")
    assert layers(server, "layered") == [first]
    assert alice.ssh("run", "-a", "layered", shown).stdout.startswith("/app/.venv/lib/python3")

    pushed.commit(tiny("third", **{"requirements.txt": "itsdangerous\n"}))
    alice.push(pushed, "layered")
    assert len(layers(server, "layered")) == 2
    assert alice.ssh("run", "-a", "layered", shown, check=False).returncode != 0

    alice.ssh("rollback", "-a", "layered", "v2")
    assert server.get("layered").text == "second"
    assert alice.ssh("run", "-a", "layered", shown).stdout.startswith("/app/.venv/lib/python3")
    assert server.paas("doctor", "-a", "layered", check=False).stdout.count("slug") == 0

    alice.ssh("apps:create", "layered-live")
    alice.ssh("pipelines:create", "layers", "-a", "layered", "--stage", "staging")
    alice.ssh("pipelines:add", "layers", "-a", "layered-live", "--stage", "production")
    alice.ssh("pipelines:promote", "-a", "layered")
    assert server.get("layered-live").text == "second"
    assert alice.ssh("run", "-a", "layered-live", shown).stdout.startswith("/app/.venv/lib/")
    room = server.state / "dependencies" / str(app_id(server, "layered-live"))
    assert not room.exists()

    room = server.state / "dependencies" / str(app_id(server, "layered"))
    alice.ssh("apps:destroy", "layered", "--confirm", "layered")
    assert not room.exists()
    assert server.get("layered-live").text == "second"
