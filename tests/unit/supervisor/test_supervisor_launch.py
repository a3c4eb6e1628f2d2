"""What supervisord's child does in place of execve, with a launcher that only notes its call."""

from collections.abc import Callable
from pathlib import Path

import pytest

from paas.adapters.supervisor.launch import launching

MODULE = "a_version.entrypoints.launching.launcher"
# Like the real one, it never returns.
LAUNCHER = "called = []\ndef main(argv):\n    called.append(argv)\n    raise SystemExit\n"
ENV = {"A": "b"}


class Executed(Exception):  # noqa: N818 - no error
    """execve was called: it does not return either."""


def execute(*arguments: object) -> None:
    """execve."""
    raise Executed(arguments)


@pytest.fixture
def version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed version of the platform, importable."""
    folder = tmp_path / "versions/1/a_version/entrypoints"
    (folder / "launching").mkdir(parents=True)
    (folder / "launch.py").touch()
    (folder / "launching/launcher.py").write_text(LAUNCHER)
    monkeypatch.syspath_prepend(str(tmp_path / "versions/1"))
    return tmp_path


@pytest.fixture
def launch(version: Path) -> Callable[..., None]:
    """What supervisord's child calls, with the version behind a link, as an installation has it."""
    (version / "current").symlink_to("versions/1")
    return launching(MODULE, execute)


def argv(version: Path) -> list[str]:
    """The command of an instance."""
    script = version / "current/a_version/entrypoints/launch.py"
    return ["/usr/bin/python3", "-I", "-S", str(script), "/run/specs/a.json"]


def test_the_child_launches_itself(version: Path, launch: Callable[..., None]) -> None:
    """The launcher gets launch.py and the spec, as it would in a program of its own."""
    with pytest.raises(SystemExit):
        launch("/usr/bin/python3", argv(version), ENV)
    from a_version.entrypoints.launching import launcher  # type: ignore[import-not-found]

    assert launcher.called.pop() == argv(version)[-2:]


def test_the_launcher_of_another_version_is_executed(
    version: Path, launch: Callable[..., None]
) -> None:
    """After an upgrade ``current`` is a newer version than supervisord."""
    newer = version / "versions/2/a_version/entrypoints"
    newer.mkdir(parents=True)
    (newer / "launch.py").touch()
    (version / "current").unlink()
    (version / "current").symlink_to("versions/2")
    with pytest.raises(Executed) as done:
        launch("/usr/bin/python3", argv(version), ENV)
    assert done.value.args == (("/usr/bin/python3", argv(version), ENV),)


@pytest.mark.parametrize("command", [["/usr/sbin/sshd"], ["/usr/sbin/sshd", "-D", "-e"]])
def test_other_programs_are_executed(launch: Callable[..., None], command: list[str]) -> None:
    """The platform's own programs are no instances."""
    with pytest.raises(Executed):
        launch(command[0], command, ENV)
