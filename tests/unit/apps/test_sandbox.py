"""What an app's processes may do: settings that hold from their next start on."""

import pytest

from paas.domain.releases.artifacts import DOCKER, NATIVE
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName
from tests.fakes.world import ROOT, World


def is_read_only(world: World, name: str = "shop") -> bool:
    """What the report says."""
    return world.sandbox.settings(ROOT, name).read_only


def test_read_only_is_for_containers(world: World) -> None:
    """A server without Docker refuses it; it can be switched off there all the same."""
    world.app()
    with pytest.raises(PaasError, match="shop does not run in containers") as caught:
        world.sandbox.set_read_only(ROOT, "shop", read_only=True)
    assert caught.value.reference == "not-in-containers"
    world.sandbox.set_read_only(ROOT, "shop", read_only=False)
    assert not is_read_only(world)


def test_an_app_that_runs_natively_is_refused(world: World) -> None:
    """Before its first release it is not known what it will be; a copy has the same setting."""
    world.by_name[DOCKER] = world.by_name[NATIVE]
    world.app()
    world.sandbox.set_read_only(ROOT, "shop", read_only=True)
    assert is_read_only(world)
    world.cloning.clone(ROOT, "shop", AppName("copy"), world.progress)
    assert is_read_only(world, "copy")
    world.push("copy")
    with pytest.raises(PaasError, match="cannot write to the system's files anyway"):
        world.sandbox.set_read_only(ROOT, "copy", read_only=True)
