"""Refuses a tree with archives that ADD would unpack to more than a build may write.

BuildKit unpacks a tar archive that ``ADD`` names, also one compressed by gzip, bzip2 or xz, to its
end, whatever becomes of the build; so a small file could fill the disk. All archives of the tree
are looked at, whichever ADD names.
"""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from paas.adapters.docker.unpacked_sizes import TooLargeError, unpacked_bytes
from paas.domain.builds.builders import adds_files
from paas.domain.values.errors import PaasError
from paas.domain.values.names import shown
from paas.domain.values.sizes import size_words
from paas.settings import Settings

UNPACKED_MAX_BYTES = 4 * 2**30


def refuse_bombs(
    settings: Settings, tree: Path, dockerfile: bytes, check: Callable[[], None]
) -> None:
    """Raises PaasError if the archives of a tree are too large unpacked, and its Dockerfile adds.

    check: called often; what it raises ends this.
    """
    if not adds_files(dockerfile):
        return
    free_bytes = shutil.disk_usage(settings.paths.docker).free - settings.min_free_mib * 2**20
    left_bytes = most_bytes = max(0, min(UNPACKED_MAX_BYTES, free_bytes))
    for path in _plain_files(tree):
        try:
            with _opened(path) as file:
                left_bytes -= unpacked_bytes(file, left_bytes, check)
        except TooLargeError:
            raise PaasError(
                "dockerfile-archives",
                f"With {shown(str(path.relative_to(tree)))}, the archives of this app would be "
                f"more than {size_words(most_bytes)} unpacked.",
                "ADD unpacks archives. Take it out of the repository, or unpack what you need of "
                "it in a RUN step.",
            ) from None


def _plain_files(tree: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(tree):
        for name in sorted(names):
            path = Path(folder, name)
            if stat.S_ISREG(path.lstat().st_mode):
                yield path


def _opened(path: Path) -> BinaryIO:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags), "rb")
