"""A machine that has what a test says is wrong with it."""

from collections.abc import Sequence

from paas.domain.server.findings import Finding
from paas.interfaces import Progress


class FakeMachine:
    """Machine: mend removes what can be mended, but for what is stubborn."""

    def __init__(self) -> None:
        self.up = True
        self.wrong: list[Finding] = []
        self.stubborn: set[str] = set()

    def is_up(self) -> bool:
        return self.up

    def warnings(self) -> list[Finding]:
        return [finding for finding in self.wrong if finding.check in {"disk", "daemon", "docker"}]

    def findings(self) -> list[Finding]:
        return list(self.wrong)

    def mend(self, findings: Sequence[Finding], progress: Progress) -> None:
        self.wrong = [f for f in self.wrong if f not in findings or f.check in self.stubborn]
