"""Read the files of pipenv.

Usage: pipfile.py python LOCK         prints the Python that Pipfile.lock requires (3.12, 3.12.4)
       pipfile.py check PIPFILE LOCK  exit status 0 if the lock file was made from this Pipfile
Otherwise exit status 1, with the reason. Standard library only.
"""

import hashlib
import json
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

OWN = frozenset({"source", "requires", "pipenv", "scripts"})
DEFAULTS = {"packages": "default", "dev-packages": "develop"}


def required(lock: dict[str, Any]) -> str:
    """The Python version, or an empty string. Raises ValueError with a sentence."""
    requires = lock["_meta"].get("requires") or {}
    version = requires.get("python_full_version") or requires.get("python_version") or ""
    if version and not re.fullmatch(r"3\.[0-9]{1,2}(\.[0-9]{1,2})?", str(version)):
        raise ValueError(
            f"Pipfile.lock requires Python {str(version)[:40]!r}, which is no version."
        )
    return str(version)


def fits(pipfile: dict[str, Any], lock: dict[str, Any]) -> bool:
    """Whether the hash in the lock file is this Pipfile's, computed as pipenv does.

    A Pipfile without sources is hashed with those of the machine where it was locked, which are
    unknown here, so it is accepted.
    """
    if "source" not in pipfile:
        return True
    return lock["_meta"]["hash"]["sha256"] in {
        digest(pipfile, lambda name: name),
        # Newer versions of pipenv normalize names (PEP 503).
        digest(pipfile, lambda name: re.sub(r"[-_.]+", "-", name).lower()),
    }


def digest(pipfile: dict[str, Any], spell: Callable[[str], str]) -> str:
    """The hash of a Pipfile; spell: how names of packages are normalized for it."""
    meta = {"sources": pipfile["source"], "requires": pipfile.get("requires", {})}
    data: dict[str, Any] = {"_meta": meta, "default": {}, "develop": {}}
    for name, content in pipfile.items():
        if name not in OWN:
            data[DEFAULTS.get(name, name)] = {spell(key): value for key, value in content.items()}
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def main() -> int:
    """Run the subcommand of the first argument."""
    try:
        lock = json.loads(Path(sys.argv[-1]).read_text())
        if sys.argv[1] == "check":
            return 0 if fits(tomllib.loads(Path(sys.argv[2]).read_text()), lock) else 1
        print(required(lock))
    except ValueError as error:
        known = type(error) is ValueError
        print(error if known else "Pipfile or Pipfile.lock is not in pipenv's format.")
        return 1
    except (OSError, KeyError, TypeError, AttributeError, RecursionError):
        print("Pipfile or Pipfile.lock is not in pipenv's format.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
