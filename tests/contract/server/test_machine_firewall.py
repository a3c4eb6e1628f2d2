"""Ports of instances that the firewall has no claims of: found, but for those that just ended."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.datastores.client_file import write_clients
from paas.adapters.network.firewall import NftFirewall
from paas.adapters.server.machine import ServerMachine
from paas.domain.datastores.datastores import Client
from paas.domain.server.findings import Finding
from paas.settings import Settings
from tests.fakes.output import FakeProgress
from tests.ports import free_range

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root")
PORTS = free_range()
SPEC = json.dumps({"uid": 70_001, "ports": [PORTS[1]]})


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A server whose rules are loaded, without claims; it does not run."""
    etc, state, run, opt = (tmp_path / name for name in ("etc", "var", "run", "opt"))
    made = Settings(
        etc=etc,
        state=state,
        run=run,
        opt=opt,
        account="root",
        ports=(PORTS[0], PORTS[-1]),
        uids=(70_000, 70_009),
        min_free_mib=0,
    )
    for path in (etc, state, opt, made.paths.specs):
        path.mkdir(parents=True)
    firewall = NftFirewall(made)
    firewall.install()
    yield made
    firewall.remove()


def _unclaimed(settings: Settings) -> list[str]:
    findings = ServerMachine(settings).findings()
    return [found.message for found in findings if "claimed for no app" in found.message]


def test_an_instance_without_its_claim_is_found(settings: Settings) -> None:
    """Until it has it again; its port is named."""
    (settings.paths.specs / "7-v1-1-web.1.json").write_text(SPEC)
    (message,) = _unclaimed(settings)
    assert f"({PORTS[1]})" in message
    NftFirewall(settings).claim([(PORTS[1], 70_001)])
    assert _unclaimed(settings) == []


def test_an_instance_that_ends_during_the_look_is_not(settings: Settings) -> None:
    """A stop gives the claim back a moment before it deletes the launch spec."""
    spec = settings.paths.specs / "7-v1-1-web.1.json"
    os.mkfifo(spec)  # who reads it waits for what is written below

    def stop() -> None:
        with spec.open("w") as file:
            spec.unlink()
            file.write(SPEC)

    stopping = threading.Thread(target=stop)
    stopping.start()
    assert _unclaimed(settings) == []
    stopping.join()


def test_datastores_that_others_reach_are_found_and_mended(settings: Settings) -> None:
    """An app that is not let, and one that is and may not; the file says who may."""
    machine, firewall = ServerMachine(settings), NftFirewall(settings)
    port = settings.service_ports[0]
    client = Client(70_001, "postgresql-x.paas.internal", port)
    write_clients(settings, [client])

    def differ() -> list[Finding]:
        return [found for found in machine.findings() if "rules for datastores" in found.message]

    (found,) = differ()
    assert (found.check, found.mends) == ("firewall", True)
    assert f"(ports {port})" in found.message
    machine.mend([found], FakeProgress())
    assert firewall.clients() == {(port, client.uid)}
    assert differ() == []
    firewall.let_clients([(port, client.uid), (port, 70_002)])
    (found,) = differ()
    machine.mend([found], FakeProgress())
    assert firewall.clients() == {(port, client.uid)}
