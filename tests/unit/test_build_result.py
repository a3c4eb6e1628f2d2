"""What the platform believes of what a build hands back."""

import os
from pathlib import Path

import pytest

from paas.adapters.build_result import parse_result, read_result
from paas.adapters.pythons import requested_version
from paas.domain.buildpacks import StaticFiles
from paas.domain.errors import PaasError

RELEASE = b"Python\0---\ndefault_process_types:\n  web: gunicorn app:app\n  worker: 'w'\n\0"


def test_parses_a_release() -> None:
    """The name of bin/detect and the process types of bin/release."""
    built = parse_result(RELEASE)
    assert built.buildpack == "Python"
    assert built.processes == {"web": "gunicorn app:app", "worker": "w"}


def test_parses_several() -> None:
    """Names of all, config vars of all, the last one's winning, process types of the last."""
    built = parse_result(
        b"A\0config_vars: {X: 1, Y: true}\ndefault_process_types: {web: a}\0"
        b"B\0config_vars: {X: two}\ndefault_process_types: {worker: b}\nstatic: {root: dist}\0"
    )
    assert built.buildpack == "A, B"
    assert {name: value.reveal() for name, value in built.config.items()} == {
        "X": "two",
        "Y": "true",
    }
    assert built.processes == {"worker": "b"}
    assert built.static == StaticFiles("dist")


@pytest.mark.parametrize("yaml", [b"", b"---\n", b"addons: []\n", b"default_process_types: {}\n"])
def test_parses_a_release_without_processes(yaml: bytes) -> None:
    """A buildpack need not propose anything."""
    assert parse_result(b"X\0" + yaml + b"\0").processes == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Python",
        b"Python\0default_process_types: {}",
        b"Python\0",
        b"X\0{unclosed" + b"\0",
        b"X\0!!python/object/apply:os.system ['id']" + b"\0",
        b"X\0" + b"[" * 20_000 + b"\0",
        b"X\0default_process_types: [web]" + b"\0",
        b"X\0default_process_types: {web: 1}" + b"\0",
        b'x\nX\ndefault_process_types: {"../x": run}',
        b'x\nX\ndefault_process_types: {web: "a\\nb"}',
        b'x\nX\ndefault_process_types: {web: "a\\0b"}',
        b'x\nX\ndefault_process_types: {web: ""}',
        b"X\0default_process_types: {web: " + b"a" * 20_000 + b"}" + b"\0",
        b"X\0default_process_types: []\0",
        b"X\0config_vars: {PORT: 80}\0",
        b"X\0config_vars: {A: [b]}\0",
        b"X\0config_vars: {a-b: c}\0",
        b"X\0static: {root: ../x}\0",
        b"X\0static: {root: 'a;b'}\0",
        b"X\0static: {fallback: x}\0",
    ],
)
def test_refuses_a_bad_release(content: bytes) -> None:
    """Anything else is an error that a person can read."""
    with pytest.raises(PaasError):
        parse_result(content)


def test_reads_only_plain_files(tmp_path: Path) -> None:
    """No link is followed, no FIFO waited for, no endless file read."""
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "link").symlink_to("secret")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "directory").mkdir()
    (tmp_path / "large").write_bytes(b"x" * 70_000)
    (tmp_path / "way").symlink_to(tmp_path)
    for directory, name in [
        *((tmp_path, name) for name in ("link", "fifo", "directory", "large", "absent")),
        (tmp_path / "way", "secret"),
    ]:
        with pytest.raises(PaasError):
            read_result(directory, name)
    assert read_result(tmp_path, "secret") == b"secret"


@pytest.mark.parametrize(
    ("name", "content", "version"),
    [
        (".python-version", "3.12\n", "3.12"),
        (".python-version", "# ours\n\n 3.12.4 \r\n", "3.12.4"),
        ("runtime.txt", "python-3.13.1", "3.13.1"),
        ("runtime.txt", "python-2.7; id", None),
        ("runtime.txt", "--help", None),
        (".python-version", "3.12\n3.13", None),
        (".python-version", "../../bin/sh", None),
        (".python-version", "3.12.4 --default", None),
        (".python-version", "pypy3.10", None),
    ],
)
def test_requested_version(tmp_path: Path, name: str, content: str, version: str | None) -> None:
    """Only a well-formed version is ever handed to uv by root."""
    (tmp_path / name).write_text(content)
    assert requested_version(tmp_path) == version


def test_requested_version_of_a_link(tmp_path: Path) -> None:
    """A version file that is a link is not read."""
    (tmp_path / "elsewhere").write_text("3.12")
    (tmp_path / ".python-version").symlink_to("elsewhere")
    assert requested_version(tmp_path) is None
