"""Debian's Docker services are masked where they were not there, and given back as they were."""

from pathlib import Path

import pytest

from paas.entrypoints.installer import docker

SYSTEMCTL = """#!/bin/sh
echo "$*" >> {calls}
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What systemctl is asked for."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "systemctl"
    program.write_text(SYSTEMCTL.format(calls=tmp_path / "calls"))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return tmp_path / "calls"


def test_only_new_units_are_masked(tmp_path: Path, calls: Path) -> None:
    """A containerd of somebody's own stays as it is; what was masked before stays so after."""
    units, record = tmp_path / "units", tmp_path / "record"
    units.mkdir()
    (units / "containerd.service").touch()
    (units / "docker.socket").symlink_to("/dev/null")
    docker.mask(docker.UNITS[:3], record, [units])
    assert calls.read_text() == "mask --quiet docker.service\n"
    calls.unlink()
    docker.unmask([], record)
    assert calls.read_text() == "unmask --quiet docker.service\ndisable --quiet docker.service\n"
    assert not record.exists()
    calls.unlink()
    docker.unmask([], record)
    assert not calls.exists()


def test_the_last_server_with_docker_unmasks(tmp_path: Path, calls: Path) -> None:
    """While another one has an engine, a second would disturb it."""
    record, other = tmp_path / "record", tmp_path / "other"
    other.mkdir()
    docker.mask(docker.UNITS, record, [tmp_path])
    calls.unlink()
    (other / "server.yml").write_text("domain: example.com\ndocker: true\n")
    docker.unmask([other], record)
    assert not calls.exists()
    (other / "server.yml").write_text("docker: false\n")
    docker.unmask([other, tmp_path / "gone"], record)
    assert calls.read_text().count("unmask --quiet") == len(docker.UNITS)


def test_masking_again_keeps_what_was_noted(tmp_path: Path, calls: Path) -> None:
    """An installation may be interrupted and run again."""
    units, record = tmp_path / "units", tmp_path / "record"
    units.mkdir()
    docker.mask(docker.UNITS[:1], record, [units])
    (units / docker.UNITS[0]).symlink_to("/dev/null")
    docker.mask(docker.UNITS, record, [units])
    assert record.read_text().split() == list(docker.UNITS)
