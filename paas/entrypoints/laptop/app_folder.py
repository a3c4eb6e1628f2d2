"""Detects the app in a folder and what it lacks, with the buildpacks' code and without running it.

``find_app``, ``package_json`` and ``static_site`` are links to files of the buildpacks.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from paas.domain.values.errors import PaasError
from paas.domain.values.names import printable
from paas.entrypoints.laptop import find_app, package_json, static_site

# The files that buildpacks/python/lib/package_manager.sh knows.
DEPENDENCIES = ("requirements.txt", "uv.lock", "poetry.lock", "Pipfile.lock")
_WRITE_ONE = "Write a Procfile of one line, for example: "
_FILE_MAX_BYTES = 8 * 1024**2
_LOCKS = {"package-lock.json": "npm", "yarn.lock": "yarn", "pnpm-lock.yaml": "pnpm"}


@dataclass(frozen=True, slots=True)
class AppFolder:
    """An app. web: the command of its web process; None if the proxy serves its files.

    missing: what it lacks, each with the command that adds it.
    """

    what: str
    web: str | None
    missing: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def examine(root: Path) -> AppFolder:
    """Find the app in root. Raises PaasError if there is none, or if it cannot be read."""
    try:
        found = find_app.find(root)
    except find_app.UnreadableError as error:
        raise PaasError(
            "init-unreadable", f"{printable(str(error))}", "Correct it, then: paas init"
        ) from error
    except find_app.UnclearError as error:
        raise PaasError("init-no-app", str(error), f"{_WRITE_ONE}web: gunicorn app:app") from error
    if found is not None:
        return _python(root, found)
    if (root / "package.json").is_file():
        return _node(root)
    try:
        folder = static_site.chosen(root.resolve(), static_site.settings(root).get("root"))
    except static_site.WrongError as error:
        raise PaasError(
            "init-no-app",
            f"No app was found here: no web app in {', '.join(find_app.MODULES)} (.py) or "
            f"manage.py, no package.json. {error}",
            f"{_WRITE_ONE}web: ./serve --port $PORT",
        ) from error
    where = "this folder" if folder == "." else f"{folder}/"
    return AppFolder(f"Files to serve in {where}", None)


def _python(root: Path, found: find_app.Found) -> AppFolder:
    command = found.command("gunicorn")
    what = f"{found.what} in {found.file} ({found.target})"
    return AppFolder(
        what[:1].upper() + what[1:],
        command,
        (*_dependencies(root, command.split()[0]), *_version(root)),
        _suggestions(root),
    )


def _dependencies(root: Path, server: str) -> list[tuple[str, str]]:
    """Check that a file lists the packages, and that it lists the server."""
    present = [name for name in DEPENDENCIES if (root / name).is_file()]
    if not present:
        if (root / "pyproject.toml").is_file():
            return [("There is a pyproject.toml, but no uv.lock", "uv lock")]
        return [("No file lists the packages that the app needs", "pip freeze > requirements.txt")]
    if len(present) > 1:
        several = ", ".join(present)
        return [(f"Several files list the packages: {several}", f"git rm {present[-1]}")]
    if _lists(root / present[0], server):
        return []
    add = {
        "requirements.txt": f"echo {server} >> requirements.txt",
        "uv.lock": f"uv add {server}",
        "poetry.lock": f"poetry add {server}",
        "Pipfile.lock": f"pipenv install {server}",
    }
    return [(f"{server} is not in {present[0]}", add[present[0]])]


def _lists(path: Path, package: str) -> bool:
    """Whether a package is in a file of dependencies, judging by its text."""
    text = _text(path)
    if path.name != "requirements.txt":
        return re.search(rf'"{package}"', text) is not None
    # Another file, or a package that depends on the server, may have it.
    names = [package, "-r", "--requirement"]
    names += [r"fastapi\[(?:standard|all)"] if package == "uvicorn" else []
    listed = rf"^\s*(?:{'|'.join(names)})(?![\w.-])"
    return re.search(listed, text, re.MULTILINE | re.IGNORECASE) is not None


def _version(root: Path) -> list[tuple[str, str]]:
    if (root / ".python-version").is_file() or (root / "runtime.txt").is_file():
        return []
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    what = "No .python-version says which Python the app needs"
    return [(what, f"echo {version} > .python-version")]


def _suggestions(root: Path) -> tuple[str, ...]:
    """Lines of the Procfile that many such apps have; the user decides whether they fit."""
    if (root / "manage.py").is_file():
        return ("To migrate the database in each deploy: release: python manage.py migrate",)
    if (root / "migrations" / "env.py").is_file():
        return ("To migrate the database in each deploy: release: flask db upgrade",)
    return ()


def _node(root: Path) -> AppFolder:
    path = root / "package.json"
    try:
        engine, manager, *scripts = package_json.read(path)
        site, program = package_json.is_site(path), package_json.program(path)
    except ValueError as error:
        raise PaasError(
            "init-unreadable", printable(str(error)), "Correct it, then: paas init"
        ) from error
    locks = [name for name in _LOCKS if (root / name).is_file()]
    tool = manager.partition("@")[0] or (_LOCKS[locks[0]] if locks else "npm")
    missing = []
    if not locks:
        missing.append(("No lock file pins the packages", f"{tool} install"))
    if not engine:
        missing.append(
            ("No engines.node says which Node.js the app needs", 'npm pkg set engines.node="22.x"')
        )
    if site or (root / "static.json").is_file():
        what = "A site built by package.json" if site else "A site, by static.json"
        return AppFolder(what, None, tuple(missing))
    if "start" not in scripts and not program:
        raise PaasError(
            "init-no-app",
            'The package.json has no script "start" and no existing "main", and there is no '
            "server.js.",
            'Add one: npm pkg set scripts.start="node index.js"; or, for a site that is built: '
            'echo \'{"root": "dist"}\' > static.json',
        )
    web = f"{tool} start" if "start" in scripts else f"node {program}"
    return AppFolder("A Node.js app, by its package.json", web, tuple(missing))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_FILE_MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
