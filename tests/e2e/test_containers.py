"""An app of a Dockerfile on a server with Docker: nothing is lost, though dockerd is killed."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.patience import listens
from paas.settings import load as load_settings
from tests.e2e.conftest import Source
from tests.e2e.server import Repository, Server
from tests.e2e.test_zero_downtime import MARK, load
from tests.own_address import own_address
from tests.ports import free_network
from tests.root_files import root_file_system
from tests.waiting import wait_for

SERVE = """\
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        text = b"zero VERSION"
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass

print("listening", flush=True)
# Whatever PORT says: what listens decides.
http.server.ThreadingHTTPServer(("0.0.0.0", 8765), Handler).serve_forever()
"""


def files(version: int) -> dict[str, str | bytes]:
    """The app; its base image is on the server."""
    return {
        "Dockerfile": 'FROM base\nCOPY serve.py /app/\nCMD ["python3", "/app/serve.py"]\n',
        "serve.py": SERVE.replace("VERSION", str(version)),
    }


def kill_engine(server: Server) -> None:
    """End dockerd the hard way."""
    os.kill(int((server.root / "run/docker/dockerd.pid").read_text()), signal.SIGKILL)


def test_nothing_is_lost_while_the_engine_is_killed(
    new_server: Callable[..., Server], repository: Callable[[Source], Repository]
) -> None:
    """Deploys, rollback and scaling under load, by both proxies; a run, the log, a boot, nodes."""
    server = new_server(docker=True, docker_network_range=free_network())
    settings = load_settings(server.root / "etc/server.yml")
    wait_for(lambda: listens(settings), what="the engine")
    with docker_client(settings) as client:
        client.api.import_image_from_data(root_file_system(), repository="base")
    alice = server.user("alice")
    app = repository(files(1))
    pushed = alice.push(app, MARK).stdout
    assert "web.1 listens on port 8765, not on 5000 ($PORT)" in pushed
    assert server.get(MARK).text == "zero 1"
    assert server.paas("run", "-a", MARK, "echo from a container; exit 3", check=False).stdout == (
        "from a container\n"
    )
    wait_for(lambda: "app[web.1]" in server.paas("logs", "-a", MARK).stdout, what="its output")
    with load(server) as outcomes:
        _commit(app, 2)
        push = alice.start_push(app, MARK)
        kill_engine(server)
        push.communicate(timeout=150)
        if push.returncode:  # the build may have been what was killed: nothing has changed
            wait_for(lambda: listens(settings), what="the engine")
            alice.push(app, MARK)
        server.paas("ps:scale", "-a", MARK, "web=2")
    assert set(outcomes.fresh) == {"ok"}
    assert server.get(MARK).text == "zero 2"
    server.paas("proxy:set", "haproxy")
    with load(server) as outcomes:
        server.paas("rollback", "-a", MARK, "v1")
        kill_engine(server)
        server.paas("ps:restart", "-a", MARK)
    assert set(outcomes.fresh) == {"ok"}
    assert server.get(MARK).text == "zero 1"
    server.paas("nodes:init", "--address", own_address())
    server.paas("server:stop")
    assert f"{server.root}/" not in Path("/proc/mounts").read_text()
    server.paas("server:start")
    server.await_answer(MARK, "zero 1")
    wait_for(lambda: server.paas("nodes:check", check=False).returncode == 0, what="the manager")
    server.paas("nodes:end")


def _commit(app: Repository, version: int) -> None:
    for name, text in files(version).items():
        assert isinstance(text, str)
        Path(app.path, name).write_text(text)
    app.git("add", "--all")
    app.git("commit", "--quiet", "--message", f"version {version}")
