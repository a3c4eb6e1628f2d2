"""A job of the monitor process: a thread that takes one turn after the other, whatever fails."""

import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from paas.entrypoints.daemons.supervised import Failures


class Turns:
    """name: of the thread, and what begins each line of the log."""

    def __init__(self, name: str, log: Callable[[str], None]) -> None:
        self._name = name
        self._log = log
        self._failures = Failures(lambda text: log(f"{name}: {text}"))

    def start(
        self,
        turn: Callable[[], None],
        stop: threading.Event,
        every_s: float,
        *,
        at_once: bool = False,
    ) -> None:
        """Begin, in the background. The first turn is after `every_s`, or at once."""

        def run() -> None:
            waits_s = 0.0 if at_once else every_s
            while not stop.wait(waits_s):
                with self.logged():
                    turn()
                waits_s = every_s

        threading.Thread(target=run, name=self._name, daemon=True).start()

    def beside(self, work: Callable[[], None]) -> threading.Thread:
        """Do this once in a thread of its own, so that no turn waits for it."""

        def run() -> None:
            with self.logged():
                work()

        thread = threading.Thread(target=run, name=self._name, daemon=True)
        thread.start()
        return thread

    @contextmanager
    def logged(self) -> Iterator[None]:
        """Log what fails, the same PaasError only once in a row, and continue after it."""
        try:
            with self._failures.logged():
                yield
        except Exception:  # an error of ours in one turn must not end the turns that follow
            self._log(f"{self._name}: {traceback.format_exc()}")
