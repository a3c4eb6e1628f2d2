"""The maintenance pages that users set: state/pages/APP.html, which Nginx reads."""

from pathlib import Path

from paas.adapters.system import files


class FilePages:
    """`Pages` of interfaces."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def maintenance(self, app_id: int) -> Path | None:
        path = self._path(app_id)
        return path if path.exists() else None

    def set_maintenance(self, app_id: int, content: bytes) -> None:
        files.make_directory(self._directory, mode=0o711)
        files.write_atomic(self._path(app_id), content, mode=0o644)

    def remove(self, app_id: int) -> bool:
        found = self._path(app_id).exists()
        files.remove(self._path(app_id))
        return found

    def _path(self, app_id: int) -> Path:
        return self._directory / f"{app_id}.html"
