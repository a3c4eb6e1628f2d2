"""Imports go one way: domain <- interfaces <- store <- services <- wiring <- entrypoints.

Adapters stand beside the store: they know the domain and the interfaces. Of them the store uses
the operating system alone (`paas.adapters.system`: files, and what a full disk says).
"""

import ast
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[3] / "paas"

# What each part may import of the project.
ALLOWED: dict[str, set[str]] = {
    "domain": {"domain"},
    "interfaces": {"domain", "interfaces"},
    "paths": set(),
    "settings": {"domain", "paths", "settings_rules"},
    "settings_rules": {"domain", "settings"},
    "adapters": {"domain", "interfaces", "paths", "settings", "adapters"},
    "store": {"domain", "interfaces", "settings", "adapters.system", "store"},
    "services": {"domain", "interfaces", "store", "services"},
}
ALLOWED["wiring"] = {*ALLOWED, "wiring"}
ALLOWED["entrypoints"] = {*ALLOWED["wiring"], "entrypoints", ""}
# The directories of a server, as settings name them.
ROOTS = {"etc", "state", "run", "opt"}
# A domain without files, clock, environment or subprocess.
FORBIDDEN_IN_DOMAIN = {"os", "sys", "subprocess", "time", "socket", "shutil", "tempfile", "random"}


# A test looks at all files and tells all that it finds: one test for each would take longer.
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
DOMAIN = sorted((PACKAGE / "domain").rglob("*.py"))
ENTRY_POINTS = sorted((PACKAGE / "entrypoints").rglob("*.py"))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= set(names) if node.module == "paas" else {node.module or ""}
    return found


def _part(module: str) -> str:
    words = module.split(".")
    return words[1] if len(words) > 1 and words[1] != "__version__" else ""


def _is_allowed(path: Path, module: str) -> bool:
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    folder = ".".join(module.split(".")[1:3])
    return module.split(".")[0] != "paas" or bool({_part(module), folder} & ALLOWED[part])


def test_imports_follow_the_rule() -> None:
    """No part imports what stands above it."""
    assert len(FILES) > 500
    found = [(path, module) for path in FILES for module in _imports(path)]
    wrong = [f"{path} imports {module}" for path, module in found if not _is_allowed(path, module)]
    assert wrong == []


def test_domain_is_pure() -> None:
    """The domain needs the standard library only, and nothing of it that touches the world."""
    assert len(DOMAIN) > 100
    pure = ({"paas"} | sys.stdlib_module_names) - FORBIDDEN_IN_DOMAIN
    found = [(path, module) for path in DOMAIN for module in _imports(path)]
    wrong = [f"{path} imports {name}" for path, name in found if name.split(".")[0] not in pure]
    assert wrong == []


def _classes(path: Path) -> set[str]:
    """The names of the classes of adapters and of the store that a file imports."""
    found: set[str] = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom) and _part(node.module or "") in {"adapters", "store"}:
            names = {alias.asname or alias.name for alias in node.names}
            found |= {name for name in names if name[0].isupper() and not name.isupper()}
    return found


def _uses(path: Path) -> set[str]:
    """The names that a file calls, or whose attributes it uses: Adapter(...), Adapter.of(...)."""
    found: set[str] = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call):
            found |= {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(node.value.id)
    return found


def test_only_the_wiring_makes_adapters() -> None:
    """Entry points have adapters and the store made for them; they name their classes as types."""
    assert len(ENTRY_POINTS) > 50
    made = {str(path): _classes(path) & _uses(path) for path in ENTRY_POINTS}
    assert {path: names for path, names in made.items() if names} == {}, "have paas/wiring do it"


# What supervisord imports itself, and in addition to it.
SUPERVISORD = "supervisor.supervisord, supervisor.rpcinterface"
PLUGIN = "paas.adapters.supervisor_plugin, paas.entrypoints.launcher.launcher"
# Each takes between a quarter and five megabytes. No process keeps the former; the latter are what
# the gate has for most commands.
LARGE = {"argparse", "bcrypt", "coolname", "dns", "docker", "idna", "obstore", "zoneinfo"}
OF_COMMANDS = {"click", "cryptography", "dulwich", "jinja2", "psutil", "tabulate", "wcwidth"}


def _imported(code: str) -> set[str]:
    """The full names of the modules that a Python has imported after that code."""
    code = f"import sys; {code}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("modules", "spared"),
    [
        ("paas.entrypoints.daemons.monitor", {"concurrent", "difflib", "logging"}),
        ("paas.entrypoints.daemons.drains", {"cronsim"}),
        ("paas.entrypoints.daemons.containers", {"cronsim"}),
        (f"{SUPERVISORD}, {PLUGIN}", {"dataclasses", "inspect", "subprocess", "yaml"}),
        ("paas.entrypoints.logger", {"dataclasses", "http", "inspect", "yaml"}),
    ],
    ids=["monitor", "drains", "containers", "supervisord", "log"],
)
def test_daemons_import_little(modules: str, spared: set[str]) -> None:
    """Each runs for as long as the server is up: what it does not need would take memory."""
    imported = {name.partition(".")[0] for name in _imported(f"import {modules}")}
    assert imported & (spared | LARGE | OF_COMMANDS) == set()


def test_the_gate_has_imported_what_commands_need_and_nothing_else(tmp_path: Path) -> None:
    """Before it forks: otherwise each command would spend that time again.

    What only rare commands need is imported by them: the gate is the largest of the processes.
    """
    commands = f"child.commands(Path({str(tmp_path)!r}))"
    imported = _imported(
        "from pathlib import Path; import paas.entrypoints.gate.server; "
        f"from paas.entrypoints.gate import child; {commands}"
    )
    assert "cryptography.hazmat.primitives.ciphers.aead" in imported
    assert OF_COMMANDS - imported == set()
    assert {name.partition(".")[0] for name in imported} & LARGE == set()


# Both start with every process and every command: each of these takes a millisecond or more.
SLOW = {"argparse", "contextlib", "dataclasses", "enum", "functools", "inspect", "json", "logging"}
SLOW |= {"pathlib", "random", "re", "shutil", "subprocess", "tempfile", "typing"}


@pytest.mark.parametrize(
    "module", ["launcher.launcher", "gate_client.hook", "gate_client.observer"]
)
def test_what_starts_often_imports_little(module: str) -> None:
    """The launcher of instances, and the client on the server, as they are started."""
    code = (
        f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); "
        f"import paas.entrypoints.{module}; print(*sys.modules)"
    )
    python = ["/usr/bin/python3", "-I", "-S", "-c", code]
    done = subprocess.run(python, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & SLOW == set()


def test_clients_load_nothing_of_the_server() -> None:
    """What a laptop imports for each command, and what any client does for an error."""
    code = "import paas.entrypoints.laptop.laptop, paas.entrypoints.failure"
    layers = {".".join(name.split(".")[:2]) for name in _imported(code)}
    assert "paas.entrypoints" in layers
    assert layers & {"paas.interfaces", "paas.services", "paas.store", "paas.adapters"} == set()


def test_client_needs_the_standard_library_only() -> None:
    """What a laptop runs imports nothing that a laptop install lacks."""
    folders = [PACKAGE / "entrypoints" / name for name in ("laptop", "gate_client")]
    files = [path for folder in folders for path in folder.glob("*.py")]
    for name in [PACKAGE / "entrypoints/client.py", *files]:
        for module in _imports(name):
            top = module.split(".")[0]
            assert top in sys.stdlib_module_names or top == "paas", f"{name} imports {module}"


def _private_names(path: Path) -> set[str]:
    """What a file imports that begins with an underscore, as module.name."""
    found: set[str] = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in names if "._" in name and ".__" not in name}
    return found


def test_no_folder_uses_anothers_private_parts() -> None:
    """What begins with an underscore is used in its own folder alone."""
    wrong = []
    for path in FILES:
        own = ".".join(path.relative_to(PACKAGE.parent).parent.parts)
        names = {name for name in _private_names(path) if name.startswith("paas.")}
        wrong += [f"{path} imports {name}" for name in names if not name.startswith(f"{own}.")]
    assert wrong == []


def _is_a_root(node: ast.AST) -> bool:
    """Whether it reads one of the four directories off settings: ``self._settings.state``."""
    match node:
        case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=root):
            return root in ROOTS and owner.strip("_") in {"settings", "plan", "paths"}
    return False


def _joins(tree: ast.AST) -> list[int]:
    """The lines that make a path below such a directory: with ``/``, a method or an f-string."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.BinOp(left=left, op=ast.Div()) if _is_a_root(left):
                found.append(node.lineno)
            case ast.Attribute(value=value, attr="joinpath" | "glob" | "rglob"):
                found += [node.lineno] * _is_a_root(value)
            case ast.JoinedStr(values=values):
                pairs = pairwise(values)
                found += [node.lineno for pair in pairs if _is_joined(*pair)]
    return found


def _is_joined(first: ast.expr, second: ast.expr) -> bool:
    match first, second:
        case ast.FormattedValue(value=value), ast.Constant(value=str(text)):
            return _is_a_root(value) and text.startswith("/")
    return False


def test_paths_alone_knows_where_things_are_kept() -> None:
    """No other module makes a path below the server's directories."""
    joined = [f"{path}:{line}" for path in FILES for line in _joins(_tree(path))]
    assert joined == [], "name it in paas/paths.py"


@pytest.mark.parametrize(
    "line",
    [
        'settings.state / "cron"',
        "self._settings.run / NAME",
        'platform.settings.etc / f"{name}.conf"',
        '(plan.opt / "versions").iterdir()',
        'paths.state.joinpath("cron")',
        'f"{settings.state}/logs/haproxy.log"',
    ],
)
def test_joined_paths_are_found(line: str) -> None:
    """In each of the forms in which they were written."""
    assert _joins(ast.parse(line)) == [1]
