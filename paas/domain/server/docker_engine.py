"""What a Docker engine says of itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineState:
    """version: dockerd's. The sizes are what each kind takes of the disk.

    images_bytes: layers count once, however many images share them. containers_bytes: what they
    wrote. cache_bytes: of BuildKit, without what images have too. registry_bytes: of the registry
    from which nodes pull images.
    """

    version: str
    images_bytes: int
    containers_bytes: int
    cache_bytes: int
    registry_bytes: int = 0

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return sum(
            (self.images_bytes, self.containers_bytes, self.cache_bytes, self.registry_bytes)
        )
