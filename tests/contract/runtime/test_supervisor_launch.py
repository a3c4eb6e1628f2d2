"""Which program launches an instance: seen while one that has crashed waits for its next start."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from paas.domain.releases.releases import State
from tests.contract.conftest import native_harness
from tests.contract.runtime.runtime_harness import EXIT_3, Harness
from tests.contract.runtime.supervisor_server import REPOSITORY, running_supervisor
from tests.waiting import wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def words_of_launcher(native: Harness) -> list[bytes]:
    """The command line of a launcher that waits before it starts a command that has crashed."""
    instance = native.one(EXIT_3)

    def words() -> list[bytes]:
        state = native.state(instance)
        if state.state is not State.CRASHED or state.pid is None:
            return []
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            return Path(f"/proc/{state.pid}/cmdline").read_bytes().split(b"\0")
        return []

    found: list[bytes] = []

    def has_some() -> bool:
        found[:] = words()
        return bool(found)

    wait_for(has_some)
    return found


def test_a_launch_needs_no_python_of_its_own(native: Harness) -> None:
    """It is supervisord's forked child, which the launcher makes the app's process."""
    words = words_of_launcher(native)
    assert b"supervisor.supervisord" in words
    assert not any(word.endswith(b"launch.py") for word in words)


def test_after_an_upgrade_the_new_launcher_launches() -> None:
    """supervisord runs on with the former version's code; instances start with the new one's."""
    with running_supervisor() as server:
        former = server.settings.paths.current / "paas"
        former.unlink()
        shutil.copytree(REPOSITORY / "paas", former)
        native = native_harness(server)
        assert str(former / "entrypoints/launch.py").encode() in words_of_launcher(native)
        native.wait_for(native.one(), State.UP)
        native.clean_up()
