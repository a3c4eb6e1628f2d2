"""Messages for users are whole sentences of plain English, and not questions."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PAAS = Path(__file__).parents[3] / "paas"
# What gets a message or a hint. A question that waits for an answer goes through `ask`.
MAKERS = {"usage_error", "warn", "step", "detail", "InstallError"}
DIALECT = (
    "any longer",
    "any more",
    "anew",
    "are told",
    "by itself",
    "cannot stand",
    "fault of its own",
    "for want of",
    "go on",
    "goes on",
    "is told",
    "may come",
    "mend",
    "mended",
    "mends",
    "sees to",
    "stumbles",
    "whoever",
)


def test_no_message_is_a_question() -> None:
    """What is missing is said: not "Which app?" but "No app was named."."""
    assert [place for place, text in _messages() if len(text) > 2 and text.endswith("?")] == []


def test_no_message_is_in_dialect() -> None:
    """The words that a native speaker would not use here."""
    words = re.compile(rf"\b({'|'.join(DIALECT)})\b", re.IGNORECASE)
    found = [(place, text) for place, text in _messages() if " " in text and words.search(text)]
    assert found == []


def _messages() -> Iterator[tuple[str, str]]:
    """Each text in the arguments of what makes a message, with its place."""
    seen = 0
    for path in sorted(PAAS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _makes_message(node.func):
                for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                    for text in _texts(argument):
                        seen += 1
                        yield f"{path.relative_to(PAAS)}:{node.lineno}", text
    assert seen > 1_000


def _makes_message(func: ast.expr) -> bool:
    name = getattr(func, "id", getattr(func, "attr", ""))
    return name in MAKERS or name.endswith("Error")


def _texts(argument: ast.expr) -> Iterator[str]:
    for node in ast.walk(argument):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
