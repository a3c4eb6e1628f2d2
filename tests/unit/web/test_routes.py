"""Every endpoint asks for what its command's row of the table of permissions says, of everybody."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from paas.domain.people.permissions import COMMANDS
from paas.entrypoints.operations.table import OPERATIONS
from tests.fakes.world import World
from tests.unit.people.test_permissions import ALLOWED, PEOPLE, Server, expected
from tests.unit.web.api_world import Api

STATUS = {
    "no-such-app": (404, "not_found"),
    "needs-role": (403, "forbidden"),
    "admins-only": (403, "forbidden"),
    "token-limited": (403, "forbidden"),
}


@dataclass(frozen=True)
class Route:
    """An endpoint. command: whose permission it needs; None: none. body: what it is tried with."""

    command: str | None
    body: object = None


ROUTES: dict[str, Route] = {
    "GET /account": Route("auth:whoami"),
    "GET /apps": Route("apps"),
    "GET /apps/<name>": Route("apps:info"),
    "GET /users/<name>/apps": Route("apps"),
    "GET /users/~": Route("auth:whoami"),
}
# What stands for the parts of a path.
PARTS = {"<name>": "shop"}
PEOPLE_OF_HTTP = [who for who in PEOPLE if who != "root"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Api]]:
    """A server with the people of the test of commands, and its API."""
    with pytest.MonkeyPatch.context() as patch:
        server = Server(World(tmp_path_factory.mktemp("api")), patch)
        yield server, Api(server.world, {who: server.actor(who) for who in PEOPLE})


def rules(api: Api) -> set[str]:
    """All endpoints of the API but git's."""
    return {
        f"{method} {rule.rule}"
        for rule in api.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if ".git/" not in rule.rule
    }


def test_each_endpoint_has_a_row(served: tuple[Server, Api]) -> None:
    """And no row is left of one that is gone."""
    assert rules(served[1]) == set(ROUTES)


def test_each_operation_is_a_command() -> None:
    """So it has a row in the table of permissions, and its way into the audit trail."""
    for name, operation in OPERATIONS.items():
        assert operation.changes == COMMANDS[name].changes, name


@pytest.mark.parametrize("route", ROUTES)
def test_who_is_refused(served: tuple[Server, Api], route: str) -> None:
    """With the status and id of Heroku; nothing changes, and for who may not see it there is none.

    Those who may are not refused that way, where nothing changes."""
    server, api = served
    row, before = ROUTES[route], server.content()
    if row.command is None:
        return
    method, _, path = route.partition(" ")
    for part, text in PARTS.items():
        path = path.replace(part, text)
    for who in PEOPLE_OF_HTTP:
        wanted = expected(row.command, who)
        if wanted == ALLOWED and COMMANDS[row.command].changes:
            continue
        answer = api.ask(method, path, row.body, user=who)
        if wanted == ALLOWED:
            assert answer.status_code not in (401, 403, 404, 500), (who, answer.text)
            continue
        status, id = STATUS[wanted]
        assert (answer.status_code, answer.json and answer.json["id"]) == (status, id), who
    assert server.content() == before
