"""What places were told, in a file; implements `Ledgers`."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from paas.adapters.system.files import read_json, write_atomic
from paas.domain.notifications.ledger import Ledger, Told


class LedgerFile:
    """A damaged file counts as none: everything that lasts is told once more."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Ledger]:
        """See `Ledgers`."""
        plain = read_json(self._path) or {}
        try:
            return {id: _ledger(one) for id, one in plain.items()}
        except (TypeError, ValueError, LookupError, AttributeError):
            return {}

    def write(self, ledgers: Mapping[str, Ledger]) -> None:
        """See `Ledgers`."""
        plain = {id: asdict(one) for id, one in ledgers.items()}
        write_atomic(self._path, json.dumps(plain))


def _ledger(plain: object) -> Ledger:
    if not isinstance(plain, dict):
        raise TypeError("it is no object")
    told = {key: Told(**one) for key, one in plain["told"].items()}
    return Ledger(told, float(plain["retry_at"]))
