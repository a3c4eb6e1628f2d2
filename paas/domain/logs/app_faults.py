"""Faults of the app's own code that the last error in its output makes certain.

Each is a sentence that names the file of the app; any other error is left to its traceback.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from paas.domain.values.names import printable

# Ports below it are for root alone.
PRIVILEGED = 1024
_OWN = re.compile(r"/app/(?!\.venv/|\.paas/|node_modules/)(?P<name>.+)")
_FRAME = re.compile(r'File "(?P<file>[^"]*)", line (?P<line>\d+)')
_ERROR = re.compile(r"(?P<kind>[A-Za-z_][\w.]*(?:Error|Exception)): ?(?P<what>.*)")
_MODULE = re.compile(r"No module named '(?P<name>[\w.]+)'")
_SYNTAX = frozenset({"SyntaxError", "IndentationError", "TabError"})
_KEY = re.compile(r"'(?P<name>[A-Z][A-Z0-9_]*)'")
_ENVIRON = re.compile(r"<frozen os>|/\S+/python3[0-9.]*/os\.py")
_NODE_PACKAGE = (
    re.compile(r"Error: Cannot find module '(?P<name>[^'/.][^']*)'"),
    re.compile(
        r"Error \[ERR_MODULE_NOT_FOUND\]: Cannot find package '(?P<name>[^']+)' "
        r"imported from (?P<file>\S+)"
    ),
)
_NODE_FILE = re.compile(
    r"Error(?: \[ERR_MODULE_NOT_FOUND\])?: Cannot find module '/app/(?P<name>[^']+)'(?! imported)"
)
_NODE_OWN_FILE = (
    re.compile(r"Error: Cannot find module '(?P<name>\.{1,2}/[^']+)'"),
    re.compile(
        r"Error \[ERR_MODULE_NOT_FOUND\]: Cannot find module '/app/(?P<name>[^']+)' "
        r"imported from (?P<file>\S+)"
    ),
)
_NODE_PLACE = re.compile(r"(?:file://)?(?P<file>/app/\S+?):(?P<line>\d+)")
_NODE_SYNTAX = re.compile(r"SyntaxError: (?P<what>.+)")
_NO_PORT = re.compile(
    r"Error: listen EACCES: permission denied \S*?:(?P<node>\d+)"
    r"|\[ERROR\] Can't connect to \('[^']*', (?P<gunicorn>\d+)\)"
)
_NOT_FOUND = re.compile(
    r"(?:/bin/)?(?:ba|da)?sh: (?:line )?(?:\d+: )?(?:exec: )?"
    r"(?P<name>[A-Za-z0-9_][A-Za-z0-9_.+-]*): (?:command )?not found"
)
_SPELLING = (
    "Correct it; upper and lower case count on the server. Check too that .gitignore does not "
    "leave the file out"
)


@dataclass(frozen=True, slots=True)
class Explained:
    """Why a program ended: a sentence, and what to do."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class _Raised:
    """The last error of a Python program. place: the innermost frame of the app's own code, as
    ``app.py, line 3``; frame: the innermost of all, a file."""

    kind: str
    what: str
    place: str
    frame: str


def app_fault(lines: Sequence[str]) -> Explained | None:
    """What is wrong with the app, if the last error says so."""
    raised = _last_raised(lines)
    if raised is not None:
        return _python_fault(raised)
    return _node_fault(lines) or _node_syntax(lines) or _no_port(lines) or _no_program(lines)


def _last_raised(lines: Sequence[str]) -> _Raised | None:
    frame = place = ""
    found = None
    for line in lines:
        if line.startswith("Traceback "):
            frame = place = ""
        elif seen := _FRAME.search(line):
            frame = seen["file"]
            own = _OWN.fullmatch(frame)
            place = f"{own['name']}, line {seen['line']}" if own else place
        elif (error := _ERROR.match(line)) and frame:
            found = _Raised(error["kind"], error["what"], place, frame)
    return found


def _python_fault(raised: _Raised) -> Explained | None:
    if not raised.place:
        return None
    in_app = _OWN.fullmatch(raised.frame) is not None
    place = printable(raised.place)
    module = _MODULE.fullmatch(raised.what)
    if raised.kind == "ModuleNotFoundError" and module and in_app:
        return Explained(
            f"{place}: the module '{module['name']}' is not installed.",
            "Add the package that has it to the file that lists the app's dependencies, commit, "
            "and push again. If it is a file of the app, check its name, and that .gitignore does "
            "not leave it out",
        )
    if raised.kind in _SYNTAX and in_app:
        return _syntax_error(raised.place, raised.what)
    variable = _KEY.fullmatch(raised.what)
    if raised.kind == "KeyError" and variable and _ENVIRON.fullmatch(raised.frame):
        return Explained(
            f"{place}: the app needs the config var {variable['name']}, which is not set.",
            f"Set it, then push again: paas config:set {variable['name']}=VALUE",
        )
    return None


def _node_fault(lines: Sequence[str]) -> Explained | None:
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at]
        if found := _any(_NODE_PACKAGE, line):
            file = _requirer(found, lines[at:])
            if file is None:
                return None
            return Explained(
                f"{file} needs the package '{printable(found['name'])}', which is not installed.",
                "Add it to the dependencies (not to devDependencies, which are removed after the "
                "build), commit package.json and the lock file, and push again",
            )
        if found := _any(_NODE_OWN_FILE, line):
            file = _requirer(found, lines[at:])
            if file is None:
                return None
            return Explained(
                f"{file} needs the file '{printable(found['name'])}', which is not there.",
                _SPELLING,
            )
        if found := _NODE_FILE.search(line):
            return Explained(
                f"There is no file {printable(found['name'])}, which the command names.",
                f"{_SPELLING}. If a build makes it, package.json needs a script named build",
            )
    return None


def _node_syntax(lines: Sequence[str]) -> Explained | None:
    """Node.js prints the place, the line itself, a mark below it, and the error."""
    place = ""
    for line in lines:
        if found := _NODE_PLACE.fullmatch(line):
            own = _OWN.fullmatch(found["file"])
            place = f"{own['name']}, line {found['line']}" if own else ""
        elif (error := _NODE_SYNTAX.fullmatch(line)) and place:
            return _syntax_error(place, error["what"])
    return None


def _syntax_error(place: str, what: str) -> Explained:
    return Explained(
        f"{printable(place)}: the app has a syntax error: {printable(what)}.",
        "Correct it, commit, and push again",
    )


def _no_port(lines: Sequence[str]) -> Explained | None:
    found = _any((_NO_PORT,), "\n".join(lines))
    port = int((found and (found["node"] or found["gunicorn"])) or 0)
    if not 0 < port < PRIVILEGED:
        return None
    return Explained(
        f"The app may not listen on port {port}; the port for it is $PORT.",
        'Use process.env.PORT in Node.js, os.environ["PORT"] in Python, or $PORT in the Procfile; '
        "visitors reach the app on the ports of the proxy",
    )


def _requirer(found: re.Match[str], rest: Sequence[str]) -> str | None:
    """The app's file that needs a module, or None where a package does."""
    if "file" in found.groupdict():
        path = found["file"]
    else:
        # Error: ... / Require stack: / - /app/server.js
        path = rest[2].removeprefix("- ") if len(rest) > 2 and "Require stack" in rest[1] else ""
    own = _OWN.fullmatch(path)
    return printable(own["name"]) if own else None


def _no_program(lines: Sequence[str]) -> Explained | None:
    """What a shell did not find, if that is its last output: a script may continue after it."""
    last = next((line for line in reversed(lines) if line.strip()), "")
    found = _NOT_FOUND.fullmatch(last)
    if found is None:
        return None
    return Explained(
        f"There is no program '{found['name']}'.",
        "Correct its name in the command (Procfile), or add the package that has it to the app's "
        "dependencies",
    )


def _any(patterns: Sequence[re.Pattern[str]], line: str) -> re.Match[str] | None:
    return next(filter(None, (pattern.search(line) for pattern in patterns)), None)
