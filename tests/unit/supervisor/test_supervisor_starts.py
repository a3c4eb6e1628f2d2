"""supervisord's own start: the platform first, then the apps, some at a time."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from supervisor.states import ProcessStates

from paas.adapters.supervisor.starts import LAUNCH_LIMIT_S, PLATFORM_LIMIT_S, Starts


@dataclass
class Server:
    """supervisord's groups, and a clock."""

    process_groups: dict[str, Any] = field(default_factory=dict)
    time_s: float = 0.0

    def add(self, group: str, *, autostart: bool = True) -> Any:
        """A group with one process, which was never started."""
        process = SimpleNamespace(
            config=SimpleNamespace(autostart=autostart, command="launch /no/such/spec.json"),
            group=SimpleNamespace(config=SimpleNamespace(name=group)),
            state=ProcessStates.STOPPED,
            laststart=0,
            pid=0,
        )
        self.process_groups[group] = _Group(group, {"web.1": process})
        return process

    def starts(self) -> Starts:
        """Two at a time."""
        return Starts(self, at_once=2, now=lambda: self.time_s)


@dataclass(order=True)
class _Group:
    name: str
    processes: dict[str, Any] = field(compare=False)


def _may_start(apps: list[Any]) -> list[bool]:
    return [app.config.autostart for app in apps]


def test_the_platform_comes_first() -> None:
    """No app starts before its programs run; one that does not come up holds nobody for long."""
    server = Server()
    gate, app = server.add("gate"), server.add("7-v1-1")
    starts = server.starts()
    starts.turn()
    assert _may_start([gate, app]) == [True, False]
    assert starts.turn_s is not None
    server.time_s = PLATFORM_LIMIT_S + 1
    starts.turn()
    assert _may_start([app]) == [True]
    assert starts.turn_s is None


def test_some_at_a_time() -> None:
    """The next ones follow those that have become their command, or have taken too long."""
    server = Server()
    server.add("gate").state = ProcessStates.RUNNING
    apps = [server.add(f"{number}-v1-1") for number in range(1, 7)]
    starts = server.starts()
    starts.turn()
    starts.turn()
    assert _may_start(apps) == [True, True, False, False, False, False]
    apps[0].laststart = 1  # it was started, and has ended already
    starts.turn()
    assert _may_start(apps) == [True, True, True, False, False, False]
    server.time_s += LAUNCH_LIMIT_S + 1
    starts.turn()
    assert _may_start(apps) == [True] * 5 + [False]


def test_what_is_stopped_while_it_waits_does_not_start() -> None:
    """An app that is stopped or destroyed in the meantime stays down."""
    server = Server()
    apps = [server.add(f"{number}-v1-1") for number in range(1, 5)]
    starts = server.starts()
    starts.forget(apps[2])
    starts.turn()
    for app in apps[:2]:
        app.laststart = 1
    starts.turn()
    assert _may_start(apps) == [True, True, False, True]


def test_programs_that_are_there_at_need_are_not_waited_for() -> None:
    """HAProxy and the drains' process start when they are needed."""
    server = Server()
    server.add("drains", autostart=False)
    app = server.add("7-v1-1")
    server.starts().turn()
    assert app.config.autostart
