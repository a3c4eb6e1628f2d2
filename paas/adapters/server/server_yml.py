"""Changing server.yml from a command; the operator's comments at its top are kept."""

from pathlib import Path
from typing import Any

import yaml

from paas.adapters.system.files import write_atomic
from paas.settings import load


class ServerYml:
    """`ServerFile` of interfaces."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def set_domain(self, domain: str) -> None:
        """Raises PaasError, with the file unchanged, if it cannot be parsed."""
        self._set("domain", domain)

    def set_proxy(self, kind: str) -> None:
        """Which kind of proxy the server has. Raises PaasError as `set_domain`."""
        self._set("proxy", kind)

    def set_auto_certificates(self, on: bool) -> None:
        """Whether apps get certificates automatically. Raises PaasError as `set_domain`."""
        self._set("auto_certificates", on)

    def _set(self, key: str, value: Any) -> None:
        load(self._path)
        text = self._path.read_text()
        lines = text.splitlines(keepends=True)
        comments = [line for line in lines[: _head(lines)] if line.startswith("#")]
        settings = yaml.safe_load(text) | {key: value}
        body = yaml.safe_dump(settings, sort_keys=False)
        write_atomic(self._path, "".join(comments) + body, mode=0o600)


def _head(lines: list[str]) -> int:
    """How many lines the comment at the top of the file has."""
    return next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
