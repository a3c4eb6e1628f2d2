"""Which hosts a user may have the server ask, on the real network of this machine."""

import socket
from pathlib import Path

import pytest

from paas.adapters.datastores.reach import NetworkReach
from paas.domain.values.errors import PaasError
from paas.interfaces import Reach
from paas.settings import Settings
from tests.fakes.datastores import FakeReach
from tests.own_address import own_address


@pytest.fixture(params=["fake", "real"])
def reach(request: pytest.FixtureRequest, tmp_path: Path) -> Reach:
    """Each of them."""
    if request.param == "fake":
        return FakeReach()
    return NetworkReach(Settings(state=tmp_path, run=tmp_path / "run", domain="example.com"))


def test_the_server_itself_is_not_asked(reach: Reach) -> None:
    """By its name."""
    with pytest.raises(PaasError) as caught:
        reach.address("localhost", 5432)
    assert caught.value.reference == "external-unreachable"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "0.0.0.0", "its own"])
def test_the_server_s_own_services_cannot_be_found_out(tmp_path: Path, host: str) -> None:
    """One that listens and one that does not look the same."""
    reach = NetworkReach(Settings(state=tmp_path, run=tmp_path / "run", domain="example.com"))
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = listener.getsockname()[1]
        asked = own_address() if host == "its own" else host
        told = []
        for one in (port, 1):
            with pytest.raises(PaasError) as caught:
                reach.address(asked, one)
            told.append(caught.value.message.replace(f":{one} ", ": "))
        assert told[0] == told[1]
        assert caught.value.reference == "external-unreachable"


def test_metadata_addresses_are_not_asked(tmp_path: Path) -> None:
    """Whatever apps may do."""
    settings = Settings(
        state=tmp_path, run=tmp_path / "run", domain="example.com", app_metadata=True
    )
    with pytest.raises(PaasError) as caught:
        NetworkReach(settings).address("169.254.169.254", 80)
    assert "metadata" in caught.value.message


def test_a_name_without_an_address(tmp_path: Path) -> None:
    """Is told as such."""
    reach = NetworkReach(Settings(state=tmp_path, run=tmp_path / "run", domain="example.com"))
    with pytest.raises(PaasError) as caught:
        reach.address("nothing.invalid", 5432)
    assert "its name has no address" in caught.value.message
