"""An app with a Dockerfile of its own: from git push to an answer, again, and back."""

import io
import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.patience import listens
from paas.adapters.docker.runtime_images import RuntimeImages
from paas.adapters.system.clock import SystemClock
from paas.settings import Settings, load
from tests.e2e.server import Repository, Server, User, installed
from tests.fakes.output import FakeProgress
from tests.ports import free_network, free_port
from tests.registry import PASSWORD, USER, registry
from tests.root_files import fill_root, root_file_system
from tests.waiting import wait_for

BASE = "python:test"
APP = """\
import os
from flask import Flask
app = Flask(__name__)

@app.get("/")
def index():
    return f"{os.environ['GREETING']} from WORD as {os.getuid()}"
"""
# Says whether it is in a container, as whom, and of which environment.
WHERE = """\
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        where = "container" if os.uname().nodename == "web-1" else "process"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{where} {os.getuid()} {sys.prefix}".encode())
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""
DOCKERFILE = f"""\
FROM {BASE}
ENV PYTHONUNBUFFERED=1 PYTHONPATH=/srv/vendor
WORKDIR /srv
COPY vendor vendor
RUN python3 -c "import flask; print('flask is there')"
COPY . .
EXPOSE 8000
CMD python3 -m gunicorn --bind 0.0.0.0:$PORT --workers 2 app:app
"""


@pytest.fixture(scope="module")
def docker_server() -> Iterator[Server]:
    """A server with Docker, whose engine has a base image made of this machine's own files."""
    settings: dict[str, object] = {"min_free_mib": 64, "docker": True, "watch_window_s": 0}
    # Other servers of this machine may have the usual range.
    settings["docker_network_range"] = free_network()
    with installed(Server.in_new_directory(settings)) as server:
        settings_there = _settings(server)
        wait_for(lambda: listens(settings_there), what="the engine")
        with docker_client(settings_there) as client:
            made = root_file_system(modules=("_ssl", "_hashlib", "_ctypes", "_bz2", "_lzma"))
            client.api.import_image_from_data(made, repository="python", tag="test")
        yield server


@pytest.fixture(scope="module")
def alice(docker_server: Server) -> User:
    """A user of it."""
    return docker_server.user("alice")


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """Flask and Gunicorn, as an app without the internet brings them along."""
    folder = tmp_path_factory.mktemp("packages")
    uv = Path(sys.executable).with_name("uv")
    argv = [str(uv), "pip", "install", "--quiet", "--python", "/usr/bin/python3"]
    subprocess.run([*argv, "--target", str(folder), "flask", "gunicorn"], check=True)
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {f"vendor/{path.relative_to(folder)}": path.read_bytes() for path in files}


def test_a_dockerfile_from_push_to_rollback(
    docker_server: Server,
    alice: User,
    vendor: Mapping[str, bytes],
    repository: Callable[[Mapping[str, str | bytes]], Repository],
) -> None:
    """It is built, served, built again from the cache, brought back, and leaves nothing."""
    alice.ssh("apps:create", "shop")
    alice.ssh("config:set", "shop", "GREETING=hello")
    alice.ssh("builder:set", "shop", "dockerfile")
    own = {"Dockerfile": DOCKERFILE, "app.py": APP.replace("WORD", "one")}
    code = repository({**vendor, **own})
    pushed = alice.push(code, "shop").stdout
    assert "flask is there" in pushed, pushed
    answer = docker_server.get("shop")
    assert re.fullmatch(r"hello from one as [1-9]\d+", answer.text), answer
    first = _report(alice)

    code.commit({"app.py": APP.replace("WORD", "two")})
    pushed = alice.push(code, "shop").stdout
    assert "COPY vendor vendor (cached)" in pushed
    assert "from two" in docker_server.get("shop").text
    assert _report(alice) != first

    code.commit({"Dockerfile": f"{DOCKERFILE}RUN exit 3\n"})
    failed = alice.push(code, "shop", check=False)
    assert failed.returncode != 0
    assert "RUN exit 3 failed: it exited with status 3" in failed.stdout
    assert "from two" in docker_server.get("shop").text

    alice.ssh("rollback", "shop")
    assert "from one" in docker_server.get("shop").text
    assert _report(alice) == first

    alice.ssh("apps:destroy", "shop", "--confirm", "shop")
    with docker_client(_settings(docker_server)) as client:
        wait_for(lambda: _has_base_alone(client), what="the end of the images")
        assert client.api.containers(all=True) == []


def test_a_build_reaches_nothing_of_the_server_s(
    docker_server: Server,
    alice: User,
    repository: Callable[[Mapping[str, str | bytes]], Repository],
) -> None:
    """Neither ports of the machine's loopback, nor those of the gateway but public ones."""
    alice.ssh("apps:create", "nosy")
    port = docker_server.ssh_port
    tries = f"""\
import socket, struct
words = [line.split() for line in open("/proc/net/route")][1:]
gate = next(socket.inet_ntoa(struct.pack("<L", int(w[2], 16))) for w in words if w[1] == "0" * 8)
for host in ("127.0.0.1", gate, "169.254.169.254"):
    try:
        socket.create_connection((host, {port}), 3).close()
        print("REACHED", host)
    except OSError as error:
        print("refused", host, error)
"""
    files = {"Dockerfile": f"FROM {BASE}\nCOPY x.py .\nRUN python3 x.py; exit 9\n", "x.py": tries}
    pushed = alice.push(repository(files), "nosy", check=False).stdout
    assert pushed.count("       refused") == 3, pushed
    assert "REACHED" not in pushed


def test_a_buildpack_app_in_containers(
    docker_server: Server,
    alice: User,
    repository: Callable[[Mapping[str, str | bytes]], Repository],
) -> None:
    """A push moves it from processes to containers, and a rollback to either."""
    runtime = RuntimeImages(
        _settings(docker_server),
        SystemClock(),
        lambda target, _: fill_root(target, ("_ssl", "_hashlib", "_ctypes")),
    )
    made = runtime.make(FakeProgress())
    alice.ssh("apps:create", "moving")
    code = repository(
        {"requirements.txt": "", "Procfile": "web: python serve.py", "serve.py": WHERE}
    )
    alice.push(code, "moving")
    assert re.fullmatch(r"process [1-9]\d+ /app/.venv", docker_server.get("moving").text)
    alice.ssh("builder:set", "moving", "engine", "docker")
    code.commit({"more": ""})
    pushed = alice.push(code, "moving").stdout
    assert f"Building an image on {made.name}" in pushed
    assert re.fullmatch(r"container [1-9]\d+ /app/.venv", docker_server.get("moving").text)
    assert alice.ssh("run", "-a", "moving", "cat /app/more; echo $HOME").stdout == "/app\n"
    alice.ssh("rollback", "moving")
    assert docker_server.get("moving").text.startswith("process")
    alice.ssh("rollback", "moving", "v2")
    assert docker_server.get("moving").text.startswith("container")
    alice.ssh("apps:destroy", "moving", "--confirm", "moving")
    with docker_client(_settings(docker_server)) as client:
        client.api.remove_image(made.name)
        wait_for(lambda: _has_base_alone(client), what="the end of the images")


def test_an_image_of_a_registry(docker_server: Server, alice: User, tmp_path: Path) -> None:
    """With the app's login; by its digest, and once. Then the app is named as needing Docker."""
    with registry(tmp_path, ("127.0.0.1", free_port()), login=True) as host:
        name = f"{host}/team/tool"
        digest = _pushed(_settings(docker_server), name)
        alice.ssh("apps:create", "tool")
        refused = alice.ssh("git:from-image", "tool", f"{name}:1", check=False)
        assert f"paas registry:login {host}" in refused.stderr
        alice.ssh("registry:login", "tool", host, USER, stdin=f"{PASSWORD}\n")
        deployed = alice.ssh("git:from-image", "tool", f"{name}:1")
        assert f"Deploying {name}@{digest}" in deployed.stdout + deployed.stderr
        again = alice.ssh("git:from-image", "tool", f"{name}:1")
        assert f"{name}:1 is already live" in again.stdout + again.stderr
        assert len(json.loads(alice.ssh("releases", "tool", "--json").stdout)) == 1
    report = json.loads(docker_server.paas("server:docker", "--json").stdout)
    assert report["apps"] == ["tool"]
    assert report["memory_bytes"] > 10 * 1024**2
    status = docker_server.paas("server:status").stdout
    assert f"{report['version']}; images" in status
    refused = docker_server.paas("server:docker", "off", check=False)
    assert "cannot be removed: tool runs in containers" in refused.stderr
    alice.ssh("apps:destroy", "tool", "--confirm", "tool")
    advised = docker_server.paas("server:docker", "off", check=False)
    assert f"./install.sh --root {docker_server.root} --no-docker" in advised.stderr


def _has_base_alone(client: Any) -> bool:
    return [image["RepoTags"] for image in client.api.images()] == [[BASE]]


def _pushed(settings: Settings, name: str) -> str:
    """Push an image of one worker under that name, and delete it here; returns its digest."""
    content = io.BytesIO(root_file_system(("/bin/sh", "/bin/sleep"), with_python=False))
    with tarfile.open(fileobj=content, mode="a") as archive:
        procfile = b"worker: exec /bin/sleep 1000\n"
        entry = tarfile.TarInfo("Procfile")
        entry.size, entry.mode = len(procfile), 0o644
        archive.addfile(entry, io.BytesIO(procfile))
    login = {"username": USER, "password": PASSWORD}
    with docker_client(settings) as client:
        client.api.import_image_from_data(content.getvalue(), repository=name, tag="1")
        said = [*client.api.push(name, "1", auth_config=login, stream=True, decode=True)]
        client.api.remove_image(f"{name}:1")
    return next(str(one["aux"]["Digest"]) for one in said if "aux" in one)


def _settings(server: Server) -> Settings:
    return load(server.root / "etc/server.yml")


def _report(user: User) -> str:
    """The id of the live image."""
    found = re.search(r"sha256:\w+", user.ssh("docker:report", "shop").stdout)
    assert found is not None
    return found[0]
