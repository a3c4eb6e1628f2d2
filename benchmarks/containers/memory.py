"""The memory of the programs that Docker adds to a server."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.containers.server import DockerServer
from benchmarks.server import children, pss_bytes, words_of

DOCKERD, CONTAINERD, CONTAINERS, SHIM, INIT = "dockerd", "containerd", "containers", "shim", "init"


def kind_of(words: Sequence[str], root: Path) -> str | None:
    """Which of the server's programs a command line is; None: another's.

    root: the server's directory. A shim belongs to a container, and names its engine's containerd.
    """
    own = root / "run/docker"
    if str(own / "containerd.sock") in words:
        return SHIM
    if str(own / "dockerd.json") in words:
        return DOCKERD
    if str(own / "containerd.toml") in words:
        return CONTAINERD
    if "paas.entrypoints.daemons.containers" in words and str(root / "etc") in words:
        return CONTAINERS
    return None


def docker_pss(server: DockerServer) -> dict[str, int]:
    """The bytes (PSS) of each kind, over all processes of that kind.

    INIT: the first process of each container, which is Docker's own.
    """
    found = dict.fromkeys((DOCKERD, CONTAINERD, CONTAINERS, SHIM, INIT), 0)
    for path in Path("/proc").glob("[0-9]*"):
        kind = kind_of(words_of(int(path.name)), server.root)
        if kind is not None:
            found[kind] += pss_bytes([int(path.name)])
        if kind == SHIM:
            found[INIT] += pss_bytes(filter(_is_init, children(int(path.name))))
    return found


def _is_init(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text() == "docker-init\n"
    except OSError:
        return False
