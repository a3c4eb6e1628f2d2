"""A PostgreSQL one or more major versions older than this machine's, from Debian's former release.

Debian has one version in each release, and an upgrade needs two. After an upgrade of the operating
system the former one stays installed; here its programs are unpacked to where its package puts
them, and its libraries installed, whose names no present ones have. Where the former release cannot
be reached, tests upgrade from the version that there is, as pg_upgrade can: see `older`.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from paas.adapters.datastores.postgresql import programs

_MIRROR = "http://deb.debian.org/debian"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# By the present version: the release before, its version, and the libraries of that.
_FORMER = {
    "15": ("bullseye", "13", ("libssl1.1", "libldap-2.4-2", "libicu67")),
    "17": ("bookworm", "15", ("libldap-2.5-0", "libicu72")),
}


def older() -> str:
    """The oldest version that is installed, which may be the only one."""
    return programs.versions()[0]


def ensure_installed() -> None:
    """Install it, unless there are two versions already, or the release cannot be reached."""
    present = programs.versions()
    if len(present) > 1 or present[-1] not in _FORMER:
        return
    release, version, libraries = _FORMER[present[-1]]
    names = (f"postgresql-{version}", f"postgresql-client-{version}")
    with tempfile.TemporaryDirectory(prefix="paas-tests-") as scratch:
        home = Path(scratch)
        home.chmod(0o755)
        try:
            _download(home, release, (*names, *libraries))
            found = {path.name.partition("_")[0]: path for path in home.glob("*.deb")}
            _run("apt-get", "-qq", "install", "--yes", *(str(found[name]) for name in libraries))
            for name in names:
                _unpack(found[name], version)
            # For compiling queries it needs a compiler that is not installed.
            (programs.LIB / version / "lib" / "llvmjit.so").unlink(missing_ok=True)
            _run(str(programs.LIB / version / "bin" / "postgres"), "--version")
        except subprocess.CalledProcessError as error:
            shutil.rmtree(programs.LIB / version, ignore_errors=True)
            print(f"There is no PostgreSQL {version} to upgrade from: {error}")


def _download(home: Path, release: str, names: tuple[str, ...]) -> None:
    """Packages of another release, with lists of its own: apt's on this machine stay as they are.

    Raises CalledProcessError.
    """
    (home / "sources").write_text(f"deb [signed-by={_KEYRING}] {_MIRROR} {release} main\n")
    (home / "status").touch()
    (home / "lists").mkdir()
    (home / "cache").mkdir()
    options: dict[str, object] = {
        "Dir::Etc::sourcelist": home / "sources",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": home / "lists",
        "Dir::State::status": home / "status",
        "Dir::Cache": home / "cache",
        "APT::Sandbox::User": "root",
        # Packages of a release stay when its support ends.
        "Acquire::Check-Valid-Until": "false",
        "Acquire::http::Timeout": 20,
        "Acquire::Retries": 1,
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    _run("apt-get", "-qq", *words, "update", cwd=home)
    _run("apt-get", "-qq", *words, "download", *names, cwd=home)


def _unpack(package: Path, version: str) -> None:
    """Only what belongs to that version."""
    with tempfile.TemporaryFile() as archive:
        subprocess.run(["dpkg-deb", "--fsys-tarfile", package], stdout=archive, check=True)
        archive.seek(0)
        wanted = (f"./usr/lib/postgresql/{version}", f"./usr/share/postgresql/{version}")
        listed = subprocess.run(["tar", "-t"], stdin=archive, capture_output=True, check=True)
        there = [one for one in wanted if f"{one}/".encode() in listed.stdout.splitlines()]
        archive.seek(0)
        subprocess.run(["tar", "-x", "-C", "/", *there], stdin=archive, check=True)


def _run(*argv: str, cwd: Path | None = None) -> None:
    subprocess.run(argv, cwd=cwd, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    ensure_installed()
    print(", ".join(programs.versions()))
