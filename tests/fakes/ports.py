"""Ports, and what answers on them, in memory."""

from collections.abc import Callable, Sequence

from paas.domain.manifest.health import Answer
from paas.domain.routing.visits import Visit
from tests.fakes.saying import FakeClock


class FakeProbe:
    """Ports answer unless a test says otherwise."""

    def __init__(self) -> None:
        self.silent = False
        self.meanwhile: Callable[[], None] = lambda: None
        self.status = 200
        self.leads_to: str | None = None
        self.pages: dict[str, Answer | None] = {}
        self.asked: list[str] = []
        self.followed = 0
        self.visits: list[Visit] = []
        self.clock: FakeClock | None = None
        self.takes_s = 0.0

    def answers(self, port: int, visit: Visit, timeout_s: float) -> int | None:
        self.visits.append(visit)
        self.asked.append("any")
        if self.clock is not None:
            self.clock.sleep(self.takes_s)
        self.meanwhile()
        return None if self.silent else 301 if self.leads_to else self.status

    def redirect(self, port: int, host: str, timeout_s: float) -> str | None:
        self.followed += 1
        return self.leads_to.replace("HOST", host) if self.leads_to else None

    def accepts(self, port: int, timeout_s: float) -> bool:
        return not self.silent

    def get(
        self,
        port: int,
        visit: Visit,
        path: str,
        headers: Sequence[tuple[str, str]],
        timeout_s: float,
    ) -> Answer | None:
        """pages: the answer by path; others are 200."""
        self.asked.append(path)
        self.visits.append(visit)
        return None if self.silent else self.pages.get(path, Answer(200, b"fine"))


class FakePorts:
    """The lowest ports that are not taken, from 5000.

    used: those that others have. listening: on which instances listen.
    """

    def __init__(self) -> None:
        self.used: set[int] = set()
        self.listening: Callable[[], set[int]] = set

    def free(self, taken: set[int], count: int) -> list[int]:
        return [port for port in range(5000, 5100) if port not in taken | self.used][:count]

    def are_free(self, ports: Sequence[int]) -> bool:
        return self.used.isdisjoint(ports) and self.listening().isdisjoint(ports)
