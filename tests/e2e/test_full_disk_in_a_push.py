"""A disk that fills while a push is built or started: the former version serves on, and the ref,
which the platform's account writes when the new one is live, stays where it was, too."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.server import Repository, Server, User, installed, run
from tests.e2e.tiny import leftovers, program, refs, releases, tiny

MakeRepository = Callable[..., Repository]
# Uses all that the app's account may have of the disk. Some of it is root's alone (mkfs.ext4 -m).
FILLS = {
    "bytes": """
import os
fd, at, size = os.open("data/bytes", os.O_CREAT | os.O_WRONLY), 0, 16 * 1024**2
while size >= 1024:
    try:
        os.posix_fallocate(fd, at, size)
        at += size
    except OSError:
        size //= 2
os.close(fd)
""",
    "inodes": """
import itertools
try:
    for number in itertools.count():
        open(f"data/{number}", "a").close()
except OSError:
    pass
""",
}
# As long as the process lives, since the platform may remove something of its own meanwhile.
FILLS_AGAIN = """
import threading, time
def fill():
    while True:
        exec(FILLS)
        time.sleep(0.5)
exec(FILLS)
threading.Thread(target=fill, daemon=True).start()
"""
TOLD = {
    "bytes": " !     The server's disk is full",
    "inodes": " !     The server's disk takes no more files",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One whose data has a small ext4 of its own."""
    made = Server.in_new_directory({"min_free_mib": 8, "reserve_mib": 8})
    image = made.scratch / "image"
    with ExitStack() as stack:
        image.touch()
        with image.open("r+b") as file:
            file.truncate(1024**3)
        run(["mkfs.ext4", "-q", "-m", "10", "-N", "12000", str(image)])
        made.state.mkdir(mode=0o711)
        run(["mount", "-o", "loop", str(image), str(made.state)])
        stack.callback(subprocess.run, ["umount", "--lazy", str(made.state)], check=False)
        made.state.chmod(0o711)
        (made.state / "lost+found").rmdir()
        yield stack.enter_context(installed(made))


@pytest.fixture
def alice(server: Server) -> User:
    """A user."""
    return server.user("alice")


@pytest.mark.parametrize("what", FILLS)
def test_while_it_starts(
    server: Server, alice: User, repository: MakeRepository, what: str
) -> None:
    """Root could make the new version live; git, as another account, could not move the ref."""
    pushed = repository(tiny("v1"))
    alice.push(pushed, what)
    commit = pushed.git("rev-parse", "HEAD").stdout.strip()
    alice.ssh("storage:add", "/app/data", "-a", what)
    before = releases(server, what)
    pushed.commit({"serve.py": f"FILLS = {FILLS[what]!r}{FILLS_AGAIN}" + program("v2")})

    told = alice.push(pushed, what, check=False)
    _free(server)

    assert told.returncode == 1, told.stdout
    assert TOLD[what] in told.stdout
    assert server.get(what).text == "v1"
    assert refs(server, what) == {"refs/heads/main": commit}
    assert [row for row in releases(server, what) if row[2]] == [row for row in before if row[2]]
    assert "pending" not in {status for _, status, _ in releases(server, what)}
    assert leftovers(server, what) == []
    pushed.commit({"serve.py": program("v3")})
    alice.push(pushed, what)
    assert server.get(what).text == "v3"


@pytest.mark.parametrize("what", FILLS)
def test_while_it_is_built(
    server: Server, alice: User, repository: MakeRepository, what: str
) -> None:
    """Whatever the build itself makes of it, the push says that the disk was full."""
    app = f"built-{what}"
    pushed = repository(tiny("v1"))
    alice.push(pushed, app)
    commit = pushed.git("rev-parse", "HEAD").stdout.strip()
    fill = f"#!/bin/bash\nmkdir -p data\npython3 - <<'END'\n{FILLS[what]}END\n"
    pushed.commit({"bin/pre_compile": fill, "serve.py": program("v2")})

    told = alice.push(pushed, app, check=False)

    assert told.returncode == 1, told.stdout
    assert TOLD[what] in told.stdout
    assert server.get(app).text == "v1"
    assert refs(server, app) == {"refs/heads/main": commit}
    assert "pending" not in {status for _, status, _ in releases(server, app)}
    assert leftovers(server, app) == []
    pushed.commit({"bin/pre_compile": "#!/bin/bash\n", "serve.py": program("v3")})
    alice.push(pushed, app)
    assert server.get(app).text == "v3"


def _free(server: Server) -> None:
    """Remove what fills the disk."""
    for directory in (server.state / "storage").glob("*/*"):
        for path in Path(directory).iterdir():
            path.unlink()
