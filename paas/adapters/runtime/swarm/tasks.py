"""What Swarm's tasks say of instances: each is one start of a service's container.

See GET /tasks of Docker's API, and https://docs.docker.com/engine/swarm/how-swarm-mode-works/
swarm-task-states/ for their states.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from paas.adapters.runtime.docker.containers import GROUP_LABEL, INSTANCE_LABEL
from paas.adapters.runtime.docker.looking import End, parse_time
from paas.adapters.runtime.docker.records import exit_status
from paas.adapters.runtime.swarm.specs import node_of, reserved_mib
from paas.domain.releases.releases import InstanceState, State
from paas.domain.values.exits import exit_words
from paas.domain.values.memory import VASTLY_EXCEEDED, shortage

Task = Mapping[str, Any]

_ENDED = frozenset({"complete", "shutdown", "failed", "rejected", "remove", "orphaned"})
# Before it is known where it runs, and before its node has its image.
_PLACING = frozenset({"new", "allocated", "pending"})
_FETCHING = frozenset({"assigned", "accepted", "preparing"})
# Desired of the tasks of a service that was removed.
_REMOVED = "remove"
_KILLED = 137
# Swarm may find no place for a moment, as while something there is only just ending.
_PLACED_WITHIN = timedelta(seconds=10)
# A container with a HEALTHCHECK runs for as long as Swarm waits for its first result.
_RUNS_AFTER = timedelta(seconds=10)
# What it says of a container that ran; all else is why there is none.
_EXITED = re.compile(r"task: non-zero exit \(\d+\)(.*)")
_UNHEALTHY = "unhealthy"
_PORT_IN_USE = re.compile(r"address already in use|port is already allocated|port already in use")
_NO_MEMORY = re.compile(r"insufficient resources")
_NO_IMAGE = re.compile(r"No such image|manifest unknown|pull access denied")


def by_instance(tasks: Iterable[Task]) -> dict[str, list[Task]]:
    """The tasks of each instance by its id, the oldest first; of those that are not removed."""
    found: dict[str, list[Task]] = defaultdict(list)
    for task in sorted(tasks, key=lambda task: int(task["Version"]["Index"])):
        if not is_removed(task):
            found[instance_id(task["Spec"]["ContainerSpec"].get("Labels") or {})].append(task)
    return found


def instance_id(labels: Mapping[str, str]) -> str:
    """Of an instance's service or container; ``-`` of others."""
    return f"{labels.get(GROUP_LABEL, '')}-{labels.get(INSTANCE_LABEL, '')}"


def has_ended(task: Task) -> bool:
    """Whether its container does not run any longer, or never will."""
    return task["Status"]["State"] in _ENDED


def is_removed(task: Task) -> bool:
    """Whether it is of a service that was removed."""
    return bool(task["DesiredState"] == _REMOVED)


def is_fetched(tasks: Sequence[Task], up: Collection[str], waited_s: float) -> bool:
    """Whether the node of an instance has its image, or there is nothing to wait for.

    up: the ids of the nodes that answer. waited_s: since the instance was to be started.
    """
    if not tasks or tasks[-1]["Status"]["State"] in _PLACING:
        return waited_s > _PLACED_WITHIN.total_seconds()
    return tasks[-1]["Status"]["State"] not in _FETCHING or tasks[-1].get("NodeID") not in up


def was_killed(task: Task) -> bool:
    """Whether its container was asked to end, and ended by SIGKILL."""
    return bool(task["Status"]["State"] == "shutdown" and _exit_code(task) == _KILLED)


def state_of(
    tasks: Sequence[Task], nodes: Mapping[str, Mapping[str, Any]], now: datetime
) -> InstanceState:
    """What an instance does that has these tasks, the oldest first. nodes: by id."""
    ended = [task for task in tasks if has_ended(task)]
    alive = [task for task in tasks if not has_ended(task)]
    end = end_of(ended[-1]) if ended else None
    status, words, error = (end.status, end.words, end.error) if end else (None, None, None)
    node = nodes.get(node_of(tasks[-1]["Spec"]))
    if node is None or is_down(node):
        return InstanceState(State.CRASHED, exits=len(ended), exit_reason=_lost(node))
    for task in alive:
        since = parse_time(task["Status"]["Timestamp"])
        if _runs(task, now):
            return InstanceState(State.UP, since, None, len(ended), words, status, error)
    if ended:
        since = parse_time(ended[-1]["Status"]["Timestamp"])
        return InstanceState(State.CRASHED, since, None, len(ended), words, status, error)
    why = alive[-1]["Status"].get("Err")
    created = parse_time(alive[-1]["CreatedAt"])
    if why and created is not None and now - created > _PLACED_WITHIN:
        return InstanceState(State.CRASHED, exit_reason=_not_started(why))
    return InstanceState(State.STARTING)


def end_of(task: Task) -> End:
    """How it ended, or why it had no container.

    A task does not say why it was killed; where memory is limited, that is by far the likeliest.
    """
    code, why = _exit_code(task), task["Status"].get("Err") or ""
    exited = _EXITED.fullmatch(why)
    if code is None or (why and exited is None):
        return End(None, _not_started(why or "no reason is known"))
    status = exit_status(code)
    words, limit_mib = exit_words(status), reserved_mib(task["Spec"])
    if exited is not None and _UNHEALTHY in exited[1]:
        return End(status, "was found unhealthy by the image's HEALTHCHECK")
    if code == _KILLED and limit_mib and task["Status"]["State"] == "failed":
        words = f"{words} (probably out of memory: {shortage(limit_mib)})"
        return End(status, words, VASTLY_EXCEEDED)
    return End(status, words)


def is_down(node: Mapping[str, Any]) -> bool:
    """Whether it does not answer. After its own start, the manager does not know for a moment."""
    return bool((node.get("Status") or {}).get("State") == "down")


def _runs(task: Task, now: datetime) -> bool:
    state, since = task["Status"]["State"], parse_time(task["Status"]["Timestamp"])
    if task["DesiredState"] != "running":
        return False
    if state == "starting":
        return since is not None and now - since > _RUNS_AFTER
    return bool(state == "running")


def _exit_code(task: Task) -> int | None:
    """None if there was no container."""
    container = task["Status"].get("ContainerStatus") or {}
    return int(container.get("ExitCode") or 0) if container.get("ContainerID") else None


def _lost(node: Mapping[str, Any] | None) -> str:
    if node is None:
        return "lost its node, which was removed"
    return f"lost its node {(node.get('Description') or {}).get('Hostname')}, which is down"


def _not_started(why: str) -> str:
    """Why there is no container, as the rest of a clause."""
    if _PORT_IN_USE.search(why):
        return "could not be started: another program on its node uses its port"
    if _NO_MEMORY.search(why):
        return "could not be started: its node no longer has the memory that its limit reserves"
    if _NO_IMAGE.search(why):
        return f"could not be started: its node cannot get its image from the server ({why})"
    return f"could not be started: {why}"
