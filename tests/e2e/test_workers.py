"""The commands of docs/how-to/workers.md, on the real packages and a real Redis: no job is lost."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.server import Repository, Server, User, run
from tests.ports import free_port
from tests.waiting import wait_for

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "workers.md"
KINDS = ("celery", "rq", "dramatiq", "huey")
JOB_S = 5
WORK = f"""
import os, time
import redis

store = redis.Redis.from_url(os.environ["REDIS_URL"])

def work(kind):
    store.incr(kind + ":begun")
    time.sleep({JOB_S})
    store.incr(kind + ":done")
"""
JOBS = {
    "celery": """
import os
from celery import Celery
from work import work

app = Celery("jobs", broker=os.environ["REDIS_URL"])
job = app.task(work, name="work")
""",
    "dramatiq": """
import os
import dramatiq
from dramatiq.brokers.redis import RedisBroker
from work import work

dramatiq.set_broker(RedisBroker(url=os.environ["REDIS_URL"]))
job = dramatiq.actor(work)
""",
    "huey": """
import os
from huey import RedisHuey
from work import work

huey = RedisHuey("jobs", url=os.environ["REDIS_URL"])
job = huey.task()(work)
""",
}
ENQUEUE = """
import os
import redis, rq
import celery_jobs, dramatiq_jobs, huey_jobs, work

for _ in range(2):
    celery_jobs.job.delay("celery")
    dramatiq_jobs.job.send("dramatiq")
    huey_jobs.job("huey")
    rq.Queue(connection=work.store).enqueue(work.work, "rq")
"""


def commands() -> dict[str, str]:
    """The page's own commands, each for a module of its own."""
    pattern = r"^worker: ((celery|rq|dramatiq|huey)(?:_consumer)?\b.*)$"
    found = re.findall(pattern, PAGE.read_text(), re.MULTILINE)
    own = {kind: re.sub(r"\bjobs\b", f"{kind}_jobs", command) for command, kind in found}
    assert set(own) == set(KINDS)
    return own


@pytest.fixture
def broker() -> Iterator[int]:
    """The port of a Redis of its own."""
    port = free_port()
    argv = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, cwd="/")
    try:
        wait_for(lambda: ask(port, "PING") == "PONG", what="Redis")
        yield port
    finally:
        process.kill()
        process.wait()


def ask(port: int, *words: str) -> str:
    """What Redis answers."""
    return run(["redis-cli", "-p", str(port), *words], check=False).stdout.strip()


def test_jobs_come_to_their_end_at_a_restart(
    server: Server, alice: User, broker: int, tmp_path: Path
) -> None:
    """What was begun is done once, by the worker that began it; none is killed."""
    procfile = "".join(f"{kind}: {command}\n" for kind, command in commands().items())
    files: dict[str, str | bytes] = {
        "requirements.txt": "celery[redis]\nrq\ndramatiq[redis]\nhuey\n",
        "Procfile": procfile,
        "work.py": WORK,
        "enqueue.py": ENQUEUE,
        **{f"{kind}_jobs.py": code for kind, code in JOBS.items()},
    }
    alice.ssh("apps:create", "jobsdone")
    address = f"REDIS_URL=redis://127.0.0.1:{broker}/0"
    alice.ssh("config:set", "-a", "jobsdone", address)
    alice.push(Repository.of(tmp_path / "source", files), "jobsdone")
    alice.ssh("ps:scale", "-a", "jobsdone", *(f"{kind}=1" for kind in KINDS))
    alice.ssh("run", "-a", "jobsdone", "python", "enqueue.py")

    def count(what: str) -> list[int]:
        return [int(ask(broker, "GET", f"{kind}:{what}") or 0) for kind in KINDS]

    wait_for(lambda: min(count("begun")) > 0, what="a job of each kind")
    alice.ssh("ps:restart", "-a", "jobsdone")
    alice.ssh("ps:wait", "-a", "jobsdone")
    wait_for(lambda: count("done") == [2] * 4, what="the end of all jobs")
    assert count("begun") == [2] * 4
    log = server.paas("logs", "jobsdone", "-n", "1000").stdout
    assert "Error R12" not in log, log
    for word in ("WorkerLostError", "Work-horse terminated", "SIGKILL", "Traceback"):
        assert word not in log, log
    server.paas("apps:destroy", "jobsdone", "--confirm", "jobsdone")
