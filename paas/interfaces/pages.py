"""Pages that the proxy shows in place of an app."""

from pathlib import Path
from typing import Protocol


class Pages(Protocol):
    """The maintenance pages that users set, one for each app at most."""

    def maintenance(self, app_id: int) -> Path | None:
        """Where the app's is; None if none was set."""

    def set_maintenance(self, app_id: int, content: bytes) -> None:
        """Keep one; visitors who see the former see this from then on."""

    def remove(self, app_id: int) -> bool:
        """Forget it; whether there was one."""
