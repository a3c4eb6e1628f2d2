"""The services of a server's instances: passes on what they print, and tells how they end.

If it dies, they run on, and the next one continues where it was.
"""

import json
import os
import threading
from collections.abc import Sequence, Set
from contextlib import suppress
from pathlib import Path

from paas.adapters.cluster.service_listing import ListedService, ListedTask, listed
from paas.adapters.system.files import make_directory, read_json, remove, write_atomic
from paas.domain.cluster.tasks import News, news_of
from paas.domain.values.memory import error_words
from paas.entrypoints.daemons.output_following import Follower
from paas.entrypoints.daemons.service_output import ServiceOutput
from paas.interfaces import Logs
from paas.settings import Settings
from paas.wiring.containers import pipe
from paas.wiring.nodes import service_logs


class ServiceWatch:
    """Looks when it is told to; what is printed is followed by threads of its own."""

    def __init__(self, settings: Settings, logs: Logs, ended: threading.Event) -> None:
        self._settings = settings
        self._logs = logs
        self._ended = ended
        self._told_file = settings.paths.cluster / "told.json"
        self._told = _read(self._told_file)
        # By Swarm's id of the service.
        self._outputs: dict[str, tuple[threading.Thread, ServiceOutput]] = {}
        self._present: frozenset[str] = frozenset()

    def look(self, expected: Set[str]) -> bool:
        """Returns whether something changes, so that the next look should come soon.

        expected: the ids of the instances that there should be. Raises PaasError if the manager
        does not answer.
        """
        found = listed(self._settings)
        before, self._present = self._present, found.ids
        is_settled = before == self._present and expected <= {one.name for one in found.services}
        told: dict[str, list[str]] = {}
        for service in found.services:
            self._follow(service)
            former = self._told.get(service.id, [])
            news = self._tell(service, former)
            told[service.id] = _known([*former, *news], service.tasks)
            is_settled &= not news and any(one.task.runs for one in service.tasks)
        self._note(told)
        for id in self._outputs.keys() - self._present:
            _, output = self._outputs.pop(id)
            output.ask_again()
        return not is_settled

    def ask_again(self) -> None:
        """Follow all again: the streams of a node that was cut off stay silent when it is back."""
        for _, output in self._outputs.values():
            output.ask_again()

    def _tell(self, service: ListedService, told: Sequence[str]) -> list[str]:
        """What has happened to one service; returns the keys."""
        by_id = {one.task.id: one for one in service.tasks}
        news = [*news_of([one.task for one in service.tasks], told)]
        for one in news:
            self._say(service, one, by_id[one.task.id])
        return [one.key for one in news]

    def _say(self, service: ListedService, news: News, task: ListedTask) -> None:
        def say(text: str) -> None:
            self._logs.write(service.app_id, service.label, text)

        if not news.ended:
            say("State changed from crashed to starting")
            return
        say(f"Process {task.end.words}")
        if task.end.error is not None:
            say(error_words(task.end.error))

    def _follow(self, service: ListedService) -> None:
        id = service.id
        present = self._outputs.get(id)
        if present is not None and present[0].is_alive():
            return
        output = ServiceOutput(service_logs(self._settings, id), lambda: id in self._present)
        fifo = pipe(self._settings, service.group, service.label)
        note = self._settings.paths.cluster / "read" / service.name
        follower = Follower(output, fifo, note, self._ended)

        def run() -> None:
            make_directory(fifo.parent)
            with suppress(FileExistsError):
                os.mkfifo(fifo, 0o600)
            follower.run()
            if id not in self._present:
                remove(fifo)
                with suppress(OSError):
                    fifo.parent.rmdir()

        thread = threading.Thread(target=run, name=service.name, daemon=True)
        self._outputs[id] = (thread, output)
        thread.start()

    def _note(self, told: dict[str, list[str]]) -> None:
        if told != self._told:
            self._told = told
            write_atomic(self._told_file, json.dumps(told), mode=0o600, durable=False)


def _known(keys: Sequence[str], tasks: Sequence[ListedTask]) -> list[str]:
    """Those of tasks that Swarm has not forgotten."""
    ids = {one.task.id for one in tasks}
    return [key for key in keys if key.partition(" ")[0] in ids]


def _read(path: Path) -> dict[str, list[str]]:
    """The keys of what was told, by service."""
    found = read_json(path) or {}
    return {id: [*map(str, keys)] for id, keys in found.items() if isinstance(keys, list)}
