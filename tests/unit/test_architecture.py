"""Imports go one way only: domain <- services <- wiring <- entrypoints, domain <- adapters."""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "paas"

# What each part may import of the project.
ALLOWED = {
    "domain": {"domain"},
    "services": {"domain", "services"},
    "adapters": {"domain", "adapters", "settings"},
    "settings": {"domain"},
    "wiring": {"domain", "services", "adapters", "settings", "wiring"},
    "entrypoints": {"domain", "services", "adapters", "settings", "wiring", "entrypoints", ""},
}
# A domain without files, clock, environment or subprocess.
FORBIDDEN_IN_DOMAIN = {"os", "sys", "subprocess", "time", "socket", "shutil", "tempfile", "random"}


def _files() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
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


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_follow_the_rule(path: Path) -> None:
    """No part imports what stands above it."""
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for module in _imports(path):
        if module.split(".")[0] == "paas":
            assert _part(module) in ALLOWED[part], f"{path} imports {module}"


@pytest.mark.parametrize("path", sorted((PACKAGE / "domain").glob("*.py")), ids=lambda p: p.name)
def test_domain_is_pure(path: Path) -> None:
    """The domain needs the standard library only, and nothing of it that touches the world."""
    for module in _imports(path):
        top = module.split(".")[0]
        assert top == "paas" or top in sys.stdlib_module_names, f"{path} imports {module}"
        assert top not in FORBIDDEN_IN_DOMAIN, f"{path} imports {module}"


def test_client_needs_the_standard_library_only() -> None:
    """What a laptop runs imports nothing that a laptop install lacks."""
    folders = [PACKAGE / "entrypoints" / name for name in ("laptop", "gateclient")]
    files = [path for folder in folders for path in folder.glob("*.py")]
    for name in [PACKAGE / "entrypoints/client.py", *files]:
        for module in _imports(name):
            top = module.split(".")[0]
            assert top in sys.stdlib_module_names or top == "paas", f"{name} imports {module}"
