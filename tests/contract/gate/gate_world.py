"""A directory with a gate and its client in it, used as root and as the platform's account."""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.waiting import wait_for

SOURCE = Path(__file__).parents[3]
ADDRESS = "203.0.113.7"
ACCOUNT = 64_123
STRANGER = 64_124
LIMIT_S = 150.0
# The client, with other limits for how long it waits for its turn, and for a gate.
WITH_LIMITS = """
import sys
code, busy_s, connect_s, *words = sys.argv[1:]
sys.path.insert(0, code)
from paas.entrypoints import client
from paas.entrypoints.gate_client import link
link._BUSY_LIMIT_S, link._CONNECT_LIMIT_S = float(busy_s), float(connect_s)
sys.argv[1:] = words
client.main()
"""


@cache
def _code() -> Path:
    """A copy of the platform's code, with its bytecode, that other accounts can read."""
    code = Path(tempfile.mkdtemp(prefix="paas-code-"))
    atexit.register(shutil.rmtree, code, ignore_errors=True)
    code.chmod(0o755)
    half_written = shutil.ignore_patterns("*.pyc.*")
    for part in ("paas", "hooks"):
        shutil.copytree(SOURCE / part, code / part, ignore=half_written)
    return code


class World:
    """Paths and processes. code/: the platform's code; etc/gate: the socket's path."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.etc = root / "etc"
        self.log = root / "gate.log"
        self.socket = root / "run" / "gate.sock"
        self.client = root / "code" / "paas" / "entrypoints" / "client.py"
        self.gate: subprocess.Popen[bytes] | None = None
        for name in ("etc", "run", "locks", "home"):
            (root / name).mkdir()
        os.chown(root / "home", ACCOUNT, ACCOUNT)
        (self.etc / "gate").write_text(f"{self.socket}\n")
        (root / "code").symlink_to(_code())

    def start(self, max_children: int = 16) -> None:
        """Start the gate; returns when it answers."""
        self.gate = self.spawn(max_children)
        wait_for(lambda: self.root_client("true").returncode == 0, what="the gate answers")

    def spawn(self, max_children: int = 16) -> subprocess.Popen[bytes]:
        """Start a gate's process."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [
                    sys.executable,
                    SOURCE / "tests/contract/gate/gate_server.py",
                    *(self.etc, str(ACCOUNT), str(max_children)),
                ],
                env={"PYTHONPATH": str(self.root / "code"), "PATH": os.environ["PATH"]},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End the gate; its exit status."""
        assert self.gate is not None
        self.gate.send_signal(number)
        status = self.gate.wait(LIMIT_S)
        self.gate = None
        return status

    def argv(self, *words: str, busy_s: float | None = None) -> list[str]:
        """The client's command line. busy_s: how long it waits for its turn, and ten minutes for a
        gate.
        """
        program = [str(self.client)]
        if busy_s is not None:
            program = ["-c", WITH_LIMITS, str(self.root / "code"), str(busy_s), "600"]
        return ["/usr/bin/python3", "-I", "-S", *program, "--paas-etc", str(self.etc), *words]

    def root_client(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run ``paas WORDS`` as root."""
        return subprocess.run(
            self.argv(*words), input=stdin, capture_output=True, text=True, env={}, timeout=LIMIT_S
        )

    def ssh_environment(self, command: str | None) -> dict[str, str]:
        """What sshd gives to a forced command."""
        env = {"SSH_CONNECTION": f"{ADDRESS} 50000 192.0.2.1 22"}
        return env if command is None else {**env, "SSH_ORIGINAL_COMMAND": command}

    def ssh_client(
        self,
        command: str | None,
        *words: str,
        user: str = "alice",
        uid: int = ACCOUNT,
        stdin: str = "",
        busy_s: float | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run the forced command of a key of user, as the account. words: the rest of it."""
        return subprocess.run(
            self.argv("--as", user, *words, busy_s=busy_s),
            input=stdin,
            capture_output=True,
            text=True,
            env=self.ssh_environment(command),
            timeout=LIMIT_S,
            user=uid,
            group=uid,
            extra_groups=[],
        )


@contextmanager
def world() -> Iterator[World]:
    """A world below a directory that other accounts can enter, without a gate yet."""
    root = Path(tempfile.mkdtemp(prefix="paas-gate-"))
    root.chmod(0o755)
    made = World(root)
    try:
        yield made
    finally:
        if made.gate is not None:
            made.stop(signal.SIGKILL)
        shutil.rmtree(root, ignore_errors=True)
