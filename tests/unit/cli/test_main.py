"""A command from its words to its exit status, as the gate runs it."""

import json
from pathlib import Path

import pytest
import yaml

from paas.domain.people.origins import Origin
from paas.entrypoints.cli.local import LocalCaller
from paas.entrypoints.cli.main import run
from paas.store.creation import create


def test_a_command_of_the_operator_s(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what a client tells of its terminal."""
    folders = {name: tmp_path / name for name in ("etc", "state", "run", "opt")}
    for folder in folders.values():
        folder.mkdir()
    # An account that every machine has: the platform's own is there after an installation only.
    settings = {name: str(folder) for name, folder in folders.items()} | {"account": "root"}
    (folders["etc"] / "server.yml").write_text(yaml.safe_dump(settings))
    create(folders["state"] / "state.db")
    status = run(
        ["--terminal", "100", "true", "--stdin-terminal", "apps", "--json"],
        actor_name=None,
        origin=Origin(),
        env={"PAAS_ETC": str(folders["etc"])},
        reply=lambda _: None,
        client_gone=lambda: False,
        caller=LocalCaller(),
    )
    shown = capsys.readouterr()
    assert (status, shown.err) == (0, "")
    assert json.loads(shown.out) == []
