"""HAProxy's program: its own test of the files, and a reload that waits until it is done."""

import time
from pathlib import Path

from paas.adapters.proxy.haproxy.conf import HAPROXY
from paas.adapters.proxy.haproxy.runtime_api import Master, Worker, WorkerGoneError
from paas.adapters.system.subprocesses import run
from paas.domain.values.errors import PaasError

TEST_LIMIT_S = 60.0
POLL_S = 0.005


class HaproxyProcess:
    """The HAProxy that reads the main file, then those of the sites."""

    def __init__(self, files: tuple[Path, Path], master: Master, reload_limit_s: float) -> None:
        self._files = files
        self.master = master
        self._reload_limit_s = reload_limit_s

    def test(self) -> None:
        """Have HAProxy test its files. Raises PaasError with its message if it refuses them."""
        main, sites = self._files
        done = run(
            [HAPROXY, "-c", "-f", main, "-f", sites],
            description="Testing HAProxy's files",
            timeout_s=TEST_LIMIT_S,
            env={},
            check=False,
        )
        if not done.ok:
            raise PaasError(
                "proxy-refused",
                f"HAProxy refuses its files: {_errors(done.output.decode(errors='replace'))}",
                f"For details: sudo haproxy -c -f {main} -f {sites}",
            )

    def present(self) -> Worker | None:
        """The worker that accepts connections; None while it is replaced."""
        pids = self.master.workers().present
        return self.master.worker(max(pids)) if pids else None

    def reload(self) -> None:
        """Have HAProxy reload its files; returns when no former worker accepts any longer.

        Raises PaasError if that fails: then the former one still serves.
        """
        before = self.master.workers()
        answer = self.master.reload(self._reload_limit_s)
        if not answer.startswith("Success=0"):
            deadline = time.monotonic() + self._reload_limit_s
            while time.monotonic() < deadline:
                now = self.master.workers()
                if now.failed > before.failed:
                    break
                if now.present - before.present and self._are_gone(before.present):
                    return
                time.sleep(POLL_S)
        raise PaasError(
            "proxy-reload",
            "HAProxy did not load its new files: its former worker is still serving. "
            f"{_why(answer)}",
            "What it printed is in logs/haproxy.log of the server's data.",
        )

    def _are_gone(self, pids: frozenset[int]) -> bool:
        """Whether these workers have closed their listening sockets, or ended."""
        for pid in pids:
            try:
                if not self.master.worker(pid).is_stopping():
                    return False
            except WorkerGoneError:
                continue
        return True


def _why(answer: str) -> str:
    alerts = [line for line in answer.splitlines() if "ALERT" in line]
    return " ".join(alerts)[:1000]


def _errors(words: str) -> str:
    """HAProxy's error messages: its alerts, without their process ids."""
    lines = [line for line in words.splitlines() if line.startswith("[ALERT]")]
    texts = [line.partition(" : ")[2] or line for line in lines]
    return "; ".join(texts) or words.strip() or "it gave no reason"
