"""What every runtime does: the fake, supervisord with the real launcher, and Docker's engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.domain.releases.releases import State
from tests.contract.runtime.runtime_harness import EXIT_3, IDLE, KILLED, SERVE, WEB, WORKER, Harness
from tests.fakes.runtime import Behaviour, FakeRuntime
from tests.ports import free_ports
from tests.waiting import wait_for


@pytest.fixture(params=["fake", "native", "docker"])
def harness(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Harness]:
    """A runtime under test."""
    if request.param != "fake":
        yield request.getfixturevalue(request.param)
        return
    fake = FakeRuntime(
        behaviours={
            IDLE: Behaviour(listens=frozenset()),
            EXIT_3: Behaviour(State.CRASHED, 2, "exited with status 3"),
            KILLED: Behaviour(State.CRASHED, 2, "killed by SIGKILL"),
        }
    )
    yield Harness(fake, tmp_path, fake.lose_all)


def test_a_started_instance_is_up(harness: Harness) -> None:
    """An instance is STOPPED before its start, and UP with a pid and a time after it."""
    (instance,) = harness.instances(WEB)
    assert harness.state(instance).state is State.STOPPED
    harness.start([instance])
    state = harness.wait_for(instance, State.UP)
    assert state.pid
    assert state.since
    assert (state.exits, state.exit_reason) == (0, None)


def test_all_instances_of_a_group_start(harness: Harness) -> None:
    """One start brings up every instance of the group, and groups() names it once."""
    instances = harness.instances(WEB, WORKER)
    harness.start(instances)
    for instance in instances:
        harness.wait_for(instance, State.UP)
    assert harness.runtime.groups() == {instances[0].group}


def test_nothing_to_start_is_no_error(harness: Harness) -> None:
    """Starting no instances does nothing."""
    harness.start([])
    assert harness.runtime.groups() == set()
    assert harness.runtime.states([]) == {}


def test_starting_twice_is_no_error(harness: Harness) -> None:
    """A group that is there already is left as it is."""
    instance = harness.one()
    pid = harness.wait_for(instance, State.UP).pid
    harness.start([instance])
    assert harness.wait_for(instance, State.UP).pid == pid


@pytest.mark.parametrize(
    ("command", "reason"), [(EXIT_3, "exited with status 3"), (KILLED, "killed by SIGKILL")]
)
def test_a_crash_is_told_in_words(harness: Harness, command: str, reason: str) -> None:
    """An instance that ends again and again is CRASHED, with the count and the reason."""
    instance = harness.one(command)
    state = harness.wait_for(instance, State.CRASHED)
    assert state.exits >= 1
    assert state.exit_reason == reason


def test_stop_forgets(harness: Harness) -> None:
    """A stopped instance is gone, and stopping it again is no error."""
    instance = harness.one()
    harness.wait_for(instance, State.UP)
    assert harness.runtime.stop([instance], 5.0) == set()
    assert harness.state(instance).state is State.STOPPED
    assert harness.runtime.groups() == set()
    assert not harness.runtime.ensure(instance)
    harness.runtime.stop([instance], 5.0)


def test_stopping_a_part_of_a_group_leaves_the_rest(harness: Harness) -> None:
    """Of two instances the other one keeps running, and can be brought back alone."""
    web, worker = harness.instances(WEB, WORKER)
    harness.start([web, worker])
    pid = harness.wait_for(web, State.UP).pid
    harness.runtime.stop([worker], 5.0)
    assert harness.state(worker).state is State.STOPPED
    assert harness.state(web).pid == pid
    harness.lose()
    assert harness.runtime.ensure(web)
    harness.wait_for(web, State.UP)
    assert harness.state(worker).state is State.STOPPED


def test_two_groups_of_one_app_run_side_by_side(harness: Harness) -> None:
    """Stopping the old roll-out does not touch the new one."""
    old, new = harness.one(), harness.one()
    harness.wait_for(new, State.UP)
    harness.runtime.stop([old], 5.0)
    assert harness.runtime.groups() == {new.group}
    assert harness.state(new).state is State.UP


def test_ensure_brings_back_what_was_lost(harness: Harness) -> None:
    """A group whose files are there is started again; ensure of a running one does nothing."""
    instance = harness.one()
    harness.wait_for(instance, State.UP)
    harness.lose()
    assert harness.state(instance).state is State.STOPPED
    assert harness.runtime.ensure(instance)
    pid = harness.wait_for(instance, State.UP).pid
    assert harness.runtime.ensure(instance)
    assert harness.state(instance).pid == pid


def test_ensure_says_when_there_are_no_files(harness: Harness) -> None:
    """An instance that was never started cannot be brought back."""
    (instance,) = harness.instances(WEB)
    assert not harness.runtime.ensure(instance)


def test_a_group_is_removed_by_its_name(harness: Harness) -> None:
    """A group that nobody knows can be removed; one that does not exist is no error."""
    instances = harness.instances(WEB, WORKER)
    harness.start(instances)
    harness.runtime.remove_group(instances[0].group, 5.0)
    assert harness.runtime.groups() == set()
    assert not harness.runtime.ensure(instances[0])
    harness.runtime.remove_group("77-v1-77", 5.0)


def test_listening_ports_are_those_of_the_instance(harness: Harness) -> None:
    """The port that an instance listens on is seen, and nobody else's."""
    port, other = free_ports(2)
    server, idle = harness.one(SERVE, port=port), harness.one(IDLE, port=other)
    wait_for(lambda: harness.runtime.listening_ports(server) == {("127.0.0.1", port)})
    assert harness.runtime.listening_ports(idle) == set()
    harness.runtime.stop([server], 5.0)
    assert harness.runtime.listening_ports(server) == set()
