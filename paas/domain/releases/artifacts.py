"""What a build made, as a runtime takes it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Artifact:
    """What the processes of a release start from. directory: the slug's, on this machine."""

    directory: Path
