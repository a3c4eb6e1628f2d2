"""The store, seen from outside: whether it can be used, and its copies."""

from pathlib import Path
from typing import Protocol

from paas.domain.server.lost import StoreCopy
from paas.domain.values.errors import PaasError


class StoreKeeper(Protocol):
    """Looks at the store and its copies, and puts one in its place."""

    def fault(self) -> PaasError | None:
        """Why it cannot be used, looked at as a whole; None: it can."""

    def copies(self) -> list[StoreCopy]:
        """Those of this store, newest first."""

    def new_from(self, copy: StoreCopy) -> Path:
        """Make ready what is to become the store."""

    def put(self, new: Path) -> None:
        """Make it the store; the former one is out of the way."""

    def adopt(self) -> None:
        """Use the one that is there. Raises PaasError if it is missing or damaged."""
