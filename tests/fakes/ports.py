"""Ports, and what answers on them, in memory."""

from collections.abc import Callable, Sequence

from paas.domain.manifest.health import Answer
from paas.domain.routing.endpoints import Endpoint
from paas.domain.routing.visits import Visit
from tests.fakes.output import FakeClock


class FakeProbe:
    """Ports answer unless a test says otherwise. silent: none does; silent_ports: these do not."""

    def __init__(self) -> None:
        self.silent = False
        self.silent_ports: set[int] = set()
        self.meanwhile: Callable[[], None] = lambda: None
        self.status = 200
        self.leads_to: str | None = None
        self.pages: dict[str, Answer | None] = {}
        self.asked: list[str] = []
        self.followed = 0
        self.visits: list[Visit] = []
        self.clock: FakeClock | None = None
        self.takes_s = 0.0

    def answers(self, endpoint: Endpoint, visit: Visit, timeout_s: float) -> int | None:
        self.visits.append(visit)
        self.asked.append("any")
        if self.clock is not None:
            self.clock.sleep(self.takes_s)
        self.meanwhile()
        if self._is_silent(endpoint):
            return None
        return 301 if self.leads_to else self.status

    def redirect(self, endpoint: Endpoint, host: str, timeout_s: float) -> str | None:
        self.followed += 1
        if self.leads_to is None or self._is_silent(endpoint):
            return None
        return self.leads_to.replace("HOST", host)

    def accepts(self, endpoint: Endpoint, timeout_s: float) -> bool:
        return not self._is_silent(endpoint)

    def get(
        self,
        endpoint: Endpoint,
        visit: Visit,
        path: str,
        headers: Sequence[tuple[str, str]],
        timeout_s: float,
    ) -> Answer | None:
        """pages: the answer by path; others are 200."""
        self.asked.append(path)
        self.visits.append(visit)
        return None if self._is_silent(endpoint) else self.pages.get(path, Answer(200, b"fine"))

    def _is_silent(self, endpoint: Endpoint) -> bool:
        return self.silent or endpoint.port in self.silent_ports


class FakePorts:
    """The lowest ports that are not taken, from 5000.

    used: those that others have. listening: on which instances listen.
    """

    def __init__(self) -> None:
        self.used: set[int] = set()
        self.listening: Callable[[], set[int]] = set

    def free(self, taken: set[int], count: int) -> list[int]:
        return [port for port in range(5000, 5100) if port not in taken | self.used][:count]

    def are_free(self, endpoints: Sequence[Endpoint]) -> bool:
        ports = {endpoint.port for endpoint in endpoints}
        return self.used.isdisjoint(ports) and self.listening().isdisjoint(ports)

    def is_public_free(self, port: int) -> bool:
        return port not in self.used
