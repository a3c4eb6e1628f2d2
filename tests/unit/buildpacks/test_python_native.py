"""Python packages that are compiled: what they miss on the server is named, with the remedy."""

from pathlib import Path

import pytest

from tests.unit.buildpacks.buildpack_scripts import Project

FAILED = "  \u00d7 Failed to build `{package}`\n  The build backend returned an error\n"


def refusal(root: Path, package: str, said: str) -> str:
    """The message of a push when the package's build prints this."""
    project = Project(root).write(
        {
            "requirements.txt": f"{package}\n",
            "Procfile": "web: x",
            "uv-says": FAILED.format(package=package) + said,
        }
    )
    done = project.compile()
    assert done.returncode != 0
    return done.stdout


@pytest.mark.parametrize(
    ("package", "said", "told"),
    [
        (
            "psycopg2==2.9.9",
            "      [stderr]\n\n      Error: pg_config executable not found.\n",
            ("Use psycopg2-binary instead in requirements.txt", "apt-get install libpq-dev"),
        ),
        (
            "psycopg2",
            "./psycopg/psycopg.h:36:10: fatal error: libpq-fe.h: No such file or directory\n",
            ("psycopg2-binary", "apt-get install libpq-dev"),
        ),
        (
            "mysqlclient==2.2.7",
            "Exception: Can not find valid pkg-config name.\n",
            ("prebuilt wheel", "apt-get install default-libmysqlclient-dev pkg-config"),
        ),
        (
            "cffi==1.0",
            "c/_cffi_backend.c:15:10: fatal error: ffi.h: No such file or directory\n",
            ("the headers of libffi", "apt-get install libffi-dev"),
        ),
        (
            "thing==1",
            "thing.c:3:10: fatal error: snappy-c.h: No such file or directory\n",
            ("the server lacks snappy-c.h", "apt-file search snappy-c.h"),
        ),
        (
            "thing==1",
            "error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory\n",
            ("a compiler (x86_64-linux-gnu-gcc)", "apt-get install build-essential"),
        ),
        (
            "thing==1",
            "[Errno 2] No such file or directory: 'cc'\n",
            ("a compiler (cc)", "apt-get install build-essential"),
        ),
    ],
)
def test_what_is_missing_is_named(
    tmp_path: Path, package: str, said: str, told: tuple[str, ...]
) -> None:
    """A header or a compiler: with the Debian package, and the way without one."""
    text = refusal(tmp_path, package, said)
    assert (
        f"The dependency {package} could not be built (requirements.txt): the server lacks" in text
    )
    for part in told:
        assert part in text


def test_a_build_that_fails_otherwise(tmp_path: Path) -> None:
    """A compiler that is there and finds a fault is not missing."""
    text = refusal(tmp_path, "thing==1", "error: command '/usr/bin/gcc' failed with exit code 1\n")
    assert "The dependency thing==1 could not be built (requirements.txt)." in text
    assert "lacks" not in text
