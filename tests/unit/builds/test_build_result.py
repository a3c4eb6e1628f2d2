"""What the platform believes of what a build hands back."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from paas.adapters.builds.pythons import requested_version
from paas.adapters.builds.result import parse_result, read_result
from paas.domain.builds.buildpacks import StaticFiles
from paas.domain.releases.formation import WEB
from paas.domain.values.errors import PaasError
from tests.unit.buildpacks.buildpack_scripts import BUILDPACKS

RELEASE_PY = BUILDPACKS / "lib/release.py"
SITE = '{"static": {"root": "dist", "fallback": null, "error_page": "404.html"}}'
RELEASE = b"---\ndefault_process_types:\n  web: gunicorn app:app\n  worker: 'w'\n"


def read(printed: bytes) -> "subprocess.CompletedProcess[bytes]":
    """Have lib/release.py read what a bin/release printed, as the sandbox does."""
    library = str(Path(yaml.__file__).parents[1])
    argv = ["/usr/bin/python3", "-I", "-S", str(RELEASE_PY), library]
    return subprocess.run(argv, input=printed, capture_output=True, check=False, timeout=200)


def result(*releases: bytes) -> bytes:
    """The result file of buildpacks whose bin/release printed these."""
    return b"".join(b"%c\0%s\0" % (65 + n, read(text).stdout) for n, text in enumerate(releases))


def test_parses_a_release() -> None:
    """The name of bin/detect and the process types of bin/release."""
    built = parse_result(result(RELEASE))
    assert built.buildpack == "A"
    assert built.processes == {"web": "gunicorn app:app", "worker": "w"}


def test_parses_several() -> None:
    """Names of all, config vars of all, the last one's winning, process types of the last."""
    built = parse_result(
        result(
            b"config_vars: {X: 1, Y: true}\ndefault_process_types: {web: a}",
            b"config_vars: {X: two}\ndefault_process_types: {worker: b}\nstatic: {root: dist}",
        )
    )
    assert built.buildpack == "A, B"
    assert {name: value.reveal() for name, value in built.config.items()} == {
        "X": "two",
        "Y": "true",
    }
    assert built.processes == {"worker": "b"}
    assert built.static == StaticFiles("dist")


@pytest.mark.parametrize(
    ("pack", "file", "content", "web", "static"),
    [
        ("python", "python-web", 'run "a b" \\ c é\n', 'run "a b" \\ c é', None),
        ("python", "elsewhere", "", None, None),
        (
            "node",
            "node.json",
            '{"default_process_types": {"web": "npm start"}}\n',
            "npm start",
            None,
        ),
        ("node", "elsewhere", "", None, None),
        ("static", "static.json", SITE, None, StaticFiles("dist", None, "404.html")),
    ],
)
def test_parses_what_our_own_buildpacks_print(
    tmp_path: Path, pack: str, file: str, content: str, web: str | None, static: StaticFiles | None
) -> None:
    """As it is: lib/build.sh has lib/release.py read only what other people's print."""
    (tmp_path / ".paas").mkdir()
    (tmp_path / ".paas" / file).write_text(content)
    program = BUILDPACKS / pack / "bin/release"
    printed = subprocess.run(
        [program, tmp_path], capture_output=True, check=True, timeout=60
    ).stdout
    built = parse_result(b"A\0%s\0" % printed)
    assert (built.processes.get(WEB), built.static) == (web, static)


def test_takes_values_as_they_are_written() -> None:
    """Neither a date, nor an octal, nor a version, nor 60,000 digits become something else."""
    digits = b"7" * 60_000
    printed = b"config_vars: {A: 2026-01-01, B: 010, C: 1.10, E: 1:30:00, F: " + digits + b"}"
    config = parse_result(result(printed)).config
    assert [config[name].reveal() for name in "ABCE"] == ["2026-01-01", "010", "1.10", "1:30:00"]
    assert config["F"].reveal() == digits.decode()
    as_json = b'{"config_vars": {"A": 1.10, "B": ' + digits[:5000] + b', "C": true}}'
    found = parse_result(result(as_json)).config
    assert [found["A"].reveal(), len(found["B"].reveal()), found["C"].reveal()] == [
        "1.10",
        5000,
        "true",
    ]


@pytest.mark.parametrize(
    "printed", [b"", b"---\n", b"addons: []\n", b"default_process_types: {}\n", b"config_vars: ~"]
)
def test_parses_a_release_without_processes(printed: bytes) -> None:
    """A buildpack need not propose anything."""
    assert parse_result(result(printed)).processes == {}


LAUGHS = b"\n".join(
    [
        b"a0: &a0 [x, x]",
        *(b"a%d: &a%d [%s]" % (n, n, b"*a%d, " % (n - 1) * 9) for n in range(1, 30)),
    ]
)


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        (b"{unclosed", "it is not valid YAML, line 1"),
        (b"[" * 20_000, "it is nested deeper than 32 levels"),
        (b'{"a":' * 10_000, "it is nested deeper than 32 levels"),
        (b"a: " + b"x" * 70_000, "it is larger than 65536 bytes"),
        (b"\xff\xfe", "it is not UTF-8 text"),
        (b"default_process_types: [web]", "default_process_types is not a mapping"),
        (b"config_vars: {A: [b]}", "config_vars must map names to strings"),
        (LAUGHS + b"\nconfig_vars: {A: *a29}", "config_vars must map names to strings"),
        (b"a: *nothing", "it is not valid YAML, line 1"),
    ],
)
def test_reads_within_limits(printed: bytes, reason: str) -> None:
    """What is too large, too deep or no mapping of texts is refused in the sandbox, at once."""
    done = read(printed)
    assert (done.returncode, done.stderr.decode().strip(), done.stdout) == (1, reason, b"")


def test_makes_no_objects() -> None:
    """A tag of Python's is a word like any other, and nothing is called."""
    printed = b"config_vars: {A: !!python/object/apply:os.system ['touch /tmp/owned']}"
    assert read(printed).returncode == 1
    assert not Path("/tmp/owned").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Python",
        b"Python\0{}",
        b"Python\0",
        b"X\0{unclosed\0",
        b"X\0\xff\0",
        b"X\0" + b"[" * 20_000 + b"\0",
        b'X\0{"config_vars": {"A": ' + b"7" * 60_000 + b"}}\0",
        b'X\0{"default_process_types": ["web"]}\0',
        b'X\0{"default_process_types": {"web": 1}}\0',
        b'X\0{"default_process_types": {"../x": "run"}}\0',
        b'X\0{"default_process_types": {"web": "a\\nb"}}\0',
        b'X\0{"default_process_types": {"web": "a\\u0000b"}}\0',
        b'X\0{"default_process_types": {"web": ""}}\0',
        b'X\0{"default_process_types": {"web": "a\\ud800"}}\0',
        b'X\0{"config_vars": {"A": "\\ud800"}}\0',
        b'X\0{"default_process_types": {"web": "' + b"a" * 20_000 + b'"}}\0',
        b'X\0{"config_vars": {"PORT": "80"}}\0',
        b'X\0{"config_vars": {"A": ["b"]}}\0',
        b'X\0{"config_vars": {"a-b": "c"}}\0',
        b'X\0{"static": {"root": "../x"}}\0',
        b'X\0{"static": {"root": "a;b"}}\0',
        b'X\0{"static": {"fallback": "x"}}\0',
    ],
)
def test_refuses_a_bad_result(content: bytes) -> None:
    """The app's own code may have written the file: anything else is an error to read."""
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
