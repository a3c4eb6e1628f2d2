"""What the tasks of one service print, by the manager of the nodes."""

from collections.abc import Callable, Iterator

from paas.adapters.cluster.service_logs import ServiceLogs


class ServiceOutput:
    """A `Source`: as long as Swarm has the service, or a task of it."""

    def __init__(self, logs: ServiceLogs, is_kept: Callable[[], bool]) -> None:
        self._logs = logs
        self._is_kept = is_kept

    def is_kept(self) -> bool:
        return self._is_kept()

    def lines(self, since: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
        """See `Source`; each task is one start of the instance."""
        for line in self._logs.lines(since):
            yield line.task, line.stamp, line.text

    def ask_again(self) -> None:
        """End what `lines` waits for, so that it is asked for again."""
        self._logs.close()
