"""Tables fit the terminal that shows them, and are whole everywhere else."""

from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from paas.entrypoints.cli.tables import print_table, wide_option

HEADERS = ("Instance", "State", "Since", "CPU", "Command")
ROWS = [
    ("web.1", "up", "since 2026-11-20 10:54:45 UTC", "8 %", "gunicorn --workers 4 app:app"),
    ("worker.1", "crashed", "since 2026-11-20 10:54:45 UTC", "0 %", "celery"),
]


@click.group(invoke_without_command=False)
@click.option("--terminal", type=(int, bool))
@click.option("--stdout-terminal", is_flag=True)
def root(**_: object) -> None:
    """As the real one: what a client behind ssh tells of its terminal."""


@root.command("show")
@wide_option
def show() -> None:
    """Print the table."""
    print_table(HEADERS, ROWS, optional=("Since", "CPU"))


def shown(*words: str, colour: bool = False) -> list[str]:
    """The lines that the command prints."""
    obj = SimpleNamespace(terminal=SimpleNamespace(colour=colour))
    return CliRunner().invoke(root, words, obj=obj, catch_exceptions=False).output.splitlines()


def test_in_a_pipe_it_is_whole() -> None:
    """No heading, no colour, every column."""
    lines = shown("show", colour=True)
    assert len(lines) == 2
    assert lines[0].split("  ")[0] == "web.1"
    assert all(cell in lines[0] for cell in ROWS[0])


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 200])
def test_it_fits_its_terminal(columns: int) -> None:
    """Less important columns go first, then the longest is cut; what is kept has its heading."""
    heading, *lines = shown("--terminal", str(columns), "false", "--stdout-terminal", "show")
    assert max(map(len, [heading, *lines])) <= columns
    assert heading.split()[:2] == ["Instance", "State"]
    assert ("Since" in heading) == (columns >= 80)
    assert ("CPU" in heading) == (columns >= 60)
    assert lines[1].split()[0] == "worker.1"
    assert lines[0].endswith("app:app") == (columns != 40 and columns != 80)
    assert lines[0].endswith("app:app") or lines[0].endswith("…")


def test_wide_shows_all() -> None:
    """--wide leaves nothing out, on the narrowest terminal."""
    heading, *lines = shown("--terminal", "40", "false", "--stdout-terminal", "show", "--wide")
    assert heading.split() == list(HEADERS)
    assert lines[0].endswith(ROWS[0][-1])


def test_wide_characters_keep_columns_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    """A character may take two columns, or none; spaces around a text do not count."""
    print_table(("", ""), [("日本", "a"), ("e\u0301", "b"), (" web.1 ", "c"), ("x", "")])
    assert capsys.readouterr().out == "日本   a\ne\u0301      b\nweb.1  c\nx\n"


def test_states_have_colours() -> None:
    """Green for what is well, red for what is not; other columns have none."""
    words = ("--terminal", "200", "true", "--stdout-terminal", "show")
    heading, up, crashed = shown(*words, colour=True)
    assert "\x1b" not in heading
    assert "\x1b[32mup\x1b[0m" in up
    assert "\x1b[31mcrashed\x1b[0m" in crashed
    assert up.index("since") == crashed.index("since")
    assert not any("\x1b" in line for line in shown(*words))
