"""``paas run`` without a terminal, in the background, and what a one-off process may do."""

import json
import os
import subprocess

import pytest

from tests.e2e.probe import App, push
from tests.e2e.server import Finished, Repository, Server, User, run
from tests.e2e.test_isolation import host_pids, uid_of
from tests.e2e.tiny import app_id
from tests.waiting import wait_for

PROCFILE = "web: exec python -u probe.py\nconsole: exec python -q\n"


@pytest.fixture(scope="module")
def app(alice: User) -> App:
    """An app with a config var."""
    app = push(alice, "oneoffs", {"Procfile": PROCFILE})
    app.paas("config:set", "GREETING=hello world")
    return app


@pytest.fixture(params=["operator", "ssh"])
def argv(request: pytest.FixtureRequest, server: Server, alice: User) -> list[str]:
    """The words before those of a command."""
    if request.param == "operator":
        return [str(server.root / "bin/paas")]
    return [*alice.ssh_argv(), "paas@127.0.0.1"]


def test_streams_are_clean(app: App, argv: list[str]) -> None:
    """A megabyte of any bytes goes in and comes out unchanged, stderr beside it."""
    data = os.urandom(1_048_576)
    command = "cat; echo aside >&2"
    words = [*argv, "run", "-a", "oneoffs", command if argv[0] != "ssh" else f"'{command}'"]
    done = subprocess.run(words, input=data, capture_output=True, timeout=150, check=True)
    assert done.stdout == data
    assert done.stderr == b"aside\n"


def test_exit_status(server: Server, app: App) -> None:
    """The command's own, 128 and the number of a signal, 127 for what is not there."""
    for command, status in (("exit 3", 3), ("kill -TERM $$", 143), ("no-such-thing", 127)):
        assert server.paas("run", "oneoffs", command, check=False).returncode == status
    assert server.paas("run", "-x", "-a", "oneoffs", "exit 4", check=False).returncode == 4
    assert server.paas("run", "-a", "oneoffs", check=False).returncode == 2
    assert server.paas("run", "-a", "missing", "true", check=False).returncode == 20


def test_it_is_an_instance_like_the_others(server: Server, app: App) -> None:
    """Its uid, files, environment and limits are those of web.1, but for the port and the gid."""
    look = "id -u; pwd; ls -A /app; ulimit -a; grep -E 'Cap|NoNew' /proc/self/status; ls /home"
    assert server.paas("run", "-a", "oneoffs", look).stdout == app.shell(look)
    theirs = _environment(app.shell("env -0"))
    ours = _environment(server.paas("run", "-a", "oneoffs", "env -0").stdout)
    assert ours.pop("DYNO") == "run.1"
    assert theirs.pop("DYNO") == "web.1"
    own = {"PORT", "GUNICORN_CMD_ARGS", "SHLVL", "_"}  # the port, and what shells count
    assert {key: ours.get(key) for key in theirs.keys() - own} == {
        key: theirs[key] for key in theirs.keys() - own
    }
    assert "PORT" not in ours
    assert ours["GREETING"] == "hello world"
    extra = server.paas("run", "-e", "GREETING=other", "-a", "oneoffs", "echo $GREETING $PORT.")
    assert extra.stdout == "other .\n"


def _environment(text: str) -> dict[str, str]:
    pairs = (entry.partition("=") for entry in text.split("\0") if entry)
    return {name: value for name, _, value in pairs}


def test_what_it_writes_is_gone(server: Server, app: App) -> None:
    """Each has a fresh /app; the slug and the running instances see nothing of it."""
    server.paas("run", "-a", "oneoffs", "touch /app/note /tmp/note; rm Procfile")
    assert server.paas("run", "-a", "oneoffs", "ls /app /tmp").stdout.count("note") == 0
    assert "Procfile" in app.shell("ls")
    assert "note" not in app.shell("ls /app /tmp")


def test_words_and_process_types(server: Server, app: App) -> None:
    """Several words are passed on as they are, one is a shell's line, a process type a command."""
    said = server.paas("run", "-a", "oneoffs", "--", "printf", "<%s>", "a b", "$HOME", "-a", "x")
    assert said.stdout == "<a b><$HOME><-a><x>"
    assert server.paas("run", "-a", "oneoffs", "echo $HOME | tr a-z A-Z").stdout == "/APP\n"
    assert server.paas("run", "echo", "hi", "-a", "oneoffs").stdout == "hi\n"
    assert server.paas("run", "oneoffs", "console", stdin="print(6 * 7)\n").stdout == "42\n"


def test_dev_stdout_can_be_opened(server: Server, app: App) -> None:
    """What opens its standard streams by name gets them."""
    done = server.paas("run", "-a", "oneoffs", "cat /dev/stdin > /dev/stdout", stdin="text")
    assert done.stdout == "text"


def test_reader_leaves(server: Server, app: App) -> None:
    """When nobody reads the output the process ends."""
    words = f"{server.root / 'bin/paas'} run -a oneoffs yes | head -1"
    assert run(["bash", "-c", words]).stdout == "y\n"
    wait_for(lambda: app.paas("run:list") == "", what="its end")


def test_caller_is_killed(server: Server, alice: User, app: App) -> None:
    """When ssh or the client is killed the process ends, also one that ignores its hang-up."""
    before = set(host_pids(uid_of(app)))
    for argv in ([str(server.root / "bin/paas")], [*alice.ssh_argv(), "paas@127.0.0.1"]):
        script = "trap '' HUP; echo started; sleep 800 & wait"
        words = script if "ssh" not in argv[0] else f'"{script}"'
        client = subprocess.Popen(
            [*argv, "run", "-a", "oneoffs", words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert client.stdout is not None
        assert client.stdout.readline() == b"started\n"
        client.kill()
        client.communicate()
        wait_for(lambda: set(host_pids(uid_of(app))) <= before, what="the end of all")
    wait_for(lambda: app.paas("run:list") == "", what="its end")


def test_detached(server: Server, alice: User, app: App) -> None:
    """It answers at once with the name; the output is in the log, and it can be stopped."""
    started = alice.ssh("run:detached", "-a", "oneoffs", "echo to the log; sleep 900")
    assert started.stdout == "run.1\n"
    app.await_log(r"app\[run\.1\]: to the log")
    second = json.loads(app.server.paas("run:detached", "-a", "oneoffs", "--json", "true").stdout)
    assert second["name"] == "run.2"
    app.await_log(r"paas\[run\.2\]: Process exited with status 0")
    wait_for(lambda: len(json.loads(app.paas("run:list", "--json"))) == 1, what="its record")
    (row,) = json.loads(app.paas("run:list", "--json"))
    assert (row["name"], row["user"], row["attached"]) == ("run.1", "alice", False)
    assert row["command"] == "echo to the log; sleep 900"
    alice.ssh("run:stop", "-a", "oneoffs", "run.1")
    wait_for(lambda: app.paas("run:list") == "", what="the end of its record")
    app.await_log(r"paas\[run\.1\]: Process exited with status 143")
    done = alice.ssh("run:stop", "-a", "oneoffs", "run.1", check=False)
    assert (done.returncode, "is not running" in done.stderr) == (1, True)


def test_last_words_of_a_short_process(server: Server, app: App) -> None:
    """What a process prints just before its end is in the log, all of it."""
    server.paas("run:detached", "-a", "oneoffs", "seq -f 'word-%.0f' 5000")
    app.await_log(r"app\[run\.1\]: word-5000", count=6_000)
    assert sum("]: word-" in line for line in app.log(6_000)) == 5_000


def test_another_s_app(bob: User, app: App) -> None:
    """Another user gets the message that there is no such app, whatever they try."""
    for words in (
        ["run", "-a", "oneoffs", "id"],
        ["run:detached", "-a", "oneoffs", "id"],
        ["run:list", "oneoffs"],
        ["run:stop", "oneoffs", "run.1"],
    ):
        done: Finished = bob.ssh(*words, check=False)
        assert (done.returncode, done.stdout) == (20, "")


def test_a_deploy_and_the_end_of_the_app(server: Server, alice: User) -> None:
    """A process keeps its files through later deploys; with the app it ends."""
    short = push(alice, "short", {})
    uid = uid_of(short)
    number = app_id(server, "short")
    (slug,) = (server.state / "slugs").glob(f"{number}-*")
    short.paas("run:detached", "cd /app; while sleep 0.1; do cat Procfile; done")
    work = Repository(server.scratch / "short.work")
    for text in "abcdef":
        work.commit({"text": text})
        alice.push(work, "short")
    assert slug.is_dir()
    server.paas("apps:destroy", "short", "--confirm", "short")
    wait_for(lambda: host_pids(uid) == [], what="the end of its processes")
    wait_for(lambda: not (server.run / "runs" / str(number)).exists(), what="and of its records")


def test_too_many(strict: Server) -> None:
    """An app may have as many one-off processes as the setting says."""
    app = push(strict.user("alice"), "many", {})
    for number in (1, 2):
        assert app.paas("run:detached", "sleep 900") == f"run.{number}\n"
    done = strict.paas("run", "-a", "many", "true", check=False)
    assert (done.returncode, "max_runs" in done.stderr) == (1, True)
    app.paas("run:stop", "run.1", "run.2")
    wait_for(lambda: app.paas("run:list") == "", what="the end of both")
