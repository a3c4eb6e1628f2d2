"""Config files, and stopping, starting and restarting parts of an app, on a whole server."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.server import Repository, Server, User, run
from tests.e2e.tiny import environment, tiny
from tests.waiting import wait_for

APP = "parts"
PROCFILE = "web: exec python serve.py\nworker: exec sleep 1017\n"
SCRIPT = (
    """sed -i -e '/^GREETING=/d' -e 's/^COLOUR=.*/COLOUR=green/' "$1"; echo 'NEW="a b"' >> "$1" """
)


@pytest.fixture(scope="module")
def parts(alice: User, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An app with web.1, web.2 and worker.1."""
    source = Repository.of(tmp_path_factory.mktemp("parts") / "r", tiny(Procfile=PROCFILE))
    alice.push(source, APP)
    alice.ssh("ps:scale", "-a", APP, "web=2", "worker=1")
    return APP


def instances(user: User) -> dict[str, dict[str, object]]:
    rows = json.loads(user.ssh("ps", "-a", APP, "--json").stdout)
    return {row["instance"]: row for row in rows}


def ports(user: User) -> dict[str, object]:
    return {label: row["port"] for label, row in instances(user).items()}


@contextmanager
def requests(server: Server) -> Iterator[list[int]]:
    """Ask all the time; the statuses, which are complete at the end."""
    statuses: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            statuses.append(server.get(APP).status)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        thread.join()


def test_config_goes_in_and_out_as_a_file(alice: User, server: Server, parts: str) -> None:
    """An import is one release; an export is read back; --no-restart leaves the instances."""
    text = "# mine\nexport GREETING='it is'  # so\nCOLOUR=\"blue\nand red\"\n"
    before = ports(alice)
    done = alice.ssh("config:import", "-a", APP, "--no-restart", stdin=text)
    assert "Setting GREETING, COLOUR" in done.stderr
    assert "ps:restart" in done.stderr
    assert ports(alice) == before
    assert "GREETING" not in environment(server, APP)
    exported = alice.ssh("config:export", "-a", APP).stdout
    assert "Nothing to change" in alice.ssh("config:import", "-a", APP, stdin=exported).stderr
    alice.ssh("ps:restart", "-a", APP)
    assert environment(server, APP)["COLOUR"] == "blue\nand red"
    shell = alice.ssh("config:export", "-a", APP, "--format", "shell").stdout
    assert run(["bash", "-c", f'{shell}printf %s "$COLOUR"']).stdout == "blue\nand red"
    refused = alice.ssh("config:import", "-a", APP, stdin="A=1\nwhat\n", check=False)
    assert refused.returncode == 2
    assert "Line 2" in refused.stderr
    assert "A" not in json.loads(alice.ssh("config", "-a", APP, "--json").stdout)


def test_config_is_edited_on_the_server_and_on_a_laptop(
    alice: User, server: Server, parts: str, tmp_path: Path
) -> None:
    """$EDITOR gets the file; what changed is one release, what was deleted is unset."""
    alice.ssh("config:import", "-a", APP, "--no-restart", stdin="GREETING=hello\nCOLOUR=blue\n")
    editor = tmp_path / "editor"
    editor.write_text(f"#!/bin/sh\n{SCRIPT}\n")
    editor.chmod(0o755)
    env = {**alice.git_env(), "EDITOR": str(editor), "PATH": "/usr/bin:/bin"}
    client = [str(server.root / "bin/paas"), "config:edit", "-a", APP, "--no-restart"]
    done = run(client, env=env)
    assert "Setting COLOUR, NEW, unsetting GREETING" in done.stderr
    assert json.loads(alice.ssh("config", "-a", APP, "--json").stdout) == {
        "COLOUR": "green",
        "NEW": "a b",
    }
    laptop = [str(Path(sys.executable).with_name("paas")), "config:edit", "-a", APP]
    address = f"paas@127.0.0.1:{server.ssh_port}"
    alice.ssh("config:set", "-a", APP, "--no-restart", "GREETING=again", "COLOUR=red")
    done = run([*laptop, "--server", address, "--no-restart"], env=env)
    assert "Setting COLOUR, unsetting GREETING" in done.stderr
    assert "on your computer" in alice.ssh("config:edit", "-a", APP, check=False).stderr


def test_one_instance_is_restarted_without_losing_a_request(
    alice: User, server: Server, parts: str
) -> None:
    """web.1 gets another port; web.2 and the worker run on; every request is answered."""
    before = instances(alice)
    with requests(server) as statuses:
        alice.ssh("ps:restart", "-a", APP, "web.1")
        alice.ssh("ps:wait", "-a", APP)
    after = instances(alice)
    assert after["web.1"]["port"] != before["web.1"]["port"]
    for label in ("web.2", "worker.1"):
        assert after[label]["since"] == before[label]["since"]
    assert set(statuses) == {200}
    assert statuses


def test_a_type_is_stopped_and_started(alice: User, server: Server, parts: str) -> None:
    """Without losing a request of the rest; what is stopped stays so over a restart."""
    with requests(server) as statuses:
        alice.ssh("ps:stop", "-a", APP, "worker", "web.2")
        alice.ssh("ps:restart", "-a", APP)
        states = {label: row["state"] for label, row in instances(alice).items()}
        assert states == {"web.1": "up", "web.2": "stopped", "worker.1": "stopped"}
        wait_for(
            lambda: not any("sleep 1017" in line for line in server.processes().values()),
            what="the end of the worker",
        )
        alice.ssh("ps:start", "-a", APP)
    assert set(statuses) == {200}
    assert {row["state"] for row in instances(alice).values()} == {"up"}
    alice.ssh("ps:stop", "-a", APP)
    assert server.get(APP).status == 503
    alice.ssh("ps:start", "-a", APP)
    assert server.get(APP).status == 200


def test_ps_tells_what_instances_take(alice: User, parts: str) -> None:
    """Memory, CPU and uptime, for people and as JSON."""
    web = instances(alice)["web.1"]
    assert isinstance(web["memory_bytes"], int)
    assert 1_000_000 < web["memory_bytes"] < 500_000_000
    assert isinstance(web["uptime_s"], float)
    assert web["processes"] == 1
    assert "MiB" in alice.ssh("ps", "-a", APP).stdout


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import sys, time; time.sleep(1); sys.exit(3)", "Process exited with status 3"),
        (
            "import os, signal, time; time.sleep(1); os.kill(os.getpid(), signal.SIGKILL)",
            "Process killed by SIGKILL",
        ),
    ],
)
def test_the_log_says_why_an_instance_ended(
    alice: User, repository: Callable[[dict[str, str | bytes]], Repository], code: str, says: str
) -> None:
    """Its exit status or the signal, as a line of the platform's."""
    app = f"ends{says[-1].lower()}"
    procfile = f"{PROCFILE}job: exec python job.py\n"
    alice.push(repository(tiny(Procfile=procfile, **{"job.py": code})), app)
    alice.ssh("ps:scale", "-a", app, "job=1", check=False)
    wait_for(
        lambda: f"paas[job.1]: {says}" in alice.ssh("logs", "-n", "50", "-a", app).stdout,
        what="the line in the log",
    )
    alice.ssh("apps:destroy", app, "--confirm", app)
