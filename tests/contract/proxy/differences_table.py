"""Writes the table of docs/haproxy.md from the tests whose results differ between the proxies.

Each has the marker ``differs`` with the text of a row. Run it when one has changed:
``.venv/bin/python -m tests.contract.proxy.differences_table``.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "haproxy.md"
MARKER = "pytest.mark.differs"
# The files in the order of the rows; others follow.
FIRST = ("haproxy", "reload", "remote_instances", "router_settings", "app_connections")
_BLOCK = re.compile(r"(?<=<!-- begin of the table: )(.*? -->\n).*(?=<!-- end)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Row:
    """One row. subject: what differs. nginx, haproxy: how it is with each."""

    subject: str
    nginx: str
    haproxy: str


def page() -> str:
    """The page with its table as it should be."""
    return _BLOCK.sub(lambda found: f"{found[1]}{table()}", PAGE.read_text())


def table() -> str:
    """All rows."""
    lines = [f"| {row.subject} | {row.nginx} | {row.haproxy} |\n" for row in rows()]
    return f"\n| | Nginx | HAProxy |\n|---|---|---|\n{''.join(lines)}\n"


def rows() -> list[Row]:
    """Those of all tests of this folder, in the order of the page."""
    first = [HERE / f"test_{name}.py" for name in FIRST]
    others = sorted({*HERE.glob("test_*.py")} - {*first})
    return [row for path in (*first, *others) for row in _rows_of(path)]


def _rows_of(path: Path) -> Iterator[Row]:
    """The markers are read, since importing all tests takes seconds."""
    for node in ast.parse(path.read_text()).body:
        for one in node.decorator_list if isinstance(node, ast.FunctionDef) else []:
            if isinstance(one, ast.Call) and ast.unparse(one.func) == MARKER:
                words = {word.arg or "": ast.literal_eval(word.value) for word in one.keywords}
                yield Row(*map(ast.literal_eval, one.args), **words)


if __name__ == "__main__":
    PAGE.write_text(page())
