"""What the Docker engine has on the disk after few deploys of an app, and after many."""

import os

from benchmarks.bench import Bench
from benchmarks.client import Repository
from benchmarks.commands import BenchError, run
from benchmarks.containers.bench import Containers
from benchmarks.containers.server import BASE, DockerServer
from benchmarks.rows import Row, Rule, Target

APP = "disk"
FEW = 5
MORE = 45
FILES_BYTES = 8_000_000
MIB = 1024 * 1024
AT_MOST = Target(Rule.RATIO_AT_MOST, 1.1)
DOCKERFILE = f"""\
FROM {BASE}
COPY . /srv/
CMD ["python3", "/srv/serve.py"]
"""
SERVE = """\
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"VERSION")
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""


class ContainersDisk:
    """The engine's directory, without what was there before the first deploy."""

    name = "containers-disk"

    def measure(self, bench: Bench) -> list[Row]:
        """An app with 8 MB of its own files, which every deploy copies into its image."""
        containers = bench.containers
        server = containers.server
        others = server.instances()
        repository = containers.repository("docker-disk")
        (repository.path / "Dockerfile").write_text(DOCKERFILE)
        (repository.path / "files").write_bytes(os.urandom(FILES_BYTES))
        containers.create(APP)
        before = _taken(server)
        for number in range(FEW):
            _deploy(containers, repository, number, others + 1)
        few = _taken(server) - before
        more = bench.rounds(MORE)
        for number in range(FEW, FEW + more):
            _deploy(containers, repository, number, others + 1)
        many = _taken(server) - before
        note = f"the whole directory {(before + many) / MIB:.0f} MiB; {_shares(server)}"
        server.paas("apps:destroy", APP, "--confirm", APP)
        title = f"disk of the engine, {FEW + more} deploys of 8 MB compared with {FEW}"
        return [Row(self.name, title, "MiB", many / MIB, few / MIB, AT_MOST, note)]


def _deploy(containers: Containers, repository: Repository, number: int, instances: int) -> None:
    """A deploy of one changed line, and the end of what it replaces."""
    version = f"version {number}"
    (repository.path / "serve.py").write_text(SERVE.replace("VERSION", version))
    repository.save(version)
    repository.push(containers.server.git_url(APP))
    containers.server.settle(instances)
    if not containers.server.serves(APP, version):
        raise BenchError(f"{APP} does not serve {version}.")


def _taken(server: DockerServer) -> int:
    """The bytes on the disk, without the file systems of running containers, which are mounts."""
    return int(run(["du", "-sx", "--block-size=1", server.data]).split()[0])


def _shares(server: DockerServer) -> str:
    """What the engine says of itself, in its words."""
    shown = server.docker("system", "df", "--format", "{{.Type}} {{.Size}}")
    return "of the engine's own count: " + ", ".join(shown.lower().splitlines())
