"""Which buildpacks this server has: built-in ones, and directories that its admin names."""

import os
from pathlib import Path

from paas.settings import Settings


class FileBuildpacks:
    """`BuildpackCatalog` of interfaces over the files of the installed version."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def names(self) -> tuple[str, ...]:
        lines = (self._settings.paths.current / "buildpacks/order.txt").read_text().splitlines()
        words = [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]
        return tuple(words)

    def why_not(self, directory: str) -> str | None:
        path = Path(os.path.realpath(directory))
        if not path.is_dir():
            return f"There is no directory {directory} on this server."
        settings = self._settings
        for ours in (settings.etc, settings.state, settings.run):
            if path.is_relative_to(ours) or ours.is_relative_to(path):
                return f"{directory} holds the platform's own data, which no app may see."
        missing = [name for name in ("bin/detect", "bin/compile") if not (path / name).is_file()]
        if missing:
            return f"{directory} is not a buildpack: it has no {' and no '.join(missing)}."
        return None
