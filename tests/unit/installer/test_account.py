"""The account that people push to, while other programs change the machine's accounts."""

from pathlib import Path

import pytest

from paas.entrypoints.installer import packages
from paas.entrypoints.installer.plan import InstallError

USERMOD = """#!/bin/sh
echo tried >> {tries}
if [ "$(wc -l < {tries})" -lt {locked} ]; then
    echo "usermod: cannot lock /etc/passwd; try again later."
    exit 1
fi
exit {status}
"""


@pytest.fixture(autouse=True)
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """There is one, with another password, on a machine whose programs are in a directory."""
    programs = tmp_path / "bin"
    programs.mkdir()
    write(programs / "getent", "#!/bin/sh\necho 'root:!:20000::::::'\n")
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setattr(packages, "ACCOUNT", "root")
    monkeypatch.setattr(packages, "HOME", tmp_path / "home")
    monkeypatch.setattr(packages, "LOCKED_AGAIN_S", 0.0)
    return programs


def write(path: Path, text: str) -> None:
    """An executable file."""
    path.write_text(text)
    path.chmod(0o755)


def usermod(programs: Path, *, locked: int, status: int = 0) -> Path:
    """One that finds the accounts locked until its call of that number; the file of its calls."""
    tries = programs / "tries"
    write(programs / "usermod", USERMOD.format(tries=tries, locked=locked, status=status))
    return tries


def test_accounts_that_another_program_locks(account: Path) -> None:
    """It is tried again."""
    tries = usermod(account, locked=3)
    packages.ensure_account()
    assert tries.read_text() == "tried\n" * 3


def test_an_account_that_is_being_made(account: Path) -> None:
    """It has no password yet, since useradd writes it after the name; it is waited for."""
    write(account / "getent", "#!/bin/sh\nexit 2\n")
    tries = usermod(account, locked=3)
    packages.ensure_account()
    assert tries.read_text() == "tried\n" * 3


def test_what_fails_otherwise_is_said(account: Path) -> None:
    """At once; so are accounts that stay locked, after a while."""
    tries = usermod(account, locked=0, status=1)
    with pytest.raises(InstallError, match="usermod --password"):
        packages.ensure_account()
    assert tries.read_text() == "tried\n"
    usermod(account, locked=10_000)
    with pytest.raises(InstallError, match="cannot lock"):
        packages.ensure_account()


def test_an_account_that_is_right_stays(account: Path) -> None:
    """Nothing is changed, so two installations at once do not meet."""
    write(account / "getent", "#!/bin/sh\necho 'root:*:20000::::::'\n")
    tries = usermod(account, locked=0)
    packages.ensure_account()
    assert not tries.exists()
