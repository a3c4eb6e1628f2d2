"""Check that every file that the installed packages list exists.

Usage: whole.py SITE-PACKAGES. Exit status 1 if one is missing, which is then printed: another
package that also has it was removed. Standard library only.
https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import csv
import sys
from pathlib import Path


def missing(site: Path) -> str | None:
    """The first listed file that is missing; bytecode does not count, since it is recompiled."""
    for record in site.glob("*.dist-info/RECORD"):
        with record.open(newline="", encoding="utf-8") as lines:
            for row in csv.reader(lines):
                if row and not row[0].endswith(".pyc") and not (site / row[0]).exists():
                    return row[0]
    return None


def main() -> int:
    """Check, and print what is missing."""
    found = missing(Path(sys.argv[1]))
    if found is not None:
        print(found)
    return 0 if found is None else 1


if __name__ == "__main__":
    sys.exit(main())
