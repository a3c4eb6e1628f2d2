"""What differs between two versions of an app, and how that is shown."""

import pytest

from paas.domain.builds.dependencies import package_lock, requirements, uv_lock
from paas.domain.releases.diffs import (
    Change,
    Difference,
    Entry,
    FileChange,
    NameChanges,
    config_changes,
    config_rows,
    entries,
    sections,
)
from paas.domain.values.secret import Secret

NO_CHANGES = NameChanges((), (), ())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("flask==3.1.3", {"flask": "3.1.3"}),
        ("Flask_SQLAlchemy == 3.0  # why", {"flask-sqlalchemy": "3.0"}),
        ("celery[redis]>=5,<6 ; python_version > '3'", {"celery": ">=5,<6"}),
        ("six==1.* --hash=sha256:00", {"six": "==1.*"}),
        ("a==1 \\\n    --hash=sha256:00", {"a": "1"}),
        ("gunicorn", {"gunicorn": "any"}),
        ("x @ https://me:token@host/x.zip", {"x": "@ https://****@host/x.zip"}),
        ("# flask\n-r other.txt\n--pre\n\n./local", {}),
        ("\ufeffb==1\r\nc==2\r\n", {"b": "1", "c": "2"}),
    ],
)
def test_requirements(line: str, expected: dict[str, str]) -> None:
    """Names in their one spelling, pins as versions, other wishes as they are."""
    assert requirements(line.encode()) == expected


def test_long_lines_of_requirements_are_read_soon() -> None:
    """A megabyte of blanks costs no more than to read it."""
    assert requirements(b"a" + b" " * 1_000_000 + b"x") == {"a": "x"}


def test_uv_lock() -> None:
    """Every package but the project; one in two versions names both."""
    lock = b"""version = 1
[[package]]
name = "shop"
version = "0.1.0"
source = { virtual = "." }
[[package]]
name = "numpy"
version = "2.0"
[[package]]
name = "numpy"
version = "1.26"
[[package]]
name = "odd"
"""
    assert uv_lock(lock) == {"numpy": "1.26, 2.0"}


def test_package_lock() -> None:
    """npm's formats: packages by path, or dependencies by name; never the project itself."""
    new = b"""{"packages": {"": {"version": "1"}, "node_modules/a": {"version": "1.0.0"},
              "node_modules/a/node_modules/@x/b": {"version": "2.0.0"}, "lib": {}}}"""
    assert package_lock(new) == {"a": "1.0.0", "@x/b": "2.0.0"}
    assert package_lock(b'{"dependencies": {"a": {"version": "1.0.0"}}}') == {"a": "1.0.0"}


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[1]", b"package = 1", b"[" * 100_000, b'{"packages": [1]}']
)
def test_unreadable_lock_files_count_as_empty(content: bytes) -> None:
    """Showing a difference fails for no file."""
    assert uv_lock(content) == {}
    assert package_lock(content) == {}


def test_entries() -> None:
    """What is new, gone or different, by name."""
    assert entries({"a": "1", "b": "1", "c": "1"}, {"b": "1", "c": "2", "d": "1"}) == (
        Entry("a", "1", None),
        Entry("c", "1", "2"),
        Entry("d", None, "1"),
    )


def test_config_is_compared_by_name() -> None:
    """No value comes out, only that it is another."""
    old = {"A": Secret("1"), "B": Secret("1"), "C": Secret("1")}
    new = {"B": Secret("1"), "C": Secret("2"), "D": Secret("1")}
    found = config_changes(old, new)
    assert found == NameChanges(added=("D",), removed=("A",), changed=("C",))
    assert config_rows(found) == ["- A", "~ C", "+ D"]


def test_sections() -> None:
    """Only what differs has a title; no name can move the cursor."""
    difference = Difference(
        "v1",
        "v2",
        files=(FileChange("a\x1b[2J", Change.ADDED), FileChange("b", Change.DELETED)),
        dependencies=(Entry("flask", "1", "2"), Entry("six", "1", None)),
        config=NO_CHANGES,
        processes=(Entry("web", None, "serve\n"),),
    )
    assert sections(difference) == [
        ("Files: 1 added, 1 deleted", ["A a\\x1b[2J", "D b"]),
        ("Dependencies", ["~ flask 1 -> 2", "- six 1"]),
        ("Processes", ["+ web: serve\\n"]),
    ]


def test_many_files_are_cut() -> None:
    """A first push of a large app does not fill the terminal."""
    files = tuple(FileChange(str(n), Change.ADDED) for n in range(250))
    ((title, rows),) = sections(Difference("nothing", "v1", files, (), NO_CHANGES, ()))
    assert title == "Files: 250 added"
    assert len(rows) == 101
    assert rows[-1] == "... and 150 more"
