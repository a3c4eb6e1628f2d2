"""What the platform's own processes are told."""

from pathlib import Path

import pytest

from paas.entrypoints.daemons.supervised import named_etc


def test_a_process_is_told_where_its_settings_are() -> None:
    """By --etc, as supervisord's configuration has it."""
    assert named_etc(["--etc", "/etc/paas"]) == Path("/etc/paas")


@pytest.mark.parametrize("argv", [[], ["--etc"], ["--etc", "/etc/paas", "x"], ["/etc/paas"]])
def test_anything_else_ends_it(argv: list[str]) -> None:
    """It says what it takes."""
    with pytest.raises(SystemExit, match="--etc"):
        named_etc(argv)
