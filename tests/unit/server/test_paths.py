"""Where the platform keeps its files, and what each of them is worth."""

import ast
from dataclasses import fields
from pathlib import Path

import pytest

from paas.paths import Kind, Location, Paths
from paas.settings import Settings
from paas.store.copies import Copies
from paas.store.creation import create

PACKAGE = Path(__file__).parents[3] / "paas"
TABLE = PACKAGE.parent / "docs" / "internals" / "files.md"
REFERENCE = PACKAGE.parent / "docs" / "reference" / "install.md"
# Programs that run without settings, and the names that they join themselves.
ALONE = {
    "entrypoints/logd/process.py": ("log_socket", "monitor_socket"),
    "entrypoints/launcher/notices.py": ("log_socket",),
    "entrypoints/gate_client/link.py": ("gate_address",),
}


def test_every_path_has_a_kind() -> None:
    """And is the path below its directory that it says; none is there twice."""
    paths = Settings().paths
    roots = {field.name for field in fields(Paths)}
    public = {name for name in vars(Paths) if not name.startswith("_")}
    locations = Paths.locations()
    assert public - roots - {"locations"} == set(locations)
    found = {name: getattr(paths, name) for name in locations}
    for name, one in locations.items():
        assert isinstance(one.kind, Kind)
        assert one.what
        assert found[name] == getattr(paths, one.root) / one.name
    assert len(set(found.values())) == len(found)


def test_only_the_run_directory_is_lost_at_a_reboot() -> None:
    """So nothing in it may be more than the state of processes."""
    assert {one.kind for one in Paths.locations().values() if one.root == "run"} == {Kind.RUNTIME}


def test_the_stores_files_are_known(tmp_path: Path) -> None:
    """The store finds its files beside the database: by the names that are marked here."""
    paths = Settings(state=tmp_path).paths
    create(paths.database)
    Copies(paths.database).latest()
    beside = {Path(f"{paths.database}-{end}") for end in ("wal", "shm")}
    found = set(tmp_path.iterdir()) - beside
    assert found == {paths.database, paths.store_mark, paths.copies}
    assert paths.latest_copy.is_file()


@pytest.mark.parametrize("program", ALONE)
def test_programs_without_settings_use_the_same_names(program: str) -> None:
    """They join the names themselves, since they get a directory as argument."""
    tree = ast.parse((PACKAGE / program).read_text())
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    words = {text.rpartition("/")[2] for text in texts if isinstance(text, str)}
    assert {Paths.locations()[name].name for name in ALONE[program]} <= words


def _names(kind: Kind) -> str:
    """The kind's paths that are not below another of the same kind; all of run is of one kind."""
    locations = [
        one for one in Paths.locations().values() if one.kind is kind and one.root != "run"
    ]
    names = sorted(f"`{one.root}/{one.name}`" for one in locations if not _is_below(one, locations))
    return ", ".join([*names, *(["all of `run`"] if kind is Kind.RUNTIME else [])])


def _is_below(one: Location, others: list[Location]) -> bool:
    return any(one.root == other.root and one.name.startswith(f"{other.name}/") for other in others)


@pytest.mark.parametrize("kind", Kind)
def test_the_docs_list_what_is_kept(kind: Kind) -> None:
    """A backup is made by that table."""
    rows = [line for line in TABLE.read_text().splitlines() if line.startswith(f"| {kind.value} |")]
    assert [[cell.strip() for cell in row.split("|")][3] for row in rows] == [_names(kind)]


def test_the_reference_says_what_a_backup_needs() -> None:
    """All of the state that nothing else has, in the paragraph that people follow."""
    (told,) = [line for line in REFERENCE.read_text().splitlines() if "a backup needs" in line]
    names = _names(Kind.TRUTH).replace("`", "").split(", ")
    kept = [name.removeprefix("state/") for name in names if name.startswith("state/")]
    assert [name for name in kept if f"`{name}`" not in told] == []
