"""Pages that the proxy shows in place of an app."""

from pathlib import Path
from typing import Protocol


class Pages(Protocol):
    """The maintenance pages that users set, one for each app at most."""

    def maintenance(self, app_id: int) -> Path | None:
        """The path of the app's page; None if none was set."""

    def set_maintenance(self, app_id: int, content: bytes) -> None:
        """Set one; visitors who see the former page see this one from then on."""

    def remove(self, app_id: int) -> bool:
        """Delete it; returns whether there was one."""
