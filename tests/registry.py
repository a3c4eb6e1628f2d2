"""A registry of images for tests: Debian's docker-registry, in a temporary directory."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from paas.adapters.system.passwords import hash_password
from paas.domain.values.secret import Secret
from tests.waiting import wait_for

USER, PASSWORD = "alice", "pa55 w0rd"


@contextmanager
def registry(
    home: Path,
    address: tuple[str, int],
    *,
    login: bool = False,
    tls: tuple[Path, Path] | None = None,
) -> Iterator[str]:
    """One that listens there; its host as in an image's name.

    home: where its images are; several may share them. login: whether it wants USER and PASSWORD.
    tls: certificate and key.
    """
    program = shutil.which("docker-registry")
    assert program is not None, "apt-get install docker-registry, or run tests/run"
    host, port = address
    http: dict[str, object] = {"addr": f"{host}:{port}", "secret": "of this test"}
    conf: dict[str, object] = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(home / "images")}},
        "http": http,
    }
    if login:
        logins = home / "logins"
        logins.write_text(f"{USER}:{hash_password(Secret(PASSWORD))}\n")
        conf["auth"] = {"htpasswd": {"realm": "test", "path": str(logins)}}
    if tls is not None:
        http["tls"] = {"certificate": str(tls[0]), "key": str(tls[1])}
    path = home / f"registry-{port}.yml"
    path.write_text(yaml.safe_dump(conf))
    with (home / f"registry-{port}.log").open("wb") as log:
        child = subprocess.Popen([program, "serve", path], stdout=log, stderr=log)

    def listens() -> bool:
        assert child.poll() is None, Path(log.name).read_text()[-2_000:]
        with socket.socket() as probe:
            return probe.connect_ex(address) == 0

    try:
        wait_for(listens, what="the registry")
        yield f"{host}:{port}"
    finally:
        child.terminate()
        child.wait(150)
