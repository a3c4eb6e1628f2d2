"""`NodeTroubles` of interfaces: a file of the process `nodes`, which the monitor reads."""

import json
from collections.abc import Sequence
from pathlib import Path

from paas.adapters.system.files import make_directory, read_json, write_atomic
from paas.domain.server.alarms import Trouble


class FileNodeTroubles:
    """Key and words of each. A reboot forgets them; the process then finds what lasts."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, troubles: Sequence[Trouble]) -> None:
        make_directory(self._path.parent, mode=0o700)
        found = {one.key: one.words for one in troubles}
        write_atomic(self._path, json.dumps(found), mode=0o600, durable=False)

    def noted(self) -> Sequence[Trouble]:
        found = read_json(self._path) or {}
        return [Trouble(key, str(words), event="node") for key, words in found.items()]
