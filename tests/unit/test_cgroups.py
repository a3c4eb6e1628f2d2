"""Where a process's cgroups are, told from the texts of /proc, and who is in them."""

import threading
from pathlib import Path

import pytest

from paas.adapters.cgroups import own_cgroups, pids_below

V2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1_PIDS = "35 26 0:30 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
V1_CPU = "36 26 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
HYBRID_V2 = "45 26 0:40 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
DOCKER = "45 26 0:40 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw\n"


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
            {"pids": "/sys/fs/cgroup/pids/a", "": "/sys/fs/cgroup/unified"},
        ),
        (DOCKER, "0::/docker/abc/x\n", {"": "/sys/fs/cgroup/x"}),
        (DOCKER, "0::/elsewhere\n", {"": "/sys/fs/cgroup"}),
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
