"""The images that nodes can pull: those of slugs, and no others."""

from dataclasses import dataclass

from paas.interfaces import ImageRegistry
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeImages:
    """The registry of a server that has nodes."""

    store: Store
    registry: ImageRegistry

    def tend(self) -> None:
        """Delete what pruned slugs left there; keep its certificate fresh. Raises PaasError."""
        self.registry.renew()
        self.registry.keep_only(self.store.slugs.image_ids)
