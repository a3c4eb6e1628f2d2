"""The lines that say why an instance ended."""

import json
from pathlib import Path

import pytest

from paas.adapters.supervisor.exit_log import ExitLog

GROUP, LABEL = "1-v2-3", "web.1"


@pytest.fixture
def log(tmp_path: Path) -> ExitLog:
    """A log directory for app 1, and a cgroup with a limit of 64 MiB."""
    cgroup = tmp_path / "cgroup" / f"{GROUP}-{LABEL}"
    cgroup.mkdir(parents=True)
    (cgroup / "memory.max").write_text("67108864\n")
    (cgroup / "memory.events").write_text("oom 0\noom_kill 0\n")
    place = {"path": str(tmp_path / "cgroup"), "controllers": ["memory"], "unified": True}
    (tmp_path / "cgroups.json").write_text(json.dumps([place]))
    (tmp_path / "logs" / "1").mkdir(parents=True)
    return ExitLog(tmp_path / "logs", tmp_path / "cgroups.json")


def lines(tmp_path: Path) -> list[str]:
    text = (tmp_path / "logs" / "1" / "app.log").read_text()
    return [line.partition(" ")[2] for line in text.splitlines()]


def test_status_and_signal(log: ExitLog, tmp_path: Path) -> None:
    """Each end is one line."""
    log.write(GROUP, LABEL, 3)
    log.write(GROUP, LABEL, -15)
    assert lines(tmp_path) == [
        "paas[web.1] v2: Process exited with status 3",
        "paas[web.1] v2: Process killed by SIGTERM",
    ]


def test_memory(log: ExitLog, tmp_path: Path) -> None:
    """A kill for memory is reported with the limit, once: the next end has another reason."""
    events = tmp_path / "cgroup" / f"{GROUP}-{LABEL}" / "memory.events"
    events.write_text("oom 1\noom_kill 1\n")
    log.write(GROUP, LABEL, -9)
    log.write(GROUP, LABEL, -9)
    killed = "paas[web.1] v2: Process killed by SIGKILL"
    error = "paas[web.1] v2: Error R15 (Memory quota vastly exceeded)"
    assert lines(tmp_path) == [f"{killed} (out of memory: the limit is 64 MiB)", error, killed]


@pytest.mark.parametrize("limit", ["max", "9223372036854771712"])
def test_memory_without_a_limit(log: ExitLog, tmp_path: Path, limit: str) -> None:
    """The kernel kills where the whole server has no more, too; cgroup v2 and v1 say it so."""
    cgroup = tmp_path / "cgroup" / f"{GROUP}-{LABEL}"
    (cgroup / "memory.max").write_text(f"{limit}\n")
    (cgroup / "memory.events").write_text("oom 1\noom_kill 1\n")
    words = "killed by SIGKILL (out of memory: the server has no more)"
    assert log.write(GROUP, LABEL, -9) == (words, "")
    assert lines(tmp_path) == [f"paas[web.1] v2: Process {words}"]


def test_what_has_no_log_is_no_error(log: ExitLog, tmp_path: Path) -> None:
    """The platform's own programs, and apps that are gone."""
    log.write("gate", "gate", 1)
    log.write("7-v1-1", LABEL, 1)
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["1"]


def test_a_worker_that_is_killed_for_memory(log: ExitLog, tmp_path: Path) -> None:
    """Told when the main process is still the same at the next look, with the limit, once."""
    events = tmp_path / "cgroup" / f"{GROUP}-{LABEL}" / "memory.events"
    log.begin(GROUP, LABEL)
    assert log.look(GROUP, LABEL, 10) is None
    events.write_text("oom 1\noom_kill 1\n")
    assert log.look(GROUP, LABEL, 10) is None
    words = "a process was killed by SIGKILL (out of memory: the limit is 64 MiB)"
    events.write_text("oom 1\noom_kill 3\n")
    assert log.look(GROUP, LABEL, 10) == (words, "R14")
    more = words.replace("a process was", "2 processes were")
    assert log.look(GROUP, LABEL, 10) == (more, "R14")
    assert log.look(GROUP, LABEL, 10) is None
    assert log.write(GROUP, LABEL, 1) == ("exited with status 1", "")
    error = "Error R14 (Memory quota exceeded)"
    assert lines(tmp_path) == [
        f"paas[web.1] v2: {text}"
        for text in (f"A{words[1:]}", error, more, error, "Process exited with status 1")
    ]


def test_a_main_process_that_is_killed_is_told_as_such(log: ExitLog, tmp_path: Path) -> None:
    """Also where the kill is seen before its end; what came before a start is of no concern."""
    events = tmp_path / "cgroup" / f"{GROUP}-{LABEL}" / "memory.events"
    log.begin(GROUP, LABEL)
    events.write_text("oom 1\noom_kill 1\n")
    assert log.look(GROUP, LABEL, 10) is None
    assert log.write(GROUP, LABEL, -9).error == "R15"
    log.begin(GROUP, LABEL)
    assert log.look(GROUP, LABEL, 11) is None
    assert log.look(GROUP, LABEL, 11) is None
    log.forget(GROUP, LABEL)
    log.begin(GROUP, LABEL)
    assert log.look(GROUP, LABEL, 12) is None
    assert log.look(GROUP, LABEL, 12) is None
    assert len(lines(tmp_path)) == 2
