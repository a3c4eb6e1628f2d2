"""What Layers find, for the fake and the real ones alike."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.runtime.native.throwaway import LiveLayers
from paas.domain.releases.losses import LostFile
from paas.interfaces import Layers
from tests.contract.launcher.launching import Launcher
from tests.contract.runtime.test_scratch_keeper import DATABASE
from tests.fakes.runtime import FakeLayers

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture(params=["fake", "real"])
def process(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Layers, int]]:
    """Layers of each kind, and a process that has made a small database and a larger one."""
    if request.param == "fake":
        fake = FakeLayers()
        names = ("/app/instance/large.db", "/app/instance/small.db")
        fake.everywhere = tuple(
            LostFile(name, size, own_directory=True)
            for name, size in zip(names, (36_864, 8_192), strict=True)
        )
        yield fake, 4_000_000
        return
    script = "; ".join(
        [
            "mkdir instance",
            DATABASE.format("instance/small.db"),
            'python3 -c \'import sqlite3; c = sqlite3.connect("instance/large.db"); '
            'c.execute("create table t(x)"); '
            'c.execute("insert into t values (zeroblob(30000))"); c.commit()\'',
            "echo; exec sleep 600",
        ]
    )
    with Launcher(tmp_path / "paas").running(script) as started:
        yield LiveLayers(), started.pid


def test_the_databases_are_named_the_largest_first(process: tuple[Layers, int]) -> None:
    """As the app sees them, with their sizes; looking changes nothing."""
    layers, pid = process
    found = layers.databases(pid)
    assert [file.path for file in found] == ["/app/instance/large.db", "/app/instance/small.db"]
    assert found[0].size_bytes > found[1].size_bytes > 0
    assert all(file.own_directory for file in found)
    assert [*layers.databases(pid)] == [*found]
    assert layers.size_bytes(pid) >= sum(file.size_bytes for file in found)
