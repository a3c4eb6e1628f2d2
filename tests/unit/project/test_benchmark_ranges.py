"""Two benchmarks at once have nothing in common, and a third has to wait."""

import os
from contextlib import ExitStack

import pytest

from benchmarks.commands import BenchError
from benchmarks.ranges import Ranges
from tests import ports


def _numbers(words: str) -> range:
    first, last = map(int, words.split("-"))
    return range(first, last + 1)


def test_each_has_ports_and_uids_of_its_own() -> None:
    """Until it releases them; the ports are none of the tests' and none of the kernel's."""
    name = f"paas-test-{os.getpid()}"
    with ExitStack() as held:
        found = []
        with pytest.raises(BenchError, match="Wait for one of them to end"):
            while True:
                found.append(Ranges.claimed(name))
                held.callback(found[-1].release)
        app_ports = [port for ranges in found for port in _numbers(ranges.app_ports)]
        uids = [uid for ranges in found for uid in _numbers(ranges.uids)]
        assert len(set(app_ports)) == len(app_ports)
        assert len(set(uids)) == len(uids)
        assert min(app_ports) > ports.LAST
        assert max(app_ports) < 32_768
        found[0].release()
        assert Ranges.claimed(name).uids == found[0].uids
