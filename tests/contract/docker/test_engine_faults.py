"""What doctor finds of the engine, and mends."""

import http.client
import subprocess
from dataclasses import replace
from pathlib import Path

from paas.adapters.docker.bridge_repair import repair_bridges
from paas.adapters.docker.bridge_rules import bridge_name
from paas.adapters.docker.build_bridge import build_bridge_name
from paas.adapters.docker.engine_state import engine_findings, engine_memory_bytes
from tests.contract.docker.test_bridges import serve
from tests.contract.runtime.runtime_harness import Harness
from tests.docker_engine import DockerEngine


def test_an_engine_that_is_well(docker_engine: DockerEngine) -> None:
    """Nothing is found; its own processes take some memory."""
    settings = docker_engine.settings
    assert list(engine_findings(settings)) == []
    pid = int((settings.paths.docker_run / "dockerd.pid").read_text())
    assert engine_memory_bytes(settings, [pid]) > 10 * 1024**2


def test_bridges_that_somebody_deleted(docker: Harness, docker_engine: DockerEngine) -> None:
    """Both are named, that of an app and that of builds; mended, its containers answer again."""
    settings = docker_engine.settings
    host, port = serve(docker)
    names = [bridge_name(settings, docker.app.uid), build_bridge_name(settings)]
    for name in names:
        subprocess.run(["ip", "link", "delete", name], check=True)
    found = list(engine_findings(settings))
    assert [(one.check, one.mends) for one in found] == [("bridges", True)] * 2
    assert all(name in one.message for name, one in zip(names, found, strict=True))
    repair_bridges(settings)
    assert list(engine_findings(settings)) == []
    # Who answers is the container: a machine's default route may lead to somebody who does, too.
    asked = http.client.HTTPConnection(host, port, timeout=60)
    asked.request("GET", "/")
    assert str(asked.getresponse().headers["Server"]).startswith("SimpleHTTP")
    asked.close()


def test_an_engine_that_is_away(docker_engine: DockerEngine) -> None:
    """It is reported, with what still works."""
    settings = replace(docker_engine.settings, run=Path("/nowhere"))
    (finding,) = engine_findings(settings)
    assert (finding.check, finding.mends) == ("docker", True)
    assert "does not answer" in finding.message
    assert "Running containers keep running" in finding.message
