"""Cron jobs on a real server: by hand, by their schedule, over crashes."""

import json
import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
import pytest

from tests.e2e.server import Repository, Server, User
from tests.processes import first_of, with_words
from tests.waiting import wait_for

PROCFILE = """\
cron-each: * * * * * echo "each $DYNO ${PORT-none}"; id -u
cron-slow: 0 0 1 1 * echo begin; sleep 3457
"""
APP_JSON = {"cron": [{"name": "mail", "command": "echo $GREETING; exit 3", "schedule": "@yearly"}]}


@pytest.fixture(scope="module")
def app(
    server: Server, alice: User, tmp_path_factory: pytest.TempPathFactory
) -> tuple[User, Repository]:
    """An app that has nothing but jobs; and its repository."""
    files = {"Procfile": PROCFILE, "app.json": json.dumps(APP_JSON)}
    source = Repository.of(tmp_path_factory.mktemp("jobs") / "source", files)
    alice.ssh("apps:create", "jobs")
    alice.ssh("config:set", "-a", "jobs", "GREETING=hello")
    pushed = alice.push(source, "jobs").stdout
    assert "Cron job: each, at * * * * * (UTC)" in pushed
    return alice, source


def jobs(server: Server) -> dict[str, dict[str, Any]]:
    """What ``paas cron`` tells, by name."""
    rows = json.loads(server.paas("cron", "jobs", "--json").stdout)
    return {row["name"]: row for row in rows}


def log(server: Server) -> list[str]:
    """The app's log, without the times."""
    text = server.paas("logs", "jobs", "-n", "1000").stdout
    return [line.partition(" ")[2] for line in text.splitlines()]


def missed(server: Server) -> list[str]:
    """What the log says of runs of the job of each minute that were not made."""
    return [line for line in log(server) if line.startswith("paas[cron.each]: Missed ")]


def _begins(line: str) -> datetime:
    """The time of the first run that was missed."""
    found = re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", line)
    assert found is not None
    return datetime.fromisoformat(f"{found[0]}+00:00")


def starts(server: Server) -> list[str]:
    """What the log says of runs of that job that were made."""
    return [line for line in log(server) if line.startswith("paas[cron.each]: Starting process")]


def test_by_hand(server: Server, app: tuple[User, Repository]) -> None:
    """With the caller's streams and the job's exit status, or with its output in the log."""
    alice, _ = app
    done = alice.ssh("cron:run", "-a", "jobs", "mail", check=False)
    assert (done.returncode, done.stdout) == (3, "hello\n")
    assert alice.ssh("cron:run", "-a", "jobs", "mail", "--detach").stdout == "cron.mail\n"
    wait_for(lambda: "app[cron.mail]: hello" in log(server), what="output")
    wait_for(lambda: jobs(server)["mail"]["last_run"]["ended"], what="the end")
    last = jobs(server)["mail"]["last_run"]
    assert (last["status"], last["user"]) == (3, "alice")
    assert jobs(server)["mail"]["next_run"].endswith("-01-01T00:00:00+00:00")
    assert alice.ssh("cron:run", "-a", "jobs", "nothing", check=False).returncode == 1


def test_one_at_a_time(server: Server, app: tuple[User, Repository]) -> None:
    """Of several at once one runs; a deploy does not end it; ``run:stop`` does."""
    alice, source = app
    with ThreadPoolExecutor(4) as pool:
        words = ("cron:run", "jobs", "slow", "--detach")
        ended = list(pool.map(lambda _: server.paas(*words, check=False), range(4)))
    assert sorted(done.returncode for done in ended) == [0, 1, 1, 1]
    source.commit({"more": "more"})
    alice.push(source, "jobs")
    running = [row["name"] for row in json.loads(server.paas("run:list", "jobs", "--json").stdout)]
    assert "cron.slow" in running  # and maybe the job of each minute
    assert server.paas("run:stop", "cron.slow", "-a", "jobs").returncode == 0
    wait_for(lambda: jobs(server)["slow"]["last_run"]["status"] == 143, what="its status")
    wait_for(
        lambda: not [line for line in server.processes().values() if "sleep 3457" in line],
        what="the end of the job",
    )


def test_a_wrong_schedule(server: Server, app: tuple[User, Repository]) -> None:
    """It rejects the push, and a dry run, with line and column; the jobs stay what they are."""
    alice, source = app
    source.commit({"Procfile": PROCFILE.replace("cron-slow: 0 0", "cron-slow: 0 24")})
    for options in ((), ("-o", "dry-run")):
        done = alice.push(source, "jobs", *options, check=False)
        assert "Procfile, line 2, column 12: '0 24 1 1 *' is not a cron schedule" in done.stdout
    assert jobs(server)["slow"]["schedule"] == "0 0 1 1 *"


def test_by_schedule(server: Server, app: tuple[User, Repository]) -> None:
    """The server was away for ten minutes: what was missed is reported, what is due runs, once.

    Then the process that looks at the clock is killed again and again.
    """
    before = datetime.now(UTC)
    long_ago = (before - timedelta(minutes=10)).isoformat()
    hour_ago = (before - timedelta(hours=1)).isoformat()
    earlier = len(starts(server)), len(missed(server))
    for count in range(3):
        with killed_watch(server):
            (server.state / "cron").write_text(long_ago)
            if count == 0:
                with closing(sqlite3.connect(server.state / "state.db")) as database, database:
                    database.execute("UPDATE slugs SET created_at = ?", (hour_ago,))
                    database.execute("UPDATE cron SET due = NULL")
        wait_for(lambda: missed(server)[earlier[1] :], what="a look at the clock")
    wait_for(lambda: len(starts(server)) > earlier[0], what="a run that is due")
    wait_for(lambda: (jobs(server)["each"]["last_run"] or {}).get("status") == 0, what="its end")
    assert jobs(server)["each"]["last_run"]["user"] == "cron"
    wait_for(lambda: "app[cron.each]: each cron.each none" in log(server), what="its output")
    # Once, what was missed before this test; whoever looks late may miss a minute since.
    told = [line for line in missed(server)[earlier[1] :] if _begins(line) < before]
    assert len(told) == 1, told
    begun = len(starts(server)) - earlier[0]
    minutes = (datetime.now(UTC) - before) // timedelta(minutes=1) + 2
    assert 1 <= begun <= minutes, log(server)
    with closing(sqlite3.connect(server.state / "state.db")) as database:
        (uid,) = database.execute("SELECT uid FROM apps WHERE name = 'jobs'").fetchone()
    wait_for(lambda: f"app[cron.each]: {uid}" in log(server), what="its uid")


def test_suspended(server: Server, app: tuple[User, Repository]) -> None:
    """All or one; the app may be named by its place or its option."""
    alice, _ = app
    alice.ssh("cron:suspend", "jobs")
    assert all(job["suspended"] and job["next_run"] is None for job in jobs(server).values())
    alice.ssh("cron:resume", "-a", "jobs", "mail")
    assert [name for name, job in jobs(server).items() if not job["suspended"]] == ["mail"]


def test_only_the_server_asks_for_what_is_due(app: tuple[User, Repository]) -> None:
    """A user who knows the scheduler's own word is refused."""
    alice, _ = app
    done = alice.ssh("cron:due", "1", "mail", "2026-01-01T00:00:00+00:00", check=False)
    assert "Only the server itself" in done.stderr


@contextmanager
def killed_watch(server: Server) -> Iterator[None]:
    """End the process that looks at the clock, still meanwhile, and wait for the next."""

    def running() -> set[psutil.Process]:
        return with_words("paas.entrypoints.daemons.monitor", str(server.root))

    wait_for(running, what="the monitor process")
    former = first_of(running()).pid
    os.kill(former, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(former, signal.SIGKILL)
    wait_for(
        lambda: (present := {one.pid for one in running()}) and former not in present,
        what="a new monitor process",
    )
