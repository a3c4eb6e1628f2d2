"""Where metrics are kept, and what they are counted from."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from paas.domain.metrics.figures import Load, Requests, Totals
from paas.domain.metrics.resolutions import Resolution

# A log file, by its inode, and how far it was read.
Place = tuple[int, int]


class AppMetrics(Protocol):
    """What is kept of one app."""

    def totals(self) -> Totals:
        """Of all time; of processes those that were seen last."""

    def requests(self, resolution: Resolution, start: int, end: int) -> Mapping[int, Requests]:
        """By the begin of each slot in that time that has any."""

    def loads(
        self, resolution: Resolution, start: int, end: int, process: str | None = None
    ) -> Mapping[int, Load]:
        """By the begin of each slot in that time that was measured. process: None: all together."""


class MetricsWriter(AppMetrics, Protocol):
    """The same for what collects them. Each method raises OSError on a full disk."""

    def place(self) -> Place | None:
        """Up to where the router's log was counted; None: nothing was."""

    def count(
        self,
        until: int,
        place: Place | None,
        requests: Mapping[int, Requests],
        loads: Mapping[str, Load],
        total: Load,
    ) -> None:
        """Add what was found up to now.

        requests: by the begin of their slots of the finest resolution. loads: by process.
        total: of all processes.
        """


class MetricsFiles(Protocol):
    """The metrics of all apps, each app's in a file of bounded size."""

    def reading(self, app_id: int) -> AbstractContextManager[AppMetrics | None]:
        """What is kept of an app; None: nothing."""

    def writing(self, app_id: int) -> AbstractContextManager[MetricsWriter]:
        """The same, to add to it. Raises OSError."""

    def apps(self) -> set[int]:
        """The ids of the apps of which something is kept."""

    def remove(self, app_id: int) -> None:
        """Forget an app; no error if nothing is kept of it."""


class RequestCounter(Protocol):
    """Counts what the proxy logs of requests, as it grows."""

    def start(self, app_id: int) -> Place:
        """The place of what is logged from now on."""

    def count(self, app_id: int, place: Place) -> tuple[dict[int, Requests], Place]:
        """What was logged since, by slots of the finest resolution, and the place behind it.

        At most so much at once that others need not wait; the rest is counted by the next call.
        """
