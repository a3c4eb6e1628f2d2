"""The process `containers`: does for containers what supervisord and the launcher do for processes.

It passes what they print to the app's log, tells how they end, and starts them again with the
same delays. It follows the events of the Docker engine and looks at all every few seconds. If it
dies, containers run on, and the next one goes on where it was.
"""

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paas.adapters.docker.connection import SERVER_LABEL, docker_client, server_label
from paas.adapters.docker.patience import listens
from paas.adapters.runtime.docker.containers import (
    APP_LABEL,
    GROUP_LABEL,
    INSTANCE,
    INSTANCE_LABEL,
    KIND_LABEL,
)
from paas.adapters.runtime.docker.looking import parse_time
from paas.adapters.runtime.docker.records import exit_status
from paas.adapters.system.files import make_directory, remove
from paas.adapters.system.subprocesses import exit_words
from paas.domain.values.errors import PaasError
from paas.domain.values.memory import VASTLY_EXCEEDED, error_words, shortage
from paas.entrypoints.daemons.supervised import StopSignal, end_with_parent, log
from paas.entrypoints.launcher.record import plan_start, record_from, started_after_wait
from paas.interfaces import Logs
from paas.settings import Settings, load
from paas.wiring.containers import app_logs, pipe, records

if TYPE_CHECKING:
    from docker import DockerClient

# How often all containers are looked at, should an event be missed.
LOOK_S = 5.0
# How soon a follower looks again at an engine that went away.
AGAIN_S = 0.5
# A time as the engine has it before each line, and to spare.
STAMP_BYTES = 40
_MIB = 1024**2


class Containers:
    """Keeps the containers of one server's instances running."""

    def __init__(self, settings: Settings, logs: Logs) -> None:
        self._settings = settings
        self._logs = logs
        self._records = records(settings)
        self._woken = threading.Event()
        self._ended = threading.Event()
        self._followers: dict[str, threading.Thread] = {}

    def run(self, ended: "StopSignal | threading.Event") -> None:
        """Until the signal."""
        events = threading.Thread(target=self._hear, name="events", daemon=True)
        events.start()
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
                for _ in client.api.events(filters=self._filters(), decode=True):
                    self._woken.set()
            self._woken.set()
            self._ended.wait(AGAIN_S)

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
                due = self._restart(client, name, listed["Labels"], record)
                next_due = min(next_due, due)
        return next_due

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
        state = now["State"]
        status = exit_status(state["ExitCode"])
        words, error = exit_words(status), None
        if state.get("OOMKilled"):
            limit_mib = int(now["HostConfig"].get("Memory") or 0) // _MIB
            words += f" (out of memory: {shortage(limit_mib)})"
            error = VASTLY_EXCEEDED
        started = parse_time(state["StartedAt"])
        past = record_from(
            {"exits": 0, "streak": 0, "until": None, "parent": 0}
            | record
            | {"state": "running", "started": _seconds(started)}
        )
        plan, delay = plan_start(past, time.time(), 0)
        fresh: dict[str, Any] = record | json.loads(plan.to_json())
        fresh |= {"status": status, "error": error, "ended": state["FinishedAt"]}
        if self._records.update(name, fresh):
            self._say(labels, f"Process {words}")
            if error is not None:
                self._say(labels, error_words(error))
            if delay > 0.0:
                again = f"next start in {delay:.0f} s"
                self._say(labels, f"Process ended {plan.streak} times in a row; {again}")
        return fresh

    def _say(self, labels: dict[str, str], text: str) -> None:
        self._logs.write(int(labels[APP_LABEL]), labels[INSTANCE_LABEL], text)

    def _follow(self, name: str, labels: dict[str, str]) -> None:
        thread = self._followers.get(name)
        if thread is not None and thread.is_alive():
            return
        follower = Follower(self._settings, name, labels, self._ended)
        thread = threading.Thread(target=follower.run, name=name, daemon=True)
        self._followers[name] = thread
        thread.start()


class Follower:
    """Passes what one container prints to the log process, by the instance's pipe."""

    def __init__(
        self, settings: Settings, name: str, labels: dict[str, str], ended: threading.Event
    ) -> None:
        self._settings = settings
        self._name = name
        self._ended = ended
        self._records = records(settings)
        self._fifo = pipe(settings, labels[GROUP_LABEL], labels[INSTANCE_LABEL])
        self._note = settings.paths.docker_run / "read" / name

    def run(self) -> None:
        """Until nobody keeps the container running any longer."""
        make_directory(self._note.parent)
        with ExitStack() as opened:
            try:
                # Both ends: a pipe without a reader would end this process.
                fd = os.open(self._fifo, os.O_RDWR | os.O_CLOEXEC)
                opened.callback(os.close, fd)
                place = os.open(self._note, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                opened.callback(os.close, place)
            except OSError:
                return  # the next look finds it, or the container is being removed
            while not self._ended.is_set() and self._records.of(self._name) is not None:
                with suppress(PaasError, OSError):
                    self._pass_on(fd, place)
                self._ended.wait(AGAIN_S)
        if self._records.of(self._name) is None:
            remove(self._note)

    def _pass_on(self, fd: int, place: int) -> None:
        """All that it prints from the noted place on, until it ends."""
        from docker.errors import NotFound

        if not listens(self._settings):
            return
        noted = os.pread(place, STAMP_BYTES, 0).strip()
        with docker_client(self._settings, answer_limit_s=None) as client, suppress(NotFound):
            for line in self._lines(client, noted):
                stamp, _, text = line.partition(b" ")
                if self._ended.is_set():
                    return
                # All parts of a line that is longer than 16 KiB have the same time.
                if stamp > noted:
                    os.write(fd, text)
                    os.pwrite(place, stamp.ljust(STAMP_BYTES), 0)

    def _lines(self, client: "DockerClient", noted: bytes) -> Iterator[bytes]:
        """Each with the time before it, in nanoseconds and of one length."""
        yield from client.api.logs(
            self._name, stream=True, follow=True, timestamps=True, since=_stamp_seconds(noted)
        )


def _stamp_seconds(stamp: bytes) -> float | None:
    """A time of the engine's as seconds since the epoch, a little before; None for all."""
    if not stamp:
        return None
    found = parse_time(stamp.decode("ascii", "replace"))
    return None if found is None else found.timestamp() - 0.001


def _seconds(at: datetime | None) -> float:
    return at.timestamp() if at is not None else 0.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the process of the server whose settings are in ETC/server.yml."""
    parser = argparse.ArgumentParser(prog="paas-containers")
    parser.add_argument("--etc", type=Path, required=True)
    end_with_parent()
    try:
        settings = load(parser.parse_args(argv).etc / "server.yml")
    except PaasError as error:
        log(error.report)
        return error.exit_code
    os.umask(0o022)
    Containers(settings, app_logs(settings)).run(StopSignal())
    return 0


if __name__ == "__main__":
    sys.exit(main())
