"""What CommitStatuses promise, for the fake and the real ones alike."""

import json
import os
from collections.abc import Callable

import pytest

from paas.adapters.builds.commit_statuses import SandboxStatuses
from paas.domain.git.credentials import HostToken, host_token
from paas.domain.git.sources import host_of
from paas.domain.git.statuses import StatusRequest
from paas.domain.values.errors import PaasError
from paas.interfaces import CommitStatuses
from tests.contract.builds.git_https import LOGIN
from tests.contract.builds.importing import APP, Desk
from tests.fakes.importer import FakeStatuses

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root")
FIELDS = {"state": "success", "description": 'It is "live" \\ here\n'}
Sent = list[tuple[str, str, dict[str, str]]]


class Kind:
    """Statuses of one kind. sent: the URL, the token and the fields of each that arrived."""

    def __init__(self, statuses: CommitStatuses, base: str, sent: Callable[[], Sent]) -> None:
        self.statuses = statuses
        self.base = base
        self.sent = sent

    def send(self, token: str) -> None:
        """Send one with that token."""
        held = host_token(host_of(self.base), None, token)
        if isinstance(self.statuses, FakeStatuses) and token != LOGIN[1]:
            self.statuses.failure = PaasError(
                "status-not-sent", "The commit status was not sent: the server answered 401", "?"
            )
        request = StatusRequest(held.host, f"{self.base}/api/v1/x", "token", FIELDS)
        self.statuses.send(APP, request, held)


def _of_fake(fake: FakeStatuses) -> Sent:
    def plain(request: StatusRequest, token: HostToken) -> tuple[str, str, dict[str, str]]:
        return request.url, f"{request.scheme} {token.token.reveal()}", dict(request.fields)

    return [plain(*one) for one in fake.sent]


def _of_server(desk: Desk) -> Sent:
    path = desk.shelf.parent / "statuses"
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    base = desk.address.removesuffix(f"/{desk.shelf.name}")
    return [(base + path, login, fields) for path, login, fields in rows if desk.shelf.name in path]


@pytest.fixture(params=["fake", "real"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind."""
    if request.param == "fake":
        fake = FakeStatuses()
        return Kind(fake, "https://localhost:1", lambda: _of_fake(fake))
    desk: Desk = request.getfixturevalue("desk")
    return Kind(SandboxStatuses(desk.settings), desk.address, lambda: _of_server(desk))


def test_a_status_arrives_with_its_token(kind: Kind) -> None:
    """Every character of it; a refused one is an error without the token."""
    kind.send(LOGIN[1])
    assert kind.sent() == [(f"{kind.base}/api/v1/x", f"token {LOGIN[1]}", FIELDS)]
    with pytest.raises(PaasError, match="answered 401") as refused:
        kind.send("wr0ng-word")
    assert "wr0ng-word" not in refused.value.report
    assert len(kind.sent()) == 1
