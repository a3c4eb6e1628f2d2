"""Every fake does what the real thing does: the same checks run on both."""

import ast
from pathlib import Path

TESTS = Path(__file__).parents[2]


def _names(*nodes: ast.AST) -> set[str]:
    return {found.id for node in nodes for found in ast.walk(node) if isinstance(found, ast.Name)}


def _fakes() -> set[str]:
    """The classes that stand for something else."""
    bodies = [ast.parse(path.read_text()).body for path in (TESTS / "fakes").glob("*.py")]
    classes = {node.name for body in bodies for node in body if isinstance(node, ast.ClassDef)}
    return {name for name in classes if name.startswith("Fake")}


def _gives_kinds(function: ast.FunctionDef) -> bool:
    """Whether it is a fixture that runs each test several times (``params=["fake", "real"]``)."""
    return any(
        isinstance(call, ast.Call) and any(word.arg == "params" for word in call.keywords)
        for call in function.decorator_list
    )


def _used_by_suites() -> set[str]:
    """The names in such fixtures, and in the functions that their params name."""
    found: set[str] = set()
    for folder in {path.parent for path in TESTS.rglob("test_*.py")}:
        nodes = [x for path in folder.glob("*.py") for x in ast.parse(path.read_text()).body]
        functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
        fixtures = [function for function in functions if _gives_kinds(function)]
        params = _names(*(call for fixture in fixtures for call in fixture.decorator_list))
        found |= _names(*fixtures, *(one for one in functions if one.name in params))
    return found


def test_every_fake_is_held_against_the_real_one() -> None:
    """By a fixture that hands a suite each kind."""
    assert _fakes() - _used_by_suites() == set()
