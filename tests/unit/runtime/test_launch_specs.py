"""What a workload's launch spec says, and which ports it claims."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from paas.adapters.network.port_claims import present_claims
from paas.adapters.runtime.native.instances import instance_workload
from paas.adapters.runtime.native.launch_specs import launch_spec
from paas.domain.apps.storage import Storage
from paas.domain.releases.artifacts import Artifact
from paas.domain.releases.launch_spec import Bind, Cgroup, Keeper
from paas.domain.releases.releases import Instance
from paas.domain.runtime.workloads import Limits, Workload
from paas.domain.values.names import ProcessType
from paas.domain.values.secret import Secret
from paas.settings import Settings
from tests.fakes.world import World

SETTINGS = Settings(state=Path("/s"), run=Path("/r"), memory_mib=128, scratch_mib=32)
INSTANCE = Instance(12, 5, 9, ProcessType("web"), 1, 21_001)


def test_an_instance_has_the_settings_limits_and_its_apps_storage(world: World) -> None:
    """Its launch spec has its config, pipe, port and the monitor that looks after its files."""
    app = replace(world.app(), id=12, storage=(Storage(7, "/app/data"),))
    workload = instance_workload(
        SETTINGS,
        app,
        INSTANCE,
        artifact=Artifact(Path("/s/slugs/x")),
        config={"KEY": Secret("value")},
        command="serve",
    )
    assert (workload.id, workload.ports) == (INSTANCE.id, (21_001,))
    spec = launch_spec(SETTINGS, workload, ())
    assert (spec.uid, spec.slug, spec.argv[-1]) == (app.uid, "/s/slugs/x", "serve")
    env = {name: value.reveal() for name, value in spec.env.items()}
    assert (env["KEY"], env["PORT"], env["MEMORY_AVAILABLE"]) == ("value", "21001", "128")
    assert spec.binds == (Bind("/s/storage/12/7", "/app/data", writable=True),)
    assert (spec.scratch_mib, spec.limits["nofile"]) == (32, SETTINGS.max_open_files)
    assert spec.log_fifo == "/r/fifos/12/web.1@12-v5-9-web.1.fifo"
    assert spec.app_log == "/s/logs/12/app.log"
    assert spec.keeper == Keeper(str(SETTINGS.paths.monitor_socket), "12-v5-9-web.1")


def test_the_launcher_reads_all_of_it(world: World) -> None:
    """As JSON: every field, the binds and cgroups in full, and the config vars in plain text."""
    app = replace(world.app(), storage=(Storage(7, "/app/data"),))
    slug = Artifact(Path("/s/slugs/x"))
    config = {"KEY": Secret("value")}
    workload = instance_workload(
        SETTINGS, app, INSTANCE, artifact=slug, config=config, command="serve"
    )
    spec = launch_spec(SETTINGS, workload, (Cgroup("/c", {"pids.max": "5"}),))
    env = {name: value.reveal() for name, value in spec.env.items()}
    plain = json.loads(json.dumps(spec.to_json()))
    assert plain == json.loads(json.dumps(asdict(spec) | {"env": env}))
    assert (plain["binds"][0]["target"], plain["cgroups"][0]["path"]) == ("/app/data", "/c")


def test_what_belongs_to_no_app_has_neither_slug_nor_log() -> None:
    """Nor anybody who looks for databases below /app: it is its own business."""
    workload = Workload("server-3", "tcp.1", 94_500, ("/bin/true",), {}, (), Limits(64, 20, 512, 8))
    spec = launch_spec(SETTINGS, workload, ())
    assert (spec.slug, spec.log_fifo, spec.app_log, spec.keeper) == (None, None, None, None)
    assert (spec.scratch_mib, spec.limits["nofile"]) == (8, 512)
    assert spec.crash_file == "/r/crash/server-3-tcp.1.json"


@pytest.mark.parametrize(
    ("spec", "claims"),
    [
        ({"uid": 7, "ports": [21_001, 21_002], "env": {}}, [(21_001, 7), (21_002, 7)]),
        ({"uid": 7, "ports": [], "env": {"PORT": "80"}}, []),
        # From before launch specs had ports: such an instance runs on after an upgrade.
        ({"uid": 7, "env": {"PORT": "21001"}}, [(21_001, 7)]),
        ({"uid": 7, "env": {}}, []),
        ({}, []),
    ],
)
def test_claims_are_read_from_launch_specs(
    tmp_path: Path, spec: dict[str, object], claims: list[tuple[int, int]]
) -> None:
    """Whatever version wrote them."""
    settings = Settings(run=tmp_path)
    settings.paths.specs.mkdir()
    (settings.paths.specs / "12-v5-9-web.1.json").write_text(json.dumps(spec))
    assert present_claims(settings) == claims
