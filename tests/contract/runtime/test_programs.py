"""The platform's own programs under a real supervisord: renewed at an upgrade, without the apps."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.supervisor.conf import Program, main_conf
from paas.adapters.system.files import write_atomic
from tests.contract.runtime.supervisor_server import SupervisorServer, running_supervisor

SLEEP = ("/usr/bin/sleep", "600")


@pytest.fixture
def server() -> Iterator[SupervisorServer]:
    """A supervisord with the programs of a former version."""
    with running_supervisor() as server:
        write(server, "gate", "watch")
        server.supervisor.renew_programs(["gate", "watch"])
        yield server


def write(server: SupervisorServer, *names: str, argv: tuple[str, ...] = SLEEP) -> None:
    """Write the configuration that names these programs."""
    logs = server.settings.state / "logs"
    programs = [Program(name, argv, logs / f"{name}.log") for name in names]
    conf = main_conf(server.settings, programs)
    write_atomic(server.settings.etc / "supervisord.conf", conf, mode=0o600)


def pids(server: SupervisorServer) -> dict[str, int]:
    """Those that run, by name."""
    names = ["gate", "watch", "monitor"]
    return {found.name: found.pid for found in server.supervisor.processes(names) if found.pid}


def test_a_program_with_a_new_name_replaces_the_former(server: SupervisorServer) -> None:
    """The former is ended, and its process with it; the others are restarted."""
    before = pids(server)
    assert before.keys() == {"gate", "watch"}
    write(server, "gate", "monitor")
    server.supervisor.renew_programs(["gate", "watch", "monitor"])
    after = pids(server)
    assert after.keys() == {"gate", "monitor"}
    assert after["gate"] != before["gate"]
    assert not Path(f"/proc/{before['watch']}").exists()


def test_a_former_name_that_is_gone_is_no_error(server: SupervisorServer) -> None:
    """The next upgrade names it as well."""
    write(server, "gate", "monitor")
    server.supervisor.renew_programs(["gate", "watch", "monitor"])
    first = pids(server)
    server.supervisor.renew_programs(["gate", "watch", "monitor"])
    assert pids(server).keys() == first.keys()
    assert not {*pids(server).values()} & {*first.values()}
