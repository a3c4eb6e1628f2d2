"""Range headers as clients write them, and the parts of lists that they get."""

import pytest

from paas.entrypoints.web.heroku.ranges import MAX, Range, parse, part

ROWS = [{"version": number} for number in range(1, 11)]
FIELDS = ("id", "version", "created_at")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", Range("id")),
        ("id ..; max=1000;", Range("id", most=1000)),
        ("id ..; ;", Range("id")),
        ("version ..; order=desc,max=1", Range("version", most=1, descends=True)),
        ("version ..; max=15, order=desc", Range("version", most=15, descends=True)),
        ("version..;max=2", Range("version", most=2)),
        ("..", Range("id")),
        ("version ]5..; max=3", Range("version", start="5", after=True, most=3)),
        ("version 2..4", Range("version", start="2", end="4")),
        (
            "created_at 2026-01-01T00:00:00Z..",
            Range("created_at", start="2026-01-01T00:00:00Z"),
        ),
        ("id ..; max=99999", Range("id", most=MAX)),
        ("id ..; max=0", Range("id")),
        ("bytes=0-499", Range("id")),
        ("shape ..", Range("id")),
        ("id ..; max=1;1", Range("id", most=1)),
    ],
)
def test_headers(text: str, wanted: Range) -> None:
    """With or without blanks, a semicolon at the end, a comma either way; others are ignored."""
    assert parse(text, FIELDS) == wanted


def test_all_parts_make_the_list() -> None:
    """Following what each says is next, up and down."""
    for order in ("", ", order=desc"):
        header: str | None = f"version ..; max=4{order}"
        found: list[object] = []
        while header is not None:
            rows, header = part(ROWS, parse(header, FIELDS))
            found += [row["version"] for row in rows]
        assert found == sorted(range(1, 11), reverse=bool(order))


def test_the_newest_one() -> None:
    """Numbers are in the order of numbers; there is more to come."""
    rows, header = part(ROWS, parse("version ..; order=desc,max=1", FIELDS))
    assert rows == [{"version": 10}]
    assert header == "version ]10..; max=1, order=desc"


def test_a_closed_range() -> None:
    """Both ends belong to it."""
    rows, header = part(ROWS, parse("version 2..4", FIELDS))
    assert [row["version"] for row in rows] == [2, 3, 4]
    assert header is None
