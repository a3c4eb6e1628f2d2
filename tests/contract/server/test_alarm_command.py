"""The operator's alarm command: run without a shell, without rights, and not for long."""

import json
import os
import pwd
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.adapters.server.alarm_command import SetAlarmCommand
from paas.domain.server.alarms import Told
from paas.domain.values.errors import PaasError, ProgramFailedError, TimedOutError
from paas.settings import Settings

_SAID = """
import json, os, sys
status = open("/proc/self/status").read().splitlines()
wanted = ("NoNewPrivs", "CapEff", "CapPrm", "CapBnd")
rights = {line.partition(":")[0]: line.split()[1] for line in status if line.startswith(wanted)}
print(json.dumps([sys.stdin.read(), sys.argv[2:], os.getresuid(), os.getgroups(), rights,
                  dict(os.environ), os.getcwd()]), file=open(sys.argv[1], "w"))
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a server whose directory nobody else may enter."""
    return Settings(state=tmp_path, run=tmp_path / "run", domain="paas.example.com")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Where nobody may write; the way to tmp_path is closed to that account."""
    with tempfile.TemporaryDirectory(dir="/tmp") as found:
        os.chown(found, pwd.getpwnam("nobody").pw_uid, 0)
        yield Path(found)


def test_what_it_gets_and_what_it_is(settings: Settings, open_folder: Path) -> None:
    """The text, its own words as they are, an account without rights, and no secrets around it."""
    path = open_folder / "said.json"
    words = ("/usr/bin/python3", "-I", "-c", _SAID, str(path), "a; touch /x", "$HOME")
    SetAlarmCommand(replace(settings, alarm_command=words)).run("no backup\n")
    text, argv, uids, groups, rights, env, folder = json.loads(path.read_text())
    nobody = pwd.getpwnam("nobody")
    assert (text, argv, folder) == ("no backup\n", ["a; touch /x", "$HOME"], "/")
    assert set(uids) == {nobody.pw_uid}
    assert set(groups) <= {nobody.pw_gid}
    assert rights.pop("NoNewPrivs") == "1"
    assert {int(value, 16) for value in rights.values()} == {0}
    assert env.pop("PAAS_SERVER") == "paas.example.com"
    assert set(env) <= {"PATH", "LC_ALL", "HOME", "LC_CTYPE"}


def test_one_that_fails_or_does_not_end(settings: Settings) -> None:
    """An error with what it said; and it is killed with what it has started."""
    failing = ("/bin/sh", "-c", "echo no route to host >&2; exit 7")
    with pytest.raises(ProgramFailedError) as caught:
        SetAlarmCommand(replace(settings, alarm_command=failing)).run("x")
    assert caught.value.context == ("no route to host",)
    hanging = ("/bin/sh", "-c", "sleep 1000 & sleep 1000")
    with pytest.raises(TimedOutError):
        SetAlarmCommand(replace(settings, alarm_command=hanging), limit_s=0.5).run("x")


@pytest.mark.parametrize("name", ["no-such-account-here", "root"])
def test_an_account_that_it_cannot_have(settings: Settings, name: str) -> None:
    """One that is not there, or root's."""
    command = SetAlarmCommand(replace(settings, alarm_command=("/bin/true",), alarm_user=name))
    with pytest.raises(PaasError) as caught:
        command.run("x")
    assert caught.value.reference == "alarm-command"


def test_what_it_was_told_is_kept(settings: Settings) -> None:
    """Over a restart of the monitor; a damaged file is as none."""
    command = SetAlarmCommand(settings)
    assert command.told() == Told()
    told = Told(frozenset({"dump 1"}), datetime(2026, 1, 1, tzinfo=UTC))
    command.note(told)
    assert SetAlarmCommand(settings).told() == told
    settings.paths.alarms.write_text('{"keys": 7, "at": "soon"}')
    assert SetAlarmCommand(settings).told() == Told()
