"""Compiles templates: ``python -m paas.entrypoints.installer.templates DIRECTORY...``.

In a Python of its own, since install.sh starts with one that has no packages.
"""

import sys
from pathlib import Path

from paas.adapters.system.templates import compile_all

if __name__ == "__main__":
    for directory in sys.argv[1:]:
        compile_all(Path(directory))
