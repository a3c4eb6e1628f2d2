"""What a Reserve promises on a full disk, for the fake and the real one alike."""

import os
from collections.abc import Callable

import pytest

from paas.adapters.server.disk_reserve import DiskReserve
from paas.interfaces import Reserve
from tests.contract.server.test_disk_reserve import MakeDisk, fill, free_mib
from tests.fakes.guarding import FakeReserve

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


class Kind:
    """A reserve of one kind. has_room: whether something can be written now."""

    def __init__(self, reserve: Reserve, has_room: Callable[[], bool]) -> None:
        self.reserve = reserve
        self.has_room = has_room


@pytest.fixture(params=["fake", "real"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind, kept while there was room, on a disk that is full now."""
    if request.param == "fake":
        fake = FakeReserve()
        fake.keep()
        return Kind(fake, lambda: fake.is_given_up)
    new_disk: MakeDisk = request.getfixturevalue("new_disk")
    disk = new_disk("")
    real = DiskReserve(disk / "reserve", 4)
    real.keep()
    fill(disk)
    return Kind(real, lambda: free_mib(disk) >= 3)


def test_there_is_room_inside_the_block_alone(kind: Kind) -> None:
    """Each time; also where it ends with an error."""
    for _ in range(2):
        assert not kind.has_room()
        with pytest.raises(ZeroDivisionError), kind.reserve.released():
            assert kind.has_room()
            raise ZeroDivisionError
    assert not kind.has_room()


def test_keeping_it_again_changes_nothing(kind: Kind) -> None:
    """On a disk that is full there is nothing to take, and nothing is given up."""
    kind.reserve.keep()
    assert not kind.has_room()
    with kind.reserve.released():
        assert kind.has_room()
