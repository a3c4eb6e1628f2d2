"""The audit trail of a whole server: who did what, from where, and what a crash leaves of it."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.logs.drain_server import SyslogReceiver
from tests.e2e.probe import push
from tests.e2e.server import Repository, Server, User, installed, run
from tests.e2e.test_full_disk import fill
from tests.e2e.tiny import leftovers, tiny
from tests.processes import holder_of
from tests.waiting import wait_for

MakeRepository = Callable[..., Repository]


@pytest.fixture(scope="module")
def receiver() -> Iterator[SyslogReceiver]:
    """What gets the trail of that server."""
    with contextlib.closing(SyslogReceiver()) as made:
        yield made


@pytest.fixture(scope="module")
def audited(receiver: SyslogReceiver) -> Iterator[Server]:
    """A server of these tests' own."""
    drain = {"audit_drain": f"syslog://127.0.0.1:{receiver.port}", "drain_to_server": True}
    settings = {"min_free_mib": 64, "watch_window_s": 0, **drain}
    with installed(Server.in_new_directory(settings)) as made:
        yield made


def events(server: Server, *words: str) -> list[dict[str, Any]]:
    """What root sees."""
    told = server.paas("audit", "--json", *words).stdout
    return [json.loads(line) for line in told.splitlines()]


def trail(server: Server) -> Path:
    """The file of this month."""
    return max((server.state / "audit").glob("*.jsonl"))


def fingerprint(user: User) -> str:
    """Of the user's key."""
    return run(["ssh-keygen", "-lf", str(user.key)]).stdout.split()[1]


def holder(server: Server) -> int | None:
    """The process that makes a change now, as the file of marks tells."""
    return holder_of(server.run / "locks/audit")


def test_who_did_what_from_where(audited: Server, repository: MakeRepository) -> None:
    """A push that makes an app, a command, an attempt of somebody else, and root's own."""
    alice, bob = audited.user("alice"), audited.user("bob")
    code = repository(tiny())
    alice.push(code, "shop")
    alice.ssh("config:set", "TOKEN=s3cretCanary", "-a", "shop")
    bob.ssh("ps:stop", "-a", "shop", check=False)
    audited.paas("apps:lock", "shop")
    found = events(audited, "-a", "shop")
    told = [(one["user"], one["command"], one["state"]) for one in found]
    assert told == [
        ("alice", "git-receive-pack", "done"),
        ("alice", "git push", "done"),
        ("alice", "config:set", "done"),
        ("bob", "ps:stop", "refused"),
        ("root", "apps:lock", "done"),
    ]
    assert [one["address"] for one in found] == ["127.0.0.1"] * 4 + [None]
    assert [one["via"] for one in found[:4]] == [fingerprint(alice)] * 3 + [fingerprint(bob)]
    commit = code.git("rev-parse", "HEAD").stdout.strip()
    assert found[1]["words"] == [f"refs/heads/main {commit}"]
    assert found[2]["words"] == ["TOKEN"]
    assert found[1]["ms"] > 0
    assert len({one["app_id"] for one in found}) == 1
    audited.paas("apps:unlock", "shop")
    assert b"s3cretCanary" not in trail(audited).read_bytes()
    # Alice sees what others did to her app, bob only that he tried.
    assert "bob" in alice.ssh("audit", "-a", "shop").stdout
    assert "TOKEN" not in bob.ssh("audit").stdout
    assert bob.ssh("audit", "-a", "shop", check=False).returncode == 20


def test_the_trail_is_drained(audited: Server, receiver: SyslogReceiver) -> None:
    """Each line as it is in the file, from the first one on."""
    audited.paas("apps:create", "drained")
    present = trail(audited).read_text().splitlines()
    wait_for(lambda: receiver.texts()[: len(present)] == present, what="the lines")
    assert '"app":"drained"' in present[-1]


def test_nobody_but_root_reads_the_files(audited: Server) -> None:
    """Neither the account that speaks for users, nor an app."""
    audited.user("alice")
    for uid in ("nobody", "www-data"):
        became = ["setpriv", "--reuid", uid, "--clear-groups", "cat", str(trail(audited))]
        assert run(became, check=False).returncode == 1
    assert oct(trail(audited).stat().st_mode) == "0o100640"


def test_a_command_is_killed(audited: Server, repository: MakeRepository) -> None:
    """Until then it runs; after it, it is unfinished. Who follows is told of both ends."""
    alice = audited.user("alice")
    alice.push(repository(tiny()), "killed")
    following = subprocess.Popen(
        [*alice.ssh_argv(), "paas@127.0.0.1", "audit -t -n 1 -a killed --json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert following.stdout is not None
    assert json.loads(following.stdout.readline())["command"] == "git push"  # it follows now
    running = subprocess.Popen(
        [*alice.ssh_argv(), "paas@127.0.0.1", "run -a killed sleep 1000"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(
            lambda: events(audited, "-a", "killed")[-1]["state"] == "running", what="the command"
        )
        last = events(audited, "-a", "killed")[-1]
        assert (last["command"], last["words"]) == ("run", ["sleep", "and 1 more"])
        assert last["state"] == "running"
        pid = holder(audited)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        running.wait(150)
        assert events(audited, "-a", "killed")[-1]["state"] == "unfinished"
        assert json.loads(following.stdout.readline())["state"] == "unfinished"
        alice.ssh("config:set", "A=1", "-a", "killed")
        assert json.loads(following.stdout.readline())["command"] == "config:set"
    finally:
        for process in (running, following):
            process.kill()
            process.wait()
    assert audited.paas("audit:verify").returncode == 0


def test_a_torn_line_and_a_changed_one(audited: Server) -> None:
    """The torn one goes, as it was never acknowledged; of the changed one, everybody is told."""
    audited.paas("apps:create", "torn")
    path = trail(audited)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"address":null,"app":"torn"')
    assert events(audited)[-1]["command"] == "apps:create"
    audited.paas("apps:destroy", "torn", "--confirm", "torn")
    assert path.read_bytes().startswith(whole)
    assert "is intact" in audited.paas("audit:verify").stderr
    assert events(audited, "-a", "torn")[-1]["command"] == "apps:destroy"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:-1], lines[-1].replace(b"torn", b"sewn")]))
    try:
        told = audited.paas("audit:verify", check=False)
        assert told.returncode == 1, told
        assert f"{path.name}, line {len(lines)}: it was changed" in told.stderr
        assert "The audit trail was damaged" in audited.paas("doctor", check=False).stderr
        audited.paas("apps:create", "torn")
        assert events(audited, "-a", "torn")[-1]["command"] == "apps:create"
    finally:
        path.write_bytes(b"".join(lines))


def test_a_full_disk(new_server: Callable[..., Server]) -> None:
    """Without a reserve, changes are refused before they begin; what frees space goes on."""
    server = new_server(disk_mib=700, min_free_mib=8, reserve_mib=0)
    server.disk_of_its_own(128)
    alice = server.user("alice")
    app = push(alice, "full", {})
    before = app.boot()
    wait_for(lambda: leftovers(server, "full") == [], what="the end of the push's files")
    # The attempts fill what is left of the last block of the trail's file.
    sizes = [0]
    while sizes[-1] != (size := trail(server).stat().st_size):
        sizes.append(size)
        fill(server)  # again: something may have been removed meanwhile
        refused = alice.ssh("ps:restart", "-a", "full", check=False)
        assert "The server's disk is full" in refused.stderr
    fill(server)
    purged = alice.ssh("builds:cache:purge", "-a", "full")
    assert "This is not recorded in the audit trail. The server's disk is full." in purged.stderr
    (server.state / "filler").unlink()
    assert app.boot() == before
    alice.ssh("config:set", "A=1", "-a", "full")
    assert server.paas("audit:verify").returncode == 0
