"""Config changes: as releases, with and without a restart, and from an editor."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from paas.domain.manifest.envfile import envfile, parse_envfile
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from paas.entrypoints.gate_client import editing
from tests.fakes.world import ROOT, World

GREETING, COLOUR = VarName("GREETING"), VarName("COLOUR")


def test_no_restart_leaves_the_instances(world: World) -> None:
    """The release is current at once; instances get it at the next roll-out."""
    world.app()
    world.push()
    world.runtime.calls.clear()
    version = world.config.set(ROOT, "shop", {GREETING: "hello"}, world.progress, restart=False)
    assert version == 2
    assert world.runtime.calls == []
    assert "GREETING" not in world.environment()
    assert world.config.get(ROOT, "shop", GREETING).reveal() == "hello"
    assert any("ps:restart" in line for line in world.progress.lines)
    assert world.processes.listing(ROOT, "shop")[0].instance.version == 1
    world.processes.restart(ROOT, "shop", [], world.progress)
    assert world.environment()["GREETING"] == "hello"
    assert world.processes.listing(ROOT, "shop")[0].instance.version == 2


def test_what_is_done_is_told_as_heroku_does(world: World) -> None:
    """No value, and nothing that reads as one."""
    world.app()
    world.config.set(ROOT, "shop", {GREETING: "hello"}, world.progress)
    assert world.progress.lines == ["-----> Setting GREETING for shop", "-----> Done: v1"]
    world.push()
    world.progress.lines.clear()
    world.config.set(ROOT, "shop", {COLOUR: "red"}, world.progress, unset=[GREETING])
    assert (
        world.progress.lines[0] == "-----> Setting COLOUR, unsetting GREETING and restarting shop"
    )
    assert world.progress.lines[-1] == "-----> Done: v3"


def test_no_restart_before_the_first_deploy(world: World) -> None:
    """There is nothing to say of instances, and the first deploy takes it."""
    world.app()
    world.config.set(ROOT, "shop", {GREETING: "hello"}, world.progress, restart=False)
    assert not any("ps:restart" in line for line in world.progress.lines)
    world.push()
    assert world.environment()["GREETING"] == "hello"


def test_a_change_that_fails_leaves_all_as_it_was(world: World) -> None:
    """And says so: the error alone could mean that the app is down."""
    world.app()
    world.push()
    world.runtime.failure = PaasError("start", "supervisord does not answer.")
    with pytest.raises(PaasError):
        world.config.set(ROOT, "shop", {GREETING: "hello"}, world.progress)
    assert world.progress.lines[-1] == "-----> The config is unchanged; v1 is still serving"
    assert world.config.all(ROOT, "shop") == {}


def test_setting_and_removing_is_one_release(world: World) -> None:
    """config:import --unset: one change, which names both."""
    world.app()
    world.config.set(ROOT, "shop", {GREETING: "hello"}, world.progress)
    version = world.config.set(ROOT, "shop", {COLOUR: "blue"}, world.progress, unset=[GREETING])
    assert version == 2
    release = world.store.releases.find(1, 2)
    assert release is not None
    assert release.description == "Set COLOUR; Unset GREETING"
    assert set(release.config) == {"COLOUR"}


class Server:
    """The other end of config:edit: answers an export, remembers imports."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values
        self.sent: list[tuple[list[str], str | None]] = []

    def run(self, words: list[str], stdin: str | None) -> tuple[int, str]:
        if "config:export" in words:
            return 0, envfile(self.values)
        self.sent.append((words, stdin))
        return 0, ""


def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Make a script the editor; it notes the file's path and mode, which is returned."""
    noted = tmp_path / "noted"
    program = tmp_path / "editor"
    program.write_text(f'#!/bin/sh\nstat -c "%a %n" "$1" > {noted}\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(program))
    return noted


def test_edit_sends_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Added and changed ones as a file, removed ones by name; the file was private and is gone."""
    server = Server({"A": "1", "B": "two\nlines", "C": "3"})
    noted = editor(
        tmp_path, monkeypatch, """sed -i -e '/^A=/d' -e 's/C=.*/C=4/' "$1"; echo D=5 >> "$1" """
    )
    words = ["-a", "shop", "config:edit", "--no-restart"]
    assert editing.edit(words, server.run) == 0
    ((sent, stdin),) = server.sent
    assert sent == ["-a", "shop", "config:import", "--no-restart", "--unset", "A"]
    assert parse_envfile(stdin or "") == {"C": "4", "D": "5"}
    mode, path = noted.read_text().split()
    assert mode == "600"
    assert not Path(path).parent.exists()


def test_edit_of_nothing_sends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unchanged file makes no release."""
    server = Server({"A": "1"})
    editor(tmp_path, monkeypatch, "true")
    assert editing.edit(["config:edit", "shop"], server.run) == 0
    assert server.sent == []


def test_edit_with_a_failing_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It sends nothing; neither does a line that is no assignment."""
    server = Server({"A": "1"})
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    editor(tmp_path, monkeypatch, 'echo B=2 >> "$1"; exit 1')
    with pytest.raises(PaasError, match="ended with 1"):
        editing.edit(["config:edit"], server.run)
    editor(tmp_path, monkeypatch, 'echo what >> "$1"')
    assert editing.edit(["config:edit"], server.run) == 2
    monkeypatch.setenv("VISUAL", "/nonexistent/editor")
    with pytest.raises(PaasError, match="cannot be run"):
        editing.edit(["config:edit"], server.run)
    assert server.sent == []


def test_edit_in_a_terminal_that_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent, and the file does not stay behind."""
    noted = editor(tmp_path, monkeypatch, 'echo B=2 >> "$1"; kill -HUP $PPID; sleep 60')
    program = (
        "from paas.entrypoints.gate_client import editing\n"
        "from tests.unit.apps.test_config import Server\n"
        "editing.edit(['config:edit'], Server({'A': '1'}).run)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[3], timeout=200
    )
    assert done.returncode == 128 + signal.SIGHUP
    assert not Path(noted.read_text().split()[1]).parent.exists()


def test_edit_over_plain_ssh_says_what_to_do(world: World) -> None:
    """The server's own config:edit has no editor to offer."""
    from paas.entrypoints.cli.config import edit_vars

    with pytest.raises(PaasError, match="on your computer"):
        edit_vars.main(["shop"], standalone_mode=False)
