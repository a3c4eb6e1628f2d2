"""The store, seen from outside: whether it can be used, and its copies."""

from pathlib import Path
from typing import Protocol

from paas.domain.server.trash import Access, StoreCopy
from paas.domain.values.errors import PaasError


class StoreRecovery(Protocol):
    """Checks the store and its copies, and restores one."""

    def fault(self) -> PaasError | None:
        """Why it cannot be used, after a complete check; None: it can."""

    def copies(self) -> list[StoreCopy]:
        """Those of this store, newest first."""

    def access(self, copy: StoreCopy | None = None) -> list[Access]:
        """Which users and keys a copy has, or the one that is there."""

    def new_from(self, copy: StoreCopy) -> Path:
        """Prepare the copy that will become the store."""

    def put(self, new: Path) -> None:
        """Make it the store; the former one is out of the way."""

    def adopt(self) -> None:
        """Use the one that is there. Raises PaasError if it is missing or damaged."""
