"""Redis on a whole server: from a push to an app that counts, with workers of Celery and RQ."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.e2e.probe import App
from tests.e2e.server import Repository, Server, User
from tests.waiting import wait_for

APP = "backlog"
PROGRAM = """
import os

import redis
import rq
from celery import Celery
from flask import Flask

URL = os.environ["REDIS_URL"]
app = Flask(__name__)
store = redis.Redis.from_url(URL)
celery = Celery("app", broker=URL, backend=URL)
queue = rq.Queue(connection=store)


@celery.task
def double(number):
    return 2 * number


def triple(number):
    return 3 * number


@app.get("/")
def home():
    return "home"


@app.get("/visits")
def count():
    with store.pipeline(transaction=True) as pipe:
        pipe.incr("visits").set("seen", 1)
        return str(pipe.execute()[0])


@app.get("/double/<int:number>")
def doubled(number):
    return str(double.delay(number).get(timeout=60))


@app.get("/triple/<int:number>")
def tripled(number):
    job = queue.enqueue("app.triple", number)
    return str(job.latest_result(timeout=60).return_value)


@app.get("/locked")
def locked():
    with store.lock("lock", timeout=5):  # a script
        return "locked"
"""
FILES: dict[str, str | bytes] = {
    "requirements.txt": "flask\nrq\ncelery[redis]\ngunicorn\n",
    "Procfile": (
        "web: gunicorn --workers 1 --threads 4 --timeout 90 app:app\n"
        "celery: celery --app app.celery worker --concurrency 1 --pool solo\n"
        "rq: rq worker --url $REDIS_URL\n"
    ),
    "app.py": PROGRAM,
}
_CONNECT = "import socket; socket.create_connection(('127.0.0.1', {port}), 60); print('connected')"


def listener(port: int) -> psutil.Process:
    """The process that listens there."""
    (pid,) = {
        one.pid
        for one in psutil.net_connections("tcp4")
        if one.status == psutil.CONN_LISTEN and one.laddr[1:] == (port,) and one.pid
    }
    return psutil.Process(pid)


def streamed(user: User, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """A command whose streams are no text."""
    argv = [*user.ssh_argv(), "paas@127.0.0.1", *words]
    return subprocess.run(argv, input=stdin, capture_output=True, check=False, timeout=150)


def test_from_a_push_to_jobs(
    alice: User,
    server: Server,
    neighbour: App,
    repository: Callable[[dict[str, str | bytes]], Repository],
) -> None:
    """Workers of both kinds do theirs; nobody else reaches it; a crash loses nothing."""
    alice.ssh("apps:create", APP)
    name = server.paas("addons:create", "heroku-redis:mini", "-a", APP).stdout.split()[-1]
    pushed = alice.push(repository(FILES), APP)
    assert "Live:" in pushed.stdout
    alice.ssh("ps:scale", "celery=1", "rq=1", "-a", APP)
    assert [server.get(APP, "/visits").text for _ in range(2)] == ["1", "2"]
    assert server.get(APP, "/double/21").text == "42"
    assert server.get(APP, "/triple/14").text == "42"
    assert server.get(APP, "/locked").text == "locked"

    url = alice.ssh("redis:credentials", "-a", APP).stdout.strip()
    assert alice.ssh("config:get", "REDIS_URL", "-a", APP).stdout.strip() == url
    port = int(re.findall(r":(\d+)/0$", url)[0])
    assert "Connection refused" in neighbour.python(_CONNECT.format(port=port))
    assert alice.ssh("redis:cli", "-a", APP, "-c", "GET visits").stdout.strip() == "2"
    forbidden = alice.ssh("redis:cli", "-a", APP, "-c", "CONFIG GET dir", check=False)
    assert forbidden.returncode == 1, forbidden
    assert "NOPERM" in forbidden.stdout + forbidden.stderr

    before = listener(port)
    before.kill()
    wait_for(lambda: not before.is_running())
    wait_for(lambda: server.get(APP, "/visits").status == 200)
    assert int(server.get(APP, "/visits").text) >= 4
    assert server.get(APP, "/double/4").text == "8"
    assert server.get(APP, "/triple/3").text == "9"

    alice.ssh("redis:maxmemory", "-a", APP, "--policy", "allkeys-lru")
    info = json.loads(alice.ssh("redis:info", "-a", APP, "--json").stdout)
    assert (info["name"], info["attachments"], info["policy"]) == (name, ["REDIS"], "allkeys-lru")
    assert alice.ssh("redis:maxmemory", "-a", APP).stdout.strip() == "allkeys-lru"
    doctor = server.paas("doctor", check=False)
    told = doctor.stdout + doctor.stderr
    overcommitted = Path("/proc/sys/vm/overcommit_memory").read_text().strip() == "1"
    assert ("sysctl vm.overcommit_memory=1" in told) is not overcommitted

    alice.ssh("ps:stop", "-a", APP)
    alice.ssh("addons:upgrade", name, "redis:standard", "-a", APP)
    memory = alice.ssh("redis:cli", "-a", APP, "-c", "INFO memory").stdout
    assert f"maxmemory:{256 * 1024**2}" in memory
    visits = alice.ssh("redis:cli", "-a", APP, "-c", "GET visits").stdout
    dump = streamed(alice, "redis:export", "-a", APP).stdout
    assert dump.startswith(b"REDIS")
    alice.ssh("redis:reset", "-a", APP, "--confirm", name)
    assert alice.ssh("redis:cli", "-a", APP, "-c", "DBSIZE").stdout.strip() == "0"
    half = streamed(alice, "redis:import", "-a", APP, stdin=dump[:-20])
    assert (half.returncode, b"The dump is incomplete" in half.stderr) == (1, True)
    assert streamed(alice, "redis:import", "-a", APP, stdin=dump).returncode == 0
    assert alice.ssh("redis:cli", "-a", APP, "-c", "GET visits").stdout == visits
    alice.ssh("addons:detach", "REDIS", "-a", APP)
    alice.ssh("addons:destroy", name, "-a", APP, "--confirm", name)
    alice.ssh("apps:destroy", APP, "--confirm", APP)
