"""Convert an app's hand-written files to UTF-8.

Usage: utf8_files.py DIRECTORY. Rewrites files that have a byte order mark or are UTF-16 (as
PowerShell's ``>`` writes them), so that every tool of a build can read them. Other encodings
cannot be identified reliably: the file is named on standard output, and the exit status is 1.
Standard library only.
"""

import os
import stat
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from plain_text import EncodingError, plain_text

FILE_MAX_BYTES = 1 << 20
PATTERNS = (
    *("requirements*.txt", "requirements/*.txt", "constraints*.txt", "runtime.txt", "nltk.txt"),
    *(".python-version", "Pipfile", "pyproject.toml", "setup.cfg", "uv.toml", "package.json"),
    *(".npmrc", ".yarnrc", ".yarnrc.yml", ".nvmrc", ".node-version", "pnpm-workspace.yaml"),
    *("static.json", "Aptfile", "Procfile"),
)


def rewrite(path: Path) -> None:
    """Convert one text file to UTF-8 without a byte order mark. Raises EncodingError."""
    fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(fd, "r+b") as file:  # noqa: PTH123 - a descriptor
        mode = os.fstat(fd)
        if not stat.S_ISREG(mode.st_mode) or mode.st_size > FILE_MAX_BYTES:
            return
        content = file.read()
        wanted = plain_text(content).encode()
        if wanted != content:
            file.seek(0)
            file.write(wanted)
            file.truncate()


def main() -> int:
    """Rewrite the files that exist."""
    root = Path(sys.argv[1])
    for pattern in PATTERNS:
        for path in root.glob(pattern):
            try:
                rewrite(path)
            except EncodingError as error:
                name = path.relative_to(root)
                print(f"{name} {error}.")
                print(
                    f"Convert it and commit: iconv -f WINDOWS-1252 -t UTF-8 {name} > converted "
                    f"&& mv converted {name}"
                )
                return 1
            except OSError:
                continue  # a link, or not writable: the program that reads it reports that
    return 0


if __name__ == "__main__":
    sys.exit(main())
