"""What the last lines of a program that ended say about the cause, in a sentence with a remedy.

Only certain causes are explained; otherwise the lines themselves are shown.
"""

import re
from collections.abc import Callable, Sequence

from paas.domain.logs.app_faults import Explained, app_fault
from paas.domain.values.errors import without_colors
from paas.domain.values.names import printable

_EOL = (
    "Have git store Unix line endings, and commit: "
    "printf '* text=auto eol=lf\\n' >> .gitattributes && git add --renormalize . && "
    "git commit -m 'Use Unix line endings'"
)
_APP_FRAME = re.compile(r'File "/app/(?!\.venv/)')
_FRAME = re.compile(r'File "(?P<file>[^"]*)", line \d')
# Where a traceback ends if a server finds no module of the given name, or no such attribute
# (waitress shows no traceback then).
_IMPORTING = re.compile(r"<frozen importlib\._bootstrap(?:_external)?>")
_TAKING = re.compile(r"|.*/(?:granian|daphne|waitress|gunicorn)/.*")
_QUOTE = "[\u2018'\"]"
_PATH = r"(?P<path>[A-Za-z0-9_][A-Za-z0-9_./@+-]*)"
# How bash, dash (``sh: 1:``) and env name a program that they could not start.
_SHELL = r"(?:(?:/usr)?(?:/bin/)?(?:ba|da)?sh: (?:line )?(?:\d+: )?(?:exec: )?(?:/app/|\./)?"
_ENV = rf"(?:/usr/bin/)?env: {_QUOTE}?(?:/app/|\./)?"
_DENIED = re.compile(rf"(?:{_SHELL})|{_ENV}){_PATH}[\u2019'\"]?: Permission denied")
_CARRIAGE = re.compile(
    rf"env: {_QUOTE}?(?P<one>[a-z0-9.]+)(?:\\r|\r|\^M)[\u2019'\"]?: No such file"
    r"|: (?P<two>/\S+)\^M: bad interpreter"
    r"|\$'[^']*\\r': command not found"
)
_NO_INTERPRETER = re.compile(rf"{_SHELL}){_PATH}: cannot execute: required file not found")
_PRUNED = re.compile(r"paas: (?P<name>\S+) came with a package of devDependencies")
_ATTRIBUTE = (
    re.compile(r"Failed to find attribute '(?P<name>[^']+)' in '(?P<module>[\w.]+)'"),
    re.compile(r'Attribute "(?P<name>[^"]+)" not found in module "(?P<module>[\w.]+)"'),
    re.compile(r"Cannot load application from '(?P<module>[\w.]+):(?P<name>[^']+)', application"),
)
_HAS_NONE = re.compile(r"module '(?P<module>[\w.]+)' has no attribute '(?P<name>\w+)'")
_MODULE = (
    re.compile(r'Could not import module "(?P<module>[\w.]+)"'),
    re.compile(r"RuntimeError: Could not import '(?P<module>[\w.]+)'"),
    re.compile(r"Cannot load application from '(?P<module>[\w.]+)(?::[^']+)?', module not found"),
)
_NO_MODULE = re.compile(r"No module named '(?P<module>[\w.]+)'")
_WORKER_CLASS = re.compile(r"class uri '(?P<name>[\w.]+)' invalid or not found")
_SERVERS = re.compile(r"\bgunicorn\b|\bgranian\b|\bwaitress\b|\bdaphne\b|importing your module")
_WORKER_DIED = re.compile(r"INFO: +Child process \[\d+\] died")


def explained(lines: Sequence[str]) -> Explained | None:
    """The cause, if the last lines of a program make it certain."""
    lines = [without_colors(line) for line in lines]
    for look in _LOOKS:
        if found := look(lines):
            return found
    return None


def _denied(lines: Sequence[str]) -> Explained | None:
    found = _first(_DENIED, lines)
    if found is None:
        return None
    path = found["path"]
    return Explained(
        f"{path} cannot be run: it has no executable bit (Permission denied).",
        f"Give it one, and commit: git update-index --chmod=+x {path} && "
        f"git commit -m 'Make {path} executable'",
    )


def _windows(lines: Sequence[str]) -> Explained | None:
    if found := _first(_CARRIAGE, lines):
        name = found["one"] or found["two"]
        named = f": no program is called {name}\\r" if name else ""
        return Explained(f"A script of the app has Windows line endings (CRLF){named}.", _EOL)
    if found := _first(_NO_INTERPRETER, lines):
        return Explained(
            f"{found['path']} names a program in its first line that does not exist; often "
            "Windows line endings (CRLF) are the cause.",
            f"Check with: head -1 {found['path']} | cat -A. If the line ends with ^M$: {_EOL}",
        )
    return None


def _pruned(lines: Sequence[str]) -> Explained | None:
    found = _first(_PRUNED, lines)
    if found is None:
        return None
    return Explained(
        f"{printable(found['name'])} came with a package of devDependencies, and those are "
        "removed after the build.",
        "Move the package to dependencies: npm install --save-prod PACKAGE; or keep all of them: "
        "paas config:set NPM_CONFIG_PRODUCTION=false (YARN_PRODUCTION for yarn, "
        "PNPM_SKIP_PRUNING=true for pnpm), then push again",
    )


def _no_attribute(lines: Sequence[str]) -> Explained | None:
    found = next(filter(None, (_first(pattern, lines) for pattern in _ATTRIBUTE)), None)
    if found is None and _is_the_servers(lines):
        found = _raised(_HAS_NONE, _TAKING, lines)
    if found is None:
        return None
    file = _file(found["module"])
    return Explained(
        f"{file} has no '{printable(found['name'])}', which the command names.",
        f"Name what {file} has, as in: web: gunicorn {found['module']}:app",
    )


def _no_worker_class(lines: Sequence[str]) -> Explained | None:
    worker, module = _first(_WORKER_CLASS, lines), _first(_NO_MODULE, lines)
    if worker is None or module is None:
        return None
    return Explained(
        f"Gunicorn's worker class '{worker['name']}' needs the module '{module['module']}', which "
        "is not installed.",
        f"Add it to the app's dependencies, commit, and push again: for requirements.txt, "
        f"echo {module['module'].partition('.')[0]} >> requirements.txt",
    )


def _no_module(lines: Sequence[str]) -> Explained | None:
    found = next(filter(None, (_first(pattern, lines) for pattern in _MODULE)), None)
    if found is None and _is_the_servers(lines):
        found = _raised(_NO_MODULE, _IMPORTING, lines)
    if found is None:
        return None
    module = found["module"]
    return Explained(
        f"There is no module '{module}' ({_file(module)}), which the command names.",
        "Name the file that has the app, without .py and with dots for slashes, in the Procfile; "
        f"or check that .gitignore does not leave out {_file(module)}",
    )


def _workers_died(lines: Sequence[str]) -> Explained | None:
    if not _first(_WORKER_DIED, lines) or any("Traceback" in line for line in lines):
        return None
    return Explained(
        "uvicorn ended its worker processes, since they did not answer it within 5 s: they were "
        "still importing the app.",
        "uvicorn 0.37 and later waits longer here: choose it in your dependencies. Or run one "
        "worker, which nobody asks: paas config:set WEB_CONCURRENCY=1, without --workers",
    )


def _is_the_servers(lines: Sequence[str]) -> bool:
    """Whether a traceback is of a server that looks for the app, not of the app's own code."""
    return any(map(_SERVERS.search, lines)) and not any(map(_APP_FRAME.search, lines))


def _file(module: str) -> str:
    return module.replace(".", "/") + ".py"


def _raised(
    error: re.Pattern[str], place: re.Pattern[str], lines: Sequence[str]
) -> re.Match[str] | None:
    """The first such error, if its traceback ends there; what a library lacks is another fault."""
    file = ""
    for line in lines:
        if found := error.search(line):
            return found if place.fullmatch(file) else None
        if frame := _FRAME.search(line):
            file = frame["file"]
    return None


def _first(pattern: re.Pattern[str], lines: Sequence[str]) -> re.Match[str] | None:
    return next(filter(None, map(pattern.search, lines)), None)


_LOOKS: tuple[Callable[[Sequence[str]], Explained | None], ...] = (
    _denied,
    _windows,
    _pruned,
    _no_attribute,
    _no_worker_class,
    _no_module,
    _workers_died,
    app_fault,
)
