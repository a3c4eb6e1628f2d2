"""The process `containers`: does for containers what supervisord and the launcher do for processes.

It passes what they print to the app's log, tells how they end, and starts them again with the
same delays. It follows the events of the Docker engine and looks at all every few seconds. If it
dies, containers keep running, and the next one continues where it stopped. It also
keeps the engine from filling the disk while it unpacks an image.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from paas.adapters.docker.connection import SERVER_LABEL, docker_client, server_label
from paas.adapters.runtime.docker.containers import (
    APP_LABEL,
    GROUP_LABEL,
    INSTANCE,
    INSTANCE_LABEL,
    KIND_LABEL,
)
from paas.adapters.runtime.docker.looking import End, end_of, end_of_another, parse_time
from paas.domain.values.errors import PaasError
from paas.domain.values.memory import error_words
from paas.entrypoints.daemons.container_output import ContainerOutput
from paas.entrypoints.daemons.output_following import AGAIN_S, Follower
from paas.entrypoints.daemons.supervised import StopSignal, end_with_parent, log, named_etc
from paas.entrypoints.launcher.record import plan_start, record_from, started_after_wait
from paas.interfaces import Logs
from paas.settings import Settings, load
from paas.wiring.containers import app_logs, pipe, records, unpack_guard

if TYPE_CHECKING:
    from docker import DockerClient

# How often all containers are looked at, should an event be missed.
LOOK_S = 5.0
# How long a first process that was killed for memory may take to be gone.
END_S = 1.0


class Containers:
    """Keeps the containers of one server's instances running."""

    def __init__(self, settings: Settings, logs: Logs) -> None:
        self._settings = settings
        self._logs = logs
        self._records = records(settings)
        self._woken = threading.Event()
        self._ended = threading.Event()
        self._followers: dict[str, threading.Thread] = {}
        # By name: when the kernel killed one of its processes for memory, seconds since the epoch.
        self._short: dict[str, float] = {}

    def run(self, ended: "StopSignal | threading.Event") -> None:
        """Until the signal."""
        events = threading.Thread(target=self._hear, name="events", daemon=True)
        events.start()
        threading.Thread(target=self._watch_disk, name="disk", daemon=True).start()
        was_down = False
        while not ended.wait(0):
            try:
                with docker_client(self._settings) as client:
                    due = self._look(client)
                was_down = False
            except PaasError as error:
                if not was_down:
                    log(error.report)
                was_down, due = True, time.time() + AGAIN_S
            self._wait(ended, due)
        self._ended.set()

    def _wait(self, ended: "StopSignal | threading.Event", due: float) -> None:
        """Until an event, the next start that is due, or the next look."""
        deadline = min(due, time.time() + LOOK_S)
        while time.time() < deadline and not ended.wait(0):
            if self._woken.wait(min(0.2, max(0.0, deadline - time.time()))):
                break
        self._woken.clear()

    def _hear(self) -> None:
        """Wake the loop at each event of one of our containers."""
        while not self._ended.is_set():
            with suppress(PaasError), docker_client(self._settings) as client:
                for event in client.api.events(filters=self._filters(), decode=True):
                    if event.get("Action") == "oom":
                        self._short[event["Actor"]["Attributes"]["name"]] = time.time()
                    self._woken.set()
            self._woken.set()
            self._ended.wait(AGAIN_S)

    def _watch_disk(self) -> None:
        """End what is unpacked for a build that was cancelled; while it lasts, a build ends it."""
        guard = unpack_guard(self._settings)
        while not self._ended.wait(guard.next_look_s()):
            if guard.look():
                log("A base image filled the disk. The engine was ended, and is restarted")

    def _filters(self) -> dict[str, Any]:
        server = f"{SERVER_LABEL}={server_label(self._settings)}"
        return {"type": "container", "label": [server, f"{KIND_LABEL}={INSTANCE}"]}

    def _look(self, client: "DockerClient") -> float:
        """Start what is due; returns when the next one is, in seconds since the epoch."""
        next_due = time.time() + LOOK_S
        filters = {"label": self._filters()["label"]}
        for listed in client.api.containers(all=True, filters=filters):
            name = listed["Names"][0].lstrip("/")
            record = self._records.of(name)
            if record is None:
                continue
            self._follow(name, listed["Labels"])
            if listed["State"] in {"exited", "dead"}:
                self._short.pop(name, None)
                due = self._restart(client, name, listed["Labels"], record)
                next_due = min(next_due, due)
            elif (killed := self._short.get(name)) is not None:
                due = killed + END_S
                if due <= time.time():
                    del self._short[name]
                    self._tell_shortage(client, name, listed["Labels"], record, killed)
                next_due = min(next_due, due)
        return next_due

    def _tell_shortage(
        self,
        client: "DockerClient",
        name: str,
        labels: dict[str, str],
        record: dict[str, Any],
        killed: float,
    ) -> None:
        """Report that a process was killed, unless it was the first one, whose end is reported."""
        from docker.errors import NotFound

        try:
            now = client.api.inspect_container(name)
        except NotFound:
            return
        if not now["State"]["Running"] or _seconds(parse_time(now["State"]["StartedAt"])) > killed:
            return
        end = end_of_another(now)
        if self._records.update(name, record | _ended(end)):
            self._say_end(labels, f"{end.words[0].upper()}{end.words[1:]}", end)

    def _restart(
        self, client: "DockerClient", name: str, labels: dict[str, str], record: dict[str, Any]
    ) -> float:
        """Tell how it ended, once, and start it when it is its turn; returns when that is."""
        from docker.errors import APIError, NotFound

        try:
            now = client.api.inspect_container(name)
        except NotFound:
            return time.time() + LOOK_S
        if now["State"]["Running"]:
            return time.time() + LOOK_S
        if record.get("ended") != now["State"]["FinishedAt"]:
            record = self._tell(name, labels, now, record)
        due = float(record.get("until") or 0.0)
        if due > time.time():
            return due
        past = record_from(record)
        if past is not None and past.state == "waiting":
            fresh = json.loads(started_after_wait(past, time.time()).to_json())
        else:
            fresh = {"started": time.time(), "state": "running", "until": None}
        if self._records.update(name, record | fresh):
            self._say(labels, "State changed from crashed to starting")
            try:
                client.api.start(name)
            except APIError as error:
                self._say(labels, f"It could not be started again: {error.explanation}")
        return time.time() + LOOK_S

    def _tell(
        self, name: str, labels: dict[str, str], now: dict[str, Any], record: dict[str, Any]
    ) -> dict[str, Any]:
        """Log the end, and record when the next start is."""
        state, end = now["State"], end_of(now)
        past = record_from(
            {"exits": 0, "streak": 0, "until": None, "parent": 0}
            | record
            | {"state": "running", "started": _seconds(parse_time(state["StartedAt"]))}
        )
        plan, delay = plan_start(past, time.time(), 0)
        fresh: dict[str, Any] = record | json.loads(plan.to_json()) | _ended(end)
        fresh |= {"ended": state["FinishedAt"]}
        if self._records.update(name, fresh):
            self._say_end(labels, f"Process {end.words}", end)
            if delay > 0.0:
                again = f"next start in {delay:.0f} s"
                self._say(labels, f"Process ended {plan.streak} times in a row; {again}")
        return fresh

    def _say_end(self, labels: dict[str, str], text: str, end: End) -> None:
        self._say(labels, text)
        if end.error is not None:
            self._say(labels, error_words(end.error))

    def _say(self, labels: dict[str, str], text: str) -> None:
        self._logs.write(int(labels[APP_LABEL]), labels[INSTANCE_LABEL], text)

    def _follow(self, name: str, labels: dict[str, str]) -> None:
        thread = self._followers.get(name)
        if thread is not None and thread.is_alive():
            return
        follower = Follower(
            ContainerOutput(self._settings, name, self._records),
            pipe(self._settings, labels[GROUP_LABEL], labels[INSTANCE_LABEL]),
            self._settings.paths.docker_run / "read" / name,
            self._ended,
        )
        thread = threading.Thread(target=follower.run, name=name, daemon=True)
        self._followers[name] = thread
        thread.start()


def _ended(end: End) -> dict[str, Any]:
    """What is recorded of an end."""
    return {"status": end.status, "reason": end.words, "error": end.error}


def _seconds(at: datetime | None) -> float:
    return at.timestamp() if at is not None else 0.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the process of the server whose settings are in ETC/server.yml."""
    end_with_parent()
    try:
        settings = load(named_etc(argv) / "server.yml")
    except PaasError as error:
        log(error.report)
        return error.exit_code
    os.umask(0o022)
    Containers(settings, app_logs(settings)).run(StopSignal())
    return 0


if __name__ == "__main__":
    sys.exit(main())
