"""app.json: golden pairs, each a file and what comes of it (a refusal or the parsed values)."""

import pprint
from pathlib import Path

import pytest

from paas.domain.manifest.appjson import parse_app_json
from paas.domain.values.errors import PaasError

GOLDEN = Path(__file__).parents[1] / "golden/appjson"
FILES = sorted(GOLDEN.glob("*.json"))


def outcome(content: bytes) -> str:
    """What parsing says, as a text to compare."""
    try:
        return pprint.pformat(parse_app_json(content), width=99) + "\n"
    except PaasError as error:
        assert error.reference == "app-json"
        return f"{error.message}\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden(path: Path) -> None:
    """Each file gives exactly what stands beside it."""
    assert outcome(path.read_bytes()) == path.with_suffix(".txt").read_text()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '{"env": {"A": "1"},\n}\n',
            "line 1, column 19: illegal trailing comma before end of object",
        ),
        ('{"cron": [\n{},\n\n ]}', "line 2, column 3: illegal trailing comma before end of array"),
    ],
)
def test_a_comma_too_many_is_told(text: str, told: str) -> None:
    """At its own place, and not on the line after it."""
    assert outcome(text.encode()) == f"app.json, {told}.\n"


def test_utf_16_is_taken() -> None:
    """As PowerShell writes it."""
    content = '{"env": {"A": "\u00e9"}}'
    assert parse_app_json(content.encode("utf-16")) == parse_app_json(content.encode())


def test_the_same_content_is_parsed_once() -> None:
    """Every start of an instance asks for the checks again."""
    assert parse_app_json(b'{"env": {}}') is parse_app_json(b'{"env": {}}')


def test_no_content_takes_long(limit_s: float = 60.0) -> None:
    """Quotes and backslashes without end, deep nesting, and long numbers are judged at once."""
    import time

    started = time.monotonic()
    for content in (b'"' * 65_000, b'{"a":"' + b'\\"' * 32_000, b"[" * 65_000, b"9" * 65_000):
        with pytest.raises(PaasError):
            parse_app_json(content)
    assert time.monotonic() - started < limit_s
