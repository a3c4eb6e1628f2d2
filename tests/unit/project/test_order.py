"""The order of the test files fits the files that there are."""

import re
from itertools import pairwise
from pathlib import Path

from tests import order

TESTS = Path(__file__).parents[2]
FILES = sorted(str(path.relative_to(TESTS.parent)) for path in TESTS.rglob("test_*.py"))


def test_it_names_files_that_there_are() -> None:
    """One that is renamed or removed is forgotten there, too."""
    for name in order.SECONDS:
        assert (TESTS / f"{name}.py").exists(), name
    for starts in (*order.TOGETHER.values(), order.WAITING):
        for start in starts:
            assert (TESTS / start).exists(), start


def test_each_file_has_one_place() -> None:
    """The longest come first, those that wait among the others, and what belongs together."""
    found = order.ordered(FILES)
    assert sorted(found) == FILES
    units = [order.unit_of(path) for path in found]
    assert len(dict.fromkeys(units)) == 1 + sum(a != b for a, b in pairwise(units))
    half = found[: len(found) // 2]
    assert "tests/contract/proxy/test_trailers.py" in half
    assert "tests/e2e/test_install.py" in half


def test_one_process_has_the_strict_server() -> None:
    """Every file that uses it."""
    uses = [path for path in FILES if re.search(r"\bstrict: Server\b", _text(path))]
    assert {order.unit_of(path) for path in uses} == {"strict"}


def _text(path: str) -> str:
    return (TESTS.parent / path).read_text()
