"""What a container does, and how it is ended, by the API of Docker's engine."""

import contextlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from paas.adapters.docker.connection import is_not_found
from paas.adapters.runtime.docker.records import exit_status
from paas.domain.releases.releases import InstanceState, State
from paas.domain.values.exits import exit_words
from paas.domain.values.memory import EXCEEDED, VASTLY_EXCEEDED, shortage

if TYPE_CHECKING:
    from docker import DockerClient

_KILLED = 137
_MIB = 1024**2


@dataclass(frozen=True, slots=True)
class End:
    """How a container's first process ended, or another one.

    status: negative for a signal; None for another process. words: for people. error: Heroku's
    code if a limit of memory was the cause.
    """

    status: int | None
    words: str
    error: str | None = None


def end_of(found: Mapping[str, Any]) -> End:
    """How a container has ended. found: as the engine inspects it."""
    status = exit_status(found["State"]["ExitCode"])
    words = exit_words(status)
    if not found["State"].get("OOMKilled"):
        return End(status, words)
    limit_mib = _limit_mib(found)
    error = VASTLY_EXCEEDED if limit_mib else None
    return End(status, f"{words} (out of memory: {shortage(limit_mib)})", error)


def end_of_another(found: Mapping[str, Any]) -> End:
    """How a process ended that the kernel killed for memory while the first one runs on."""
    limit_mib = _limit_mib(found)
    words = f"a process was killed by SIGKILL (out of memory: {shortage(limit_mib)})"
    return End(None, words, EXCEEDED if limit_mib else None)


def _limit_mib(found: Mapping[str, Any]) -> int:
    return int(found["HostConfig"].get("Memory") or 0) // _MIB


def state_of(found: Mapping[str, Any], record: Mapping[str, Any]) -> InstanceState:
    """What a container that is kept running does. found: as the engine inspects it."""
    now = found["State"]
    exits = int(record.get("exits", 0))
    if now["Running"]:
        if (now.get("Health") or {}).get("Status") == "unhealthy":
            return InstanceState(
                State.CRASHED,
                parse_time(now["StartedAt"]),
                now["Pid"],
                exits,
                "was found unhealthy by the image's HEALTHCHECK",
            )
        since = parse_time(now["StartedAt"])
        status, words, error = record.get("status"), record.get("reason"), record.get("error")
        return InstanceState(State.UP, since, now["Pid"], exits, words, status, error)
    if now["Status"] == "created":
        return InstanceState(State.STARTING)
    end, since = end_of(found), parse_time(now["FinishedAt"])
    return InstanceState(
        State.CRASHED, since, None, max(exits, 1), end.words, end.status, end.error
    )


def parse_time(text: str) -> datetime | None:
    """A time of the engine's, which has nanoseconds; None where it never was."""
    if text.startswith("0001-"):
        return None
    seconds, _, rest = text.partition(".")
    digits = rest.rstrip("Z")[:6].ljust(6, "0") if rest else "000000"
    return datetime.fromisoformat(f"{seconds.rstrip('Z')}.{digits}+00:00")


def names_of(containers: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of listed containers."""
    return [container["Names"][0].lstrip("/") for container in containers]


def inspected(client: "DockerClient", name: str) -> dict[str, Any] | None:
    """What the engine knows of it; None if it is not there."""
    from docker.errors import NotFound

    try:
        return dict(client.api.inspect_container(name))
    except NotFound:
        return None


def stop_container(client: "DockerClient", name: str, limit_s: float) -> bool:
    """End its processes; whether they had to be killed."""
    from docker.errors import NotFound

    found = inspected(client, name)
    if found is None or not found["State"]["Running"]:
        return False
    began = time.monotonic()
    try:
        client.api.stop(name, timeout=math.ceil(limit_s))
        after = inspected(client, name)
    except NotFound:
        return False
    took_s = time.monotonic() - began
    return after is not None and after["State"]["ExitCode"] == _KILLED and took_s >= limit_s


def end_container(client: "DockerClient", name: str, limit_s: float) -> bool:
    """End and delete it; no error if it is gone. Returns whether it had to be killed."""
    from docker.errors import APIError

    killed = stop_container(client, name, limit_s)
    try:
        client.api.remove_container(name, force=True, v=True)
    except APIError as error:
        # 409: another process is removing it.
        if not is_not_found(error) and error.status_code != 409:
            raise
    return killed


def family_of(pid: int | None) -> list[int]:
    """A process and all that descend from it: those of a container descend from its first."""
    import psutil

    if pid is None:
        return []
    with contextlib.suppress(psutil.Error):
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    return []
