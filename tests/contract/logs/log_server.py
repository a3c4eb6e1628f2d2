"""A log process for tests, and how to wait for what it does."""

import os
import signal
import socket
import subprocess
from pathlib import Path

from tests.waiting import wait_for

LOGGER = Path(__file__).parents[3] / "paas" / "entrypoints" / "logger.py"


class Logger:
    """A log process over a directory of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.process: subprocess.Popen[bytes] | None = None
        self.options = {
            "--file-bytes": "1000000",
            "--files": "3",
            "--file-s": "0",
            "--rate-bytes": "100000000",
        }
        (root / "run").mkdir()
        (root / "logs").mkdir()

    def start(self, **options: str) -> None:
        """Start it and wait until it listens."""
        self.options.update({f"--{k.replace('_', '-')}": v for k, v in options.items()})
        fixed = {
            "--run": str(self.root / "run"),
            "--logs": str(self.root / "logs"),
            "--nginx-pid": str(self.root / "nginx.pid"),
        }
        arguments = [text for pair in (fixed | self.options).items() for text in pair]
        (self.root / "run" / "log.sock").unlink(missing_ok=True)
        self.process = subprocess.Popen(["/usr/bin/python3", "-I", "-S", str(LOGGER), *arguments])
        wait_for((self.root / "run" / "log.sock").exists)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it with that signal; returns its status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(150)

    def fifo(self, app: int, label: str = "web.1") -> Path:
        """Make an instance's FIFO."""
        path = self.root / "run" / "fifos" / str(app) / f"{label}@{app}-v1-1-{label}.fifo"
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path)
        return path

    def announce(self, path: Path) -> None:
        """Tell of a FIFO, as the launcher does."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(str(self.root / "run" / "log.sock"))
            fd = os.open(path, os.O_RDWR)
            socket.send_fds(sender, [str(path).encode()], [fd])
            os.close(fd)

    def log(self, app: int, name: str = "app.log") -> str:
        """An app's log file."""
        path = self.root / "logs" / str(app) / name
        try:
            return path.read_text()
        except FileNotFoundError:
            return ""  # not written yet, or just being rotated
