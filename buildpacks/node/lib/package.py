"""Read a package.json for the Node buildpack, without running anything of the app.

Usage: package.py read FILE
           prints engines.node, packageManager, the scripts' names and a dot, a line each; or why
           the file cannot be read, with exit status 1
       package.py stable FILE LOCK
           exit status 0 where what gets installed depends on these two alone
       package.py program FILE
           prints the file beside it that node can start, or an empty line
       package.py site FILE
           exit status 0 where it says how to build the app and nothing says how to start it
Standard library only.
"""

import json
import re
import sys
from pathlib import Path

# Run by an installation, with the app's own code: what they make cannot be kept.
INSTALL_SCRIPTS = frozenset({"preinstall", "install", "postinstall", "prepare", "prepublish"})
LOCAL = re.compile(r'(?<![A-Za-z])(?:file|link|workspace|portal|git\+[a-z]+|github):|"link": true')
PRINTABLE = re.compile(r"[ -~]{0,200}")
PLAIN_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}")
BUILD_SCRIPTS = frozenset({"heroku-postbuild", "build"})


def package(path: Path) -> dict[str, object]:
    """The object in package.json. Raises ValueError with a sentence."""
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"package.json is not valid JSON: {error.msg} in line {error.lineno}, "
            f"column {error.colno}."
        ) from error
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"package.json cannot be read: {error}.") from error
    if not isinstance(found, dict):
        raise ValueError("package.json must be an object.")  # noqa: TRY004 - one kind for all
    return found


def text(value: object, name: str) -> str:
    """A short line of text, or nothing."""
    if value is None:
        return ""
    if not isinstance(value, str) or not PRINTABLE.fullmatch(value):
        raise ValueError(f'"{name}" in package.json is not a short text.')
    return value.strip()


def read(path: Path) -> list[str]:
    """engines.node, packageManager and the names of the scripts."""
    found = package(path)
    engines = found.get("engines")
    scripts = found.get("scripts")
    node = engines.get("node") if isinstance(engines, dict) else None
    names = scripts if isinstance(scripts, dict) else {}
    return [
        text(node, "engines.node"),
        text(found.get("packageManager"), "packageManager"),
        *filter(PRINTABLE.fullmatch, names),
    ]


def program(path: Path) -> str:
    """The file that node starts where there is no script for it: server.js, or "main"."""
    main_file = package(path).get("main")
    for name in ("server.js", main_file):
        if isinstance(name, str):
            name = name.removeprefix("./")
            if PLAIN_PATH.fullmatch(name) and ".." not in name and (path.parent / name).is_file():
                return name
    return ""


def is_site(path: Path) -> bool:
    """Whether the app can be built and not be started: files to serve, as those of Vite."""
    scripts = package(path).get("scripts")
    names = set(scripts) if isinstance(scripts, dict) else set()
    return bool(BUILD_SCRIPTS & names) and "start" not in names and not program(path)


def is_stable(path: Path, lock: Path) -> bool:
    """Whether the same package.json and lock file always give the same node_modules."""
    found = package(path)
    scripts = found.get("scripts")
    if isinstance(scripts, dict) and INSTALL_SCRIPTS & set(scripts):
        return False
    if "workspaces" in found or (path.parent / "pnpm-workspace.yaml").exists():
        return False
    # The project itself, as newer versions of yarn list it.
    locked = lock.read_text(errors="replace").replace("@workspace:.", "")
    return not LOCAL.search(path.read_text(errors="replace") + locked)


def main() -> int:
    """Do what the first argument says."""
    try:
        if sys.argv[1] == "stable":
            return 0 if is_stable(Path(sys.argv[2]), Path(sys.argv[3])) else 1
        if sys.argv[1] == "site":
            return 0 if is_site(Path(sys.argv[2])) else 1
        if sys.argv[1] == "program":
            print(program(Path(sys.argv[2])))
            return 0
        print("\n".join([*read(Path(sys.argv[2])), "."]))
    except ValueError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
