"""The table at the end. Pure."""

from collections.abc import Mapping, Sequence

from benchmarks.rows import Row, Rule

HEADS = ("figure", "ours", "baseline", "ratio", "target", "met")


def table(rows: Sequence[Row]) -> str:
    """The rows as text, followed by their notes."""
    lines = [HEADS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    text = [_line(line, widths) for line in lines]
    text.insert(1, "  ".join("-" * width for width in widths))
    remarks = [_remark(row) for row in rows if row.note or row.flaws]
    return "\n".join([*text, "", *remarks])


def markdown(rows: Sequence[Row], machine: Mapping[str, str]) -> str:
    """The same as Markdown."""
    facts = [f"- {name}: {value}" for name, value in machine.items()]
    lines = [HEADS, ("---", *("---:" for _ in HEADS[1:])), *(_cells(row) for row in rows)]
    text = ["| " + " | ".join(line) + " |" for line in lines]
    remarks = ["- " + _remark(row) for row in rows if row.note or row.flaws]
    return "\n".join([*facts, "", *text, "", *remarks]) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])


def _cells(row: Row) -> tuple[str, ...]:
    met = {True: "yes", False: "NO", None: ""}[row.met]
    return (
        row.title,
        _quantity(row.ours, row.unit),
        "" if row.baseline is None else _quantity(row.baseline, row.unit),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        _target(row),
        met,
    )


def _target(row: Row) -> str:
    match row.target.rule:
        case Rule.NONE:
            return ""
        case Rule.VALUE_AT_MOST:
            return f"<= {row.target.limit:g} {row.unit}".strip()
        case rule:
            return f"{rule} {row.target.limit:g}"


def _quantity(value: float, unit: str) -> str:
    if value == int(value) and abs(value) < 1e6:
        text = str(int(value))
    else:
        text = f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{text} {unit}".strip()


def _remark(row: Row) -> str:
    parts = [part for part in (row.note, *row.flaws) if part]
    return f"{row.name}: {'; '.join(parts)}"
