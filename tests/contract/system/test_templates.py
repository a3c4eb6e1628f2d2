"""Templates, and the bytecode that is kept beside them."""

from pathlib import Path

import pytest

from paas.adapters.system.templates import COMPILED, compile_all, templates_in


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with two templates."""
    (tmp_path / "part.j2").write_text("for {{ name }}")
    (tmp_path / "whole.j2").write_text("A page {% include 'part.j2' %}")
    return tmp_path


def _text(directory: Path) -> str:
    """As a process renders it that has rendered nothing before."""
    templates_in.cache_clear()
    return templates_in(directory).get_template("whole.j2").render(name="shop")


def test_bytecode_is_kept_where_an_installation_asks_for_it(directory: Path) -> None:
    """Rendering alone writes no files."""
    assert _text(directory) == "A page for shop"
    assert not (directory / COMPILED).exists()
    compile_all(directory)
    assert len(list((directory / COMPILED).iterdir())) == 2
    assert _text(directory) == "A page for shop"


def test_a_changed_template_counts(directory: Path) -> None:
    """Bytecode of another text, or a broken file, is not used."""
    compile_all(directory)
    (directory / "part.j2").write_text("of {{ name }}")
    assert _text(directory) == "A page of shop"
    for path in (directory / COMPILED).iterdir():
        path.write_bytes(b"nonsense")
    assert _text(directory) == "A page of shop"
