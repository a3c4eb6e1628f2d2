"""What root does without the gate is recorded, and goes on where it cannot be."""

import pytest

from paas.domain.audit.events import State
from paas.domain.audit.views import AuditFilter
from paas.domain.people.origins import Origin
from paas.domain.values.errors import PaasError
from paas.services.audit.by_root import RootRecord
from tests.fakes.world import ROOT, World


def record(world: World, warnings: list[str]) -> RootRecord:
    """With the world's trail."""
    origin = Origin(login="alice")
    return RootRecord(
        trail=world.audit_trail, clock=world.clock, origin=origin, warn=warnings.append
    )


def test_a_command_of_root_is_recorded_with_how_it_ended(world: World) -> None:
    """Who became root, how long it took, and the error."""
    recording = record(world, [])
    with recording.of("install.sh", "1.2.3"):
        world.clock.sleep(2)
    with pytest.raises(PaasError), recording.of("server:start"):
        raise PaasError("server-not-started", "It did not come up.")
    with pytest.raises(KeyboardInterrupt), recording.of("server:stop"):
        raise KeyboardInterrupt
    events = world.audit.latest(ROOT, AuditFilter(), 100)
    assert [(e.command, e.words, e.state, e.error) for e in events] == [
        ("install.sh", ("1.2.3",), State.DONE, None),
        ("server:start", (), State.FAILED, "server-not-started"),
        ("server:stop", (), State.FAILED, None),
    ]
    assert {(e.user, e.via) for e in events} == {("root", "sudo:alice")}
    assert events[0].ms is not None
    assert 2_000 <= events[0].ms < 2_100


def test_it_goes_on_if_it_cannot_be_recorded(world: World) -> None:
    """A full disk does not keep a server from being started."""
    world.audit_trail.failure = lambda: PaasError("disk-full", "The disk is full.")
    warnings: list[str] = []
    with record(world, warnings).of("server:start"):
        warnings.append("it runs")
    assert warnings[0].startswith("This is not recorded in the audit trail. The disk is full.")
    assert warnings[1:] == ["it runs"]
