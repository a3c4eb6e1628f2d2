"""Run a program with the app's config vars in its environment, and none in the build's scripts.

Usage: with_config.py ENV [NAME=VALUE | NAME?=VALUE]... -- PROGRAM ARGUMENT...

ENV has a file for each config var (Heroku's buildpack API). NAME=VALUE overrides a config var;
NAME?=VALUE applies if it is unset or empty. It is a separate program, since in a shell each config
var could replace a variable of the script. Standard library only.
"""

import errno
import os
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# npm and programs that use a proxy accept them in any case, and which of two counts is random.
ANY_CASE = re.compile(rb"NPM_CONFIG_.*|(?:HTTPS?|NO|ALL|FTP)_PROXY", re.IGNORECASE)
SETTING = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\??)=(.*)", re.DOTALL)
# They would break the build; the app gets them when it runs.
KEPT_OUT = re.compile(
    r"PATH|HOME|PORT|IFS|UID|EUID|PPID|SHELLOPTS|BASHOPTS|BASH_.*|ENV|CDPATH|POSIXLY_CORRECT"
    r"|TMPDIR|TMP|TEMP"  # perhaps a storage directory, which builds do not have
    r"|GIT_(?:DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR)"
    r"|CPATH|CPPATH|LIBRARY_PATH|LD_.*|PYTHONHOME|VIRTUAL_ENV"
    r"|UV_(?:CACHE_DIR|LINK_MODE|PROJECT.*|PYTHON.*|TOOL_.*|SYSTEM_PYTHON|WORKING_DIR.*)"
)


def config_vars(directory: Path) -> dict[bytes, bytes]:
    """The config vars for a build's programs."""
    return {
        os.fsencode(path.name): path.read_bytes()
        for path in directory.iterdir()
        if NAME.fullmatch(path.name) and not KEPT_OUT.fullmatch(path.name) and path.is_file()
    }


def joined(server: Mapping[bytes, bytes], app: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """The server's settings and the app's config vars, which take precedence in any spelling."""
    own = {name.upper() for name in app if ANY_CASE.fullmatch(name)}
    return {**{name: server[name] for name in server if name.upper() not in own}, **app}


def apply(settings: Iterable[str], environment: MutableMapping[bytes, bytes]) -> None:
    """Set the build's own variables."""
    for setting in settings:
        found = SETTING.fullmatch(setting)
        if found is None:
            raise SystemExit(f"with_config.py: {setting!r} is not NAME=VALUE")
        name = os.fsencode(found[1])
        if name.upper().startswith(b"NPM_CONFIG_"):
            # npm accepts them in any case, and which of two counts depends on their order.
            same = [other for other in environment if other.upper() == name.upper()]
            if found[2] and any(environment[other] for other in same):
                continue
            for other in same:
                del environment[other]
        if not found[2] or not environment.get(name):
            environment[name] = os.fsencode(found[3])


def execute(argv: list[str], environment: dict[bytes, bytes]) -> int:
    """Execute the program; if that fails, returns the exit status of a shell."""
    try:
        os.execvpe(argv[0], argv, environment)  # noqa: S606
    except OSError as error:
        if error.errno == errno.ENOEXEC:  # a script without #!, which a shell would run itself
            os.execve("/bin/bash", ["/bin/bash", *argv], environment)  # noqa: S606
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr)
        if error.errno == errno.E2BIG:
            print(
                "The app's config vars are together too large for an environment.",
                file=sys.stderr,
            )
        return 127 if error.errno == errno.ENOENT else 126


def main() -> int:
    """Do what the arguments say."""
    at = sys.argv.index("--")
    environment = joined(os.environb, config_vars(Path(sys.argv[1])))
    apply(sys.argv[2:at], environment)
    return execute(sys.argv[at + 1 :], environment)


if __name__ == "__main__":
    sys.exit(main())
