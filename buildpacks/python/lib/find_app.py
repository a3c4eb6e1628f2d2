"""Find the web app of a project without a Procfile, by reading its files, never running them.

Usage: find_app.py DIRECTORY [gunicorn|granian]. Prints the command that starts it and, on the next
line, what was found; or why there is nothing to start, with exit status 1, or 3 where a file has a
syntax error. Standard library only.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MODULES = ("app", "wsgi", "application", "main", "asgi", "server", "api")
NAMES = ("app", "application")
FACTORIES = ("create_app", "make_app")
ASGI_CLASSES = frozenset({"FastAPI", "Starlette", "Litestar", "Quart", "BlackSheep", "Sanic"})
ASGI_FACTORIES = frozenset({"get_asgi_application"})
CLASSES = ASGI_CLASSES | {"Flask"}
# Names of files and packages that have an app only for themselves.
ASIDE = frozenset({"conftest", "setup", "test", "tests", "docs", "examples", "scripts"})
FILE_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Found:
    """A web app. target: as Gunicorn and uvicorn name it (``app:create_app()``)."""

    target: str
    file: str
    what: str
    asgi: bool = False

    def command(self, server: str) -> str:
        """The shell command that starts it, a WSGI app with that server."""
        if self.asgi:
            made = "--factory " if self.target.endswith("()") else ""
            target = made + self.target.removesuffix("()")
            return f"uvicorn {target} --host 127.0.0.1 --port $PORT --no-access-log"
        if server == "granian":
            # Fastest where measured: threads of its own take the requests, two processes run them.
            factory = "--factory " if self.target.endswith("()") else ""
            options = "--interface wsgi --host 127.0.0.1 --port $PORT --workers $WEB_CONCURRENCY"
            threads = "--blocking-threads 8 --no-ws"
            return f"granian {options} {threads} {factory}{self.target.removesuffix('()')}"
        quote = "'" if "(" in self.target else ""
        # Where measured, as fast as without threads, and many times that where an app waits for a
        # database; connections from the proxy are kept.
        return f"gunicorn --threads 8 {quote}{self.target}{quote}"


class UnreadableError(Exception):
    """A file of the app that cannot be parsed."""


class UnclearError(Exception):
    """More than one app, of which none has a usual name."""


def parse(path: Path) -> ast.Module | None:
    """The syntax tree of a file, or None if it is missing or too large."""
    try:
        if not path.is_file() or path.stat().st_size > FILE_MAX_BYTES:
            return None
        return ast.parse(path.read_bytes())
    except SyntaxError as error:
        where = f"{path.name}, line {error.lineno}"
        raise UnreadableError(f"{where}: the app has a syntax error: {error.msg}.") from error
    except (OSError, ValueError, RecursionError, MemoryError):  # nested too deep, for one
        return None


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """What a module runs on import: its statements, those in if, try and with included."""
    for node in body:
        yield node
        if isinstance(node, ast.If) and asks_for_name(node.test):
            continue  # what it does when it is run as a program
        if isinstance(node, ast.If | ast.Try | ast.With):
            yield from statements(node.body)
            yield from statements(getattr(node, "orelse", []))


def asks_for_name(test: ast.expr) -> bool:
    """Whether it is ``__name__ == "__main__"``."""
    return isinstance(test, ast.Compare) and getattr(test.left, "id", "") == "__name__"


def assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr | None]]:
    """Each name that the module binds, with its value where it is written there."""
    for node in statements(tree.body):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.value
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, None


def called(value: ast.expr | None) -> str:
    """The last part of the name that an expression calls: ``FastAPI`` of ``fastapi.FastAPI()``."""
    if not isinstance(value, ast.Call):
        return ""
    return getattr(value.func, "attr", getattr(value.func, "id", ""))


def factory(tree: ast.Module) -> ast.FunctionDef | None:
    """An application factory that can be called without arguments."""
    for node in statements(tree.body):
        if isinstance(node, ast.FunctionDef) and node.name in FACTORIES:
            required = len(node.args.posonlyargs) + len(node.args.args) - len(node.args.defaults)
            if required == 0 and None not in node.args.kw_defaults:
                return node
    return None


def makes_asgi(function: ast.FunctionDef) -> bool:
    """Whether a factory calls one of the classes of ASGI apps."""
    calls = (called(node) for node in ast.walk(function) if isinstance(node, ast.Call))
    return not ASGI_CLASSES.isdisjoint(calls)


def imports(tree: ast.Module, package: str) -> bool:
    """Whether the module imports anything of a package."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        if any(name.split(".")[0] == package for name in names):
            return True
    return False


def find_in_file(root: Path, file: str, module: str, *, sure: bool = False) -> Found | None:
    """The app of one file. sure: only one that surely is a web app, whatever its name."""
    tree = parse(root / file)
    if tree is None:
        return None
    makers = {name: called(value) for name, value in assignments(tree)}
    names = [name for name in NAMES if name in makers]
    if sure:
        names = [name for name in names if makers[name] in (*CLASSES, *FACTORIES)]
    names += [name for name, maker in makers.items() if maker in CLASSES]
    if names:
        name, maker = names[0], makers[names[0]]
        asgi = maker in ASGI_CLASSES or maker in ASGI_FACTORIES or module == "asgi"
        kind = "an ASGI app" if asgi else "a WSGI app"
        what = f"a {maker} app" if maker in CLASSES else kind
        return Found(f"{module}:{name}", file, what, asgi)
    made = factory(tree)
    if made is None:
        return None
    return Found(f"{module}:{made.name}()", file, f"the factory {made.name}", makes_asgi(made))


def find_in_module(root: Path, module: str) -> Found | None:
    """The app of module.py or of the package module/__init__.py."""
    return find_in_file(root, f"{module}.py", module) or find_in_file(
        root, f"{module}/__init__.py", module
    )


def find_elsewhere(root: Path) -> Found | None:
    """The only app in a file of another name, such as hello.py, or else in a package."""
    stems = [path.stem for path in sorted(root.glob("*.py")) if path.stem not in ASIDE]
    apps = [surely_in(root, f"{stem}.py", stem) for stem in stems if stem.isidentifier()]
    if not any(apps):
        apps = [find_in_package(root, path) for path in packages(root)]
    found = [app for app in apps if app is not None]
    if len(found) > 1:
        files = ", ".join(app.file for app in found)
        raise UnclearError(f"There are several web apps, and no Procfile says which one: {files}.")
    return found[0] if found else None


def packages(root: Path) -> list[str]:
    """The packages of the project; those in src only where the project itself is installed."""
    pyproject = root / "pyproject.toml"
    installed = pyproject.is_file() and "[build-system]" in pyproject.read_text(errors="replace")
    found = [*root.glob("*/__init__.py"), *(root.glob("src/*/__init__.py") if installed else ())]
    names = sorted(path.parent.relative_to(root).as_posix() for path in found)
    return [name for name in names if name.rpartition("/")[2].isidentifier() and name not in ASIDE]


def find_in_package(root: Path, path: str) -> Found | None:
    """The app of a package: of its own, or of one of its modules with a usual name."""
    package = path.removeprefix("src/")
    files = {"__init__": package, **{name: f"{package}.{name}" for name in MODULES}}
    for name, module in files.items():
        found = surely_in(root, f"{path}/{name}.py", module)
        if found:
            return found
    return None


def surely_in(root: Path, file: str, module: str) -> Found | None:
    """The app of a file that need not be one of the app's: it may be anything."""
    try:
        return find_in_file(root, file, module, sure=True)
    except UnreadableError:
        return None


def find_django(root: Path) -> Found | None:
    """The WSGI module of a Django project: as its settings say, or the only wsgi.py there is."""
    tree = parse(root / "manage.py")
    if tree is None or not imports(tree, "django"):
        return None
    module = wsgi_setting(root, settings_module(tree))
    if module is None:
        candidates = sorted(path.parent.name for path in root.glob("*/wsgi.py"))
        if len(candidates) != 1 or not candidates[0].isidentifier():
            return None
        module = f"{candidates[0]}.wsgi"
    return Found(module, "manage.py", "a Django project")


def settings_module(tree: ast.Module) -> str | None:
    """The value that manage.py gives to DJANGO_SETTINGS_MODULE."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and len(node.args) == 2:
            name, value = node.args
            if isinstance(name, ast.Constant) and name.value == "DJANGO_SETTINGS_MODULE":
                return str(value.value) if isinstance(value, ast.Constant) else None
    return None


def wsgi_setting(root: Path, settings: str | None) -> str | None:
    """The module part of WSGI_APPLICATION in a settings module."""
    if settings is None or not all(part.isidentifier() for part in settings.split(".")):
        return None
    path = root.joinpath(*settings.split("."))
    tree = parse(path.with_suffix(".py")) or parse(path / "__init__.py")
    value = dict(assignments(tree)).get("WSGI_APPLICATION") if tree else None
    if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
        return None
    module, _, name = value.value.rpartition(".")
    if not name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        return None
    return module if name == "application" else f"{module}:{name}"


def find(root: Path) -> Found | None:
    """The web app of the project in root, or None. Raises UnreadableError, UnclearError."""
    found = find_django(root)
    for module in MODULES:
        found = found or find_in_module(root, module)
    return found or find_elsewhere(root)


def main() -> int:
    """Print what was found."""
    try:
        found = find(Path(sys.argv[1]))
    except UnreadableError as error:
        print(error)
        return 3
    except UnclearError as error:
        print(error)
        return 1
    if found is None:
        files = ", ".join(f"{module}.py" for module in MODULES)
        print(
            f"There is no Procfile, and no web app was found in {files} or manage.py, "
            "nor a Flask or ASGI app in another file or package."
        )
        return 1
    print(found.command(sys.argv[2] if len(sys.argv) > 2 else "gunicorn"))
    print(f"found {found.what} in {found.file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
