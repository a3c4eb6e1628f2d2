"""Pythons that the distribution does not have, as layers between the runtime image and slugs.

A virtual environment points to the Python that it was made with, by its path on the server. Slugs
with the same Python share its layer, here and on nodes; it goes with the last slug that has it.
"""

import io
import json
import os
import re
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from paas.adapters.docker.connection import SERVER_LABEL, server_label
from paas.adapters.docker.image_files import ImageFiles
from paas.adapters.docker.images import Images
from paas.adapters.docker.tree_archive import TreeArchive
from paas.adapters.system import files, flocks
from paas.interfaces import Progress
from paas.settings import Settings

if TYPE_CHECKING:
    from docker import DockerClient

_LINK = Path(".venv/bin/python")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
_CONTAINER = "paas-python-layer"


class PythonLayers:
    """A file says which images they are, by id, as for the runtime image."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pythons = settings.paths.pythons
        self._images = Images(settings)
        self._record = settings.paths.docker / "python-layers.json"
        self._lock = settings.paths.docker / "python-layers.lock"

    def base(self, client: "DockerClient", runtime: str, tree: Path, progress: Progress) -> str:
        """The image that a slug is put on: the runtime image itself if its Python will do.

        runtime: the id of the runtime image.
        """
        python = self._python_of(tree)
        if python is None:
            return runtime
        key = f"{runtime} {python.resolve().name}"
        with flocks.locked(self._lock):
            there = self._made()
            if key in there:
                return there[key]
            progress.detail(f"Adding {python.resolve().name} to the runtime image")
            made = self._make(client, runtime, python, progress)
            text = json.dumps({**there, key: made})
            files.write_atomic(self._record, text, mode=0o600)
            return made

    def _python_of(self, tree: Path) -> Path | None:
        """The directory of the slug's Python; None: the distribution's, or the slug has none.

        The link was made by a build: it only chooses among the directories that are there.
        """
        try:
            target = os.readlink(tree / _LINK)  # noqa: PTH115 - as it is, not normalized
        except OSError:
            return None
        name = target.removeprefix(f"{self._pythons}/").partition("/")[0]
        if not target.startswith(f"{self._pythons}/") or _NAME.fullmatch(name) is None:
            return None
        found = self._pythons / name
        return found if found.is_dir() else None

    def _made(self) -> dict[str, str]:
        """Those that are still there."""
        found = files.read_json(self._record)
        if not isinstance(found, dict):
            return {}
        return {str(key): str(id) for key, id in found.items() if self._images.has(str(id))}

    def _make(self, client: "DockerClient", runtime: str, python: Path, progress: Progress) -> str:
        real = python.resolve()
        archive = TreeArchive(real, str(real).lstrip("/"), owner=0, check=progress.check)
        with ImageFiles(client, runtime, _CONTAINER) as container:
            container.write(archive.pieces())
            if python != real:
                container.write(_link(str(python).lstrip("/"), real.name))
            labels = {SERVER_LABEL: server_label(self._settings)}
            made = client.api.commit(container.id, conf={"Labels": labels})
        return str(made["Id"])


def _link(name: str, target: str) -> bytes:
    """An archive of one symbolic link."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, target, 0o777
        archive.addfile(entry)
    return written.getvalue()
