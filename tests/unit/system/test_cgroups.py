"""Where a process's cgroups are, told from the texts of /proc, and who is in them."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from paas.adapters.runtime.native.cgroup_places import own_cgroups
from paas.adapters.runtime.native.cgroups import Cgroups, pids_below
from paas.adapters.runtime.native.process_tree import Members
from paas.domain.releases.launch_spec import Cgroup
from paas.settings import Settings

V2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1_PIDS = "35 26 0:30 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
V1_CPU = "36 26 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
HYBRID_V2 = "45 26 0:40 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
DOCKER = "45 26 0:40 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw\n"
OF_A_CONTAINER = "99 24 0:26 / /var/lib/docker/x/merged/sys/fs/cgroup rw - cgroup2 cgroup rw\n"


@pytest.mark.parametrize(
    ("mountinfo", "own", "found"),
    [
        (
            V2,
            "0::/system.slice/paas.service\n",
            {"": "/sys/fs/cgroup/system.slice/paas.service"},
        ),
        (V2, "0::/\n", {"": "/sys/fs/cgroup"}),
        (V2, "0::/../other\n", {"": "/sys/fs/cgroup"}),
        (
            V1_PIDS + V1_CPU + HYBRID_V2,
            "8:pids:/a\n1:cpu,cpuacct:/\n9:name=systemd:/\n0::/\n",
            {
                "pids": "/sys/fs/cgroup/pids/a",
                "cpu": "/sys/fs/cgroup/cpu",
                "": "/sys/fs/cgroup/unified",
            },
        ),
        (DOCKER, "0::/docker/abc/x\n", {"": "/sys/fs/cgroup/x"}),
        (DOCKER, "0::/elsewhere\n", {"": "/sys/fs/cgroup"}),
        (V2 + OF_A_CONTAINER, "0::/a\n", {"": "/sys/fs/cgroup/a"}),
        ("30 24 0:26 / /proc rw - proc proc rw\n", "0::/\n", {}),
    ],
)
def test_own_cgroups(mountinfo: str, own: str, found: dict[str, str]) -> None:
    """Each controller is found where it is mounted, below the root that is mounted."""
    assert own_cgroups(mountinfo, own) == {name: Path(path) for name, path in found.items()}


def test_cgroup_goes_while_it_is_read(tmp_path: Path) -> None:
    """A cgroup that another process removes in that moment has no processes; it is no error."""
    top = tmp_path / "run-1-1"
    reading = threading.Event()
    reading.set()

    def come_and_go() -> None:
        while reading.is_set():
            (top / "below").mkdir(parents=True)
            (top / "below").rmdir()
            top.rmdir()

    other = threading.Thread(target=come_and_go)
    other.start()
    try:
        assert all(pids_below(top) == [] for _ in range(20_000))
    finally:
        reading.clear()
        other.join()


@pytest.mark.parametrize(
    ("unified", "counts_swap", "limits"),
    [
        (True, True, {"memory.max": "67108864", "memory.swap.max": "0"}),
        (True, False, {"memory.max": "67108864"}),
        (
            False,
            True,
            {"memory.limit_in_bytes": "67108864", "memory.memsw.limit_in_bytes": "67108864"},
        ),
        (False, False, {"memory.limit_in_bytes": "67108864"}),
    ],
)
def test_memory_is_limited_with_swap(
    tmp_path: Path, unified: bool, counts_swap: bool, limits: dict[str, str]
) -> None:
    """What an app has over its limit may not go to the swap space of all, where it is counted."""
    settings = Settings(run=tmp_path, memory_mib=64)
    place = {"path": str(tmp_path), "controllers": ["memory"], "unified": unified}
    (tmp_path / "cgroups.json").write_text(json.dumps([place]))
    if counts_swap:
        (tmp_path / list(limits)[1]).touch()
    assert Cgroups(settings).for_workload("1-v1-1-web.1", settings.server_limits.defaults) == (
        Cgroup(f"{tmp_path}/1-v1-1-web.1", limits),
    )


@pytest.mark.parametrize(
    ("unified", "files"),
    [
        (True, ("memory.max", "memory.swap.max")),
        (False, ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")),
    ],
)
def test_what_has_no_limit_of_memory_has_a_share_of_the_machines(
    tmp_path: Path, unified: bool, files: tuple[str, str]
) -> None:
    """Or of the container's; with a share, swapping is allowed; 0 means no limit."""
    top = tmp_path / "container" / "paas"
    top.mkdir(parents=True)
    (tmp_path / "container" / files[0]).write_text(f"{1_000 << 20}\n")
    (tmp_path / files[0]).write_text("max\n" if unified else f"{2**63 - 4096}\n")
    (top / files[1]).touch()
    place = {"path": str(top), "controllers": ["memory"], "unified": unified}
    (tmp_path / "cgroups.json").write_text(json.dumps([place]))
    settings = Settings(run=tmp_path)
    cgroups, limits = Cgroups(settings), settings.server_limits.defaults
    assert cgroups.memory_mib(limits) == 750
    assert cgroups.for_workload("a", limits) == (Cgroup(f"{top}/a", {files[0]: str(750 << 20)}),)
    assert cgroups.build_memory_mib() == 500
    build = {files[0]: str(500 << 20)}
    assert cgroups.for_build("1") == (Cgroup(f"{top}/build-1", build),)
    (top / files[0]).write_text(f"{800 << 20}\n")  # MemoryMax of the server's own unit
    assert cgroups.memory_mib(limits) == 600
    free = Cgroups(replace(settings, memory_share=0.0, build_memory_share=0.0))
    assert free.memory_mib(limits) == free.build_memory_mib() == 0
    assert cgroups.memory_mib(replace(limits, memory_mib=2_000)) == 2_000


@pytest.mark.parametrize(
    ("unified", "file"), [(True, "memory.events"), (False, "memory.oom_control")]
)
def test_kills_for_memory_are_counted(tmp_path: Path, unified: bool, file: str) -> None:
    """By the one hierarchy that limits memory."""
    for name in ("pids", "memory"):
        (tmp_path / name / "build-1").mkdir(parents=True)
    (tmp_path / "memory" / "build-1" / file).write_text("oom 9\noom_kill 2\n")
    places = [
        {"path": str(tmp_path / name), "controllers": [name], "unified": unified}
        for name in ("pids", "memory")
    ]
    (tmp_path / "cgroups.json").write_text(json.dumps(places))
    cgroups = Cgroups(Settings(run=tmp_path))
    assert cgroups.memory_kills("build-1") == 2
    assert cgroups.memory_kills("build-2") == 0


def test_cpu_is_limited_after_an_upgrade(tmp_path: Path) -> None:
    """The former version enabled the controller but did not record it."""
    place = {"path": str(tmp_path), "controllers": ["memory", "pids"], "unified": True}
    (tmp_path / "cgroups.json").write_text(json.dumps([place]))
    settings = Settings(run=tmp_path)
    assert Cgroups(settings).missing() == ["cpu"]
    (tmp_path / "cgroup.subtree_control").write_text("cpu memory pids\n")
    assert Cgroups(settings).missing() == []


def test_a_build_waits_for_the_cpu_where_instances_need_it(tmp_path: Path) -> None:
    """Because of its weight: a quarter of that of an instance."""
    limits = {True: {"cpu.weight": "25"}, False: {"cpu.shares": "256"}}
    for unified, expected in limits.items():
        place = {"path": str(tmp_path), "controllers": ["cpu"], "unified": unified}
        (tmp_path / "cgroups.json").write_text(json.dumps([place]))
        entries = Cgroups(Settings(run=tmp_path)).for_build("1")
        assert [dict(entry.limits) for entry in entries] == [expected]


@pytest.mark.parametrize(
    ("unified", "limits"),
    [
        (True, {"cpu.max": "50000 100000", "cpu.weight": "100"}),
        (
            False,
            {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "50000", "cpu.shares": "1024"},
        ),
    ],
)
def test_cpu_is_limited(tmp_path: Path, unified: bool, limits: dict[str, str]) -> None:
    """Half a core is half of each period; without a limit only its part of a busy one is."""
    place = {"path": str(tmp_path), "controllers": ["cpu"], "unified": unified}
    (tmp_path / "cgroups.json").write_text(json.dumps([place]))
    cgroups, none = Cgroups(Settings(run=tmp_path)), Settings().server_limits.defaults
    half = replace(none, cpu_milli=500)
    assert cgroups.for_workload("a", half) == (Cgroup(f"{tmp_path}/a", limits),)
    # In a cgroup of its own it shares the CPU as one, however many processes it has.
    weight = {name: text for name, text in limits.items() if name in ("cpu.weight", "cpu.shares")}
    assert cgroups.for_workload("a", none) == (Cgroup(f"{tmp_path}/a", weight),)


def test_what_is_killed_lets_everything_else_go_first(tmp_path: Path) -> None:
    """Until an instance starts there again, which writes the usual weight."""
    place = {"path": str(tmp_path), "controllers": ["cpu"], "unified": True}
    (tmp_path / "cgroups.json").write_text(json.dumps([place]))
    (tmp_path / "a").mkdir()
    (tmp_path / "a/cpu.weight").write_text("100")
    Cgroups(Settings(run=tmp_path)).kill("a")
    assert (tmp_path / "a/cpu.weight").read_text() == "1"


def test_what_is_killed_may_not_fork(tmp_path: Path) -> None:
    """Or each kill would make room for another process; where there is a kill for all, it is
    asked for."""
    place = {"path": str(tmp_path), "controllers": ["pids"], "unified": True}
    (tmp_path / "cgroups.json").write_text(json.dumps([place]))
    cgroup = tmp_path / "1-v1-1-web.1"
    cgroup.mkdir()
    for name, text in (("cgroup.procs", ""), ("pids.max", "1024"), ("cgroup.kill", "")):
        (cgroup / name).write_text(text)
    assert Members(Cgroups(Settings(run=tmp_path)), frozenset(), frozenset({cgroup.name})).kill()
    assert (cgroup / "pids.max").read_text() == "0"
    assert (cgroup / "cgroup.kill").read_text() == "1"
