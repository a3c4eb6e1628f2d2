"""Read a package.json for the Node buildpack, without running anything of the app.

Usage: package.py read FILE
           prints engines.node, packageManager, the scripts' names and a dot, a line each; or why
           the file cannot be read, with exit status 1
       package.py stable FILE LOCK
           exit status 0 if what is installed depends on these two files alone
       package.py program FILE
           prints the file beside FILE that node can start, or an empty line
       package.py missing FILE LOCK
           prints the packages that FILE lists and npm's lock file lacks, on one line
       package.py installed LOCK DIRECTORY
           exit status 0 if npm installed in DIRECTORY exactly what its lock file lists
       package.py site FILE
           exit status 0 if it says how to build the app and nothing says how to start it
Standard library only.
"""

import json
import re
import sys
from pathlib import Path

# Run by an installation, with the app's own code, so the result cannot be kept.
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
        raise ValueError("package.json must be an object.")  # noqa: TRY004 - one class for all
    return found


def text(value: object, name: str) -> str:
    """A short string, or an empty one."""
    if value is None:
        return ""
    if not isinstance(value, str) or not PRINTABLE.fullmatch(value):
        raise ValueError(f'"{name}" in package.json is not a short string.')
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
    """The file that node starts if there is no start script: server.js, or "main"."""
    main_file = package(path).get("main")
    for name in ("server.js", main_file):
        if isinstance(name, str):
            name = name.removeprefix("./")
            if PLAIN_PATH.fullmatch(name) and ".." not in name and (path.parent / name).is_file():
                return name
    return ""


def is_site(path: Path) -> bool:
    """Whether the app can be built but not started, so that its files are served, as with Vite."""
    scripts = package(path).get("scripts")
    names = set(scripts) if isinstance(scripts, dict) else set()
    return bool(BUILD_SCRIPTS & names) and "start" not in names and not program(path)


def locked(lock: Path) -> dict[str, dict[str, object]]:
    """The packages of npm's lock file by their place, such as ``node_modules/express``.

    Empty where it does not say (lockfileVersion 1). Raises ValueError where it is no lock file.
    https://docs.npmjs.com/cli/configuring-npm/package-lock-json
    """
    try:
        found = json.loads(lock.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{lock.name} is not valid JSON: {error.msg} in line {error.lineno}."
        ) from error
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{lock.name} cannot be read: {error}.") from error
    packages = found.get("packages") if isinstance(found, dict) else None
    if not isinstance(packages, dict):
        return {}
    return {place: entry for place, entry in packages.items() if isinstance(entry, dict)}


def missing(path: Path, lock: Path) -> list[str]:
    """What the package.json lists and the lock file has nowhere: npm would refuse that later.

    Whether the versions fit only npm can tell.
    """
    packages = locked(lock)
    if not packages:
        return []
    found = package(path)
    asked = [found.get(kind) for kind in ("dependencies", "devDependencies")]
    names = [name for group in asked if isinstance(group, dict) for name in group]
    return sorted(
        name
        for name in names
        if PRINTABLE.fullmatch(name) and f"node_modules/{name}" not in packages
    )


def is_installed(lock: Path, directory: Path) -> bool:
    """Whether each package that npm installed is the one that the lock file names.

    npm lists in node_modules/.package-lock.json what is there. Packages for other machines are not.
    """
    wanted, there = locked(lock), locked(directory / ".package-lock.json")
    for packages in (wanted, there):
        packages.pop("", None)  # the app itself
    same = all(
        place in wanted and _identity(entry) == _identity(wanted[place])
        for place, entry in there.items()
    )
    absent = (entry for place, entry in wanted.items() if place not in there)
    return bool(there) and same and all(_may_be_absent(entry) for entry in absent)


def _identity(entry: dict[str, object]) -> tuple[object, object]:
    """Two with the same one have the same files."""
    return entry.get("version"), entry.get("integrity") or entry.get("resolved")


def _may_be_absent(entry: dict[str, object]) -> bool:
    return bool(entry.get("optional") or entry.get("devOptional"))


def is_stable(path: Path, lock: Path) -> bool:
    """Whether the same package.json and lock file always give the same node_modules."""
    found = package(path)
    scripts = found.get("scripts")
    if isinstance(scripts, dict) and INSTALL_SCRIPTS & set(scripts):
        return False
    if "workspaces" in found or (path.parent / "pnpm-workspace.yaml").exists():
        return False
    # The entry of newer versions of yarn for the project itself.
    locked = lock.read_text(errors="replace").replace("@workspace:.", "")
    return not LOCAL.search(path.read_text(errors="replace") + locked)


def main() -> int:
    """Run the subcommand of the first argument."""
    try:
        if sys.argv[1] == "stable":
            return 0 if is_stable(Path(sys.argv[2]), Path(sys.argv[3])) else 1
        if sys.argv[1] == "missing":
            print(", ".join(missing(Path(sys.argv[2]), Path(sys.argv[3]))))
            return 0
        if sys.argv[1] == "installed":
            return 0 if is_installed(Path(sys.argv[2]), Path(sys.argv[3])) else 1
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
