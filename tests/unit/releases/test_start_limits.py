"""How long an app may take to start: by hand, by app.json, by the server, within its ceiling."""

import json

import pytest

from paas.domain.manifest.appjson import parse_app_json
from paas.domain.releases.start_limits import StartLimits, parse_seconds
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName
from tests.fakes.runtime import Behaviour
from tests.fakes.world import ROOT, World

A = "a" * 40


def declare(world: World, limit: object) -> None:
    """Give the commit an app.json with that start limit."""
    world.repository.contents[A, "app.json"] = json.dumps({"start_limit": limit}).encode()


def silent_for(world: World) -> tuple[float, str]:
    """How long a push of an app that never listens waits, and what it then says."""
    world.runtime.behaviours["serve"] = Behaviour(listens=frozenset())
    world.probe.silent = True
    started = world.clock.seconds
    with pytest.raises(PaasError) as caught:
        world.push()
    assert caught.value.reference == "port-not-opened"
    return world.clock.seconds - started, f"{caught.value.report}\n{caught.value.hint}"


def test_the_nearest_one_counts() -> None:
    """And a value that is no longer allowed becomes the highest allowed one."""
    limits = StartLimits(60.0, 300.0)
    assert limits.of(None, None).seconds == 60
    assert limits.of(None, 120).seconds == 120
    assert limits.of(180, 120).seconds == 180
    assert limits.of(1000, None).seconds == 300
    assert StartLimits(600.0, 300.0).highest_s == 600


@pytest.mark.parametrize("text", ["", "0", "0s", "-1s", "1d", "1.5m", "180 s", "9" * 9, "\uff13s"])
def test_what_is_no_time(text: str) -> None:
    """Refused, not repaired."""
    with pytest.raises(PaasError, match="is not a time such as 90s or 3m"):
        parse_seconds(text)


def test_times() -> None:
    """In seconds, minutes, hours."""
    assert [parse_seconds(text) for text in ("45", "90s", "3m", "1h")] == [45, 90, 180, 3600]
    assert parse_app_json(b'{"start_limit": 45}').start_limit_s == 45
    assert parse_app_json(b'{"start_limit": "3m"}').start_limit_s == 180


@pytest.mark.parametrize("value", ['"soon"', "0", "true", "1.5", "[]", "null"])
def test_a_start_limit_of_app_json_that_is_none(value: str) -> None:
    """With its place."""
    with pytest.raises(PaasError, match=r"app\.json, line 1, column 17"):
        parse_app_json(f'{{"start_limit": {value}}}'.encode())


def test_by_hand_before_app_json_before_the_server(world: World) -> None:
    """The refusal says which limit it was, and how the app gets a longer one."""
    world.app()
    waited, told = silent_for(world)
    assert 60 <= waited < 65
    assert "within 60 s (start limit: the server's default)" in told
    assert "paas checks:set shop start-limit 180s" in told
    declare(world, "2m")
    waited, told = silent_for(world)
    assert 120 <= waited < 125
    assert "(start limit: app.json)" in told
    world.app_checks.set_start_limit(ROOT, "shop", "150s")
    waited, told = silent_for(world)
    assert 150 <= waited < 155
    assert "(start limit: checks:set)" in told
    world.app_checks.set_start_limit(ROOT, "shop", None)
    assert world.store.start_limits.of_app(1) is None


def test_the_ceiling(world: World) -> None:
    """By hand nothing is stored, by app.json nothing is built."""
    world.app()
    with pytest.raises(PaasError, match="900 s at most"):
        world.app_checks.set_start_limit(ROOT, "shop", "901s")
    assert world.store.start_limits.of_app(1) is None
    declare(world, 901)
    with pytest.raises(PaasError, match=r"app\.json asks for a start limit of 901 s"):
        world.push()
    assert "Fake app detected" not in " ".join(world.progress.lines)


def test_the_report(world: World) -> None:
    """What holds for the next start, and the checks of the live release."""
    world.app()
    assert world.app_checks.report(ROOT, "shop").limit.origin == "the server's default"
    declare(world, 120)
    world.push()
    found = world.app_checks.report(ROOT, "shop")
    assert (found.limit.seconds, found.limit.origin, found.highest_s) == (120, "app.json", 900)
    with pytest.raises(PaasError):
        world.app_checks.report(world.user("bob"), "shop")


def test_a_clone_takes_it_along(world: World) -> None:
    """It starts as slowly."""
    world.app()
    world.app_checks.set_start_limit(ROOT, "shop", "2m")
    made = world.cloning.clone(ROOT, "shop", AppName("copy"), world.progress)
    assert world.store.start_limits.of_app(made.id) == 120
