"""Run a program with the app's config vars in its environment, and none in the build's scripts.

Usage: with_config.py ENV [NAME=VALUE | NAME?=VALUE]... -- PROGRAM ARGUMENT...

ENV has a file for each config var (Heroku's buildpack API). NAME=VALUE wins over a config var,
NAME?=VALUE is for if there is none, or an empty one. A program of its own, since in a shell each
config var could replace a variable of the script. Standard library only.
"""

import errno
import os
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# npm and those who ask for a proxy take them in any case, and which of two counts is chance.
ANY_CASE = re.compile(rb"NPM_CONFIG_.*|(?:HTTPS?|NO|ALL|FTP)_PROXY", re.IGNORECASE)
SETTING = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\??)=(.*)", re.DOTALL)
# They would break what builds; the app gets them when it runs.
KEPT_OUT = re.compile(
    r"PATH|HOME|PORT|IFS|UID|EUID|PPID|SHELLOPTS|BASHOPTS|BASH_.*|ENV|CDPATH|POSIXLY_CORRECT"
    r"|TMPDIR|TMP|TEMP"  # a storage directory, perhaps, which no build has
    r"|GIT_(?:DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR)"
    r"|CPATH|CPPATH|LIBRARY_PATH|LD_.*|PYTHONHOME|VIRTUAL_ENV"
    r"|UV_(?:CACHE_DIR|LINK_MODE|PROJECT.*|PYTHON.*|TOOL_.*|SYSTEM_PYTHON|WORKING_DIR.*)"
)


def config_vars(directory: Path) -> dict[bytes, bytes]:
    """The config vars that a build's programs get."""
    return {
        os.fsencode(path.name): path.read_bytes()
        for path in directory.iterdir()
        if NAME.fullmatch(path.name) and not KEPT_OUT.fullmatch(path.name) and path.is_file()
    }


def joined(server: Mapping[bytes, bytes], app: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """The server's settings and the app's config vars, which win however they are spelled."""
    own = {name.upper() for name in app if ANY_CASE.fullmatch(name)}
    return {**{name: server[name] for name in server if name.upper() not in own}, **app}


def apply(settings: Iterable[str], environment: MutableMapping[bytes, bytes]) -> None:
    """Set what the build itself wants."""
    for setting in settings:
        found = SETTING.fullmatch(setting)
        if found is None:
            raise SystemExit(f"with_config.py: {setting!r} is not NAME=VALUE")
        name = os.fsencode(found[1])
        if name.upper().startswith(b"NPM_CONFIG_"):
            # npm takes them in any case, and which of two counts is a matter of their order.
            same = [other for other in environment if other.upper() == name.upper()]
            if found[2] and any(environment[other] for other in same):
                continue
            for other in same:
                del environment[other]
        if not found[2] or not environment.get(name):
            environment[name] = os.fsencode(found[3])


def execute(argv: list[str], environment: dict[bytes, bytes]) -> int:
    """Become the program; the exit status of a shell that cannot."""
    try:
        os.execvpe(argv[0], argv, environment)  # noqa: S606
    except OSError as error:
        if error.errno == errno.ENOEXEC:  # a script without a first line, as a shell takes it
            os.execve("/bin/bash", ["/bin/bash", *argv], environment)  # noqa: S606
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr)
        if error.errno == errno.E2BIG:
            print("The app's config vars are together too large for a program.", file=sys.stderr)
        return 127 if error.errno == errno.ENOENT else 126


def main() -> int:
    """Do what the arguments say."""
    at = sys.argv.index("--")
    environment = joined(os.environb, config_vars(Path(sys.argv[1])))
    apply(sys.argv[2:at], environment)
    return execute(sys.argv[at + 1 :], environment)


if __name__ == "__main__":
    sys.exit(main())
