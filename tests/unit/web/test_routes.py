"""Every endpoint asks for what its command's row of the table of permissions says, of everybody."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from paas.domain.people.permissions import COMMANDS
from paas.entrypoints.operations.table import OPERATIONS
from paas.entrypoints.web.heroku.authorizations import id_of
from tests.fakes.world import World
from tests.unit.people.test_permissions import ALLOWED, PEOPLE, Server, changes, expected
from tests.unit.web.api_world import Api

STATUS = {
    "no-such-app": (404, "not_found"),
    "needs-role": (403, "forbidden"),
    "admins-only": (403, "forbidden"),
    "token-limited": (403, "forbidden"),
}


@dataclass(frozen=True)
class Route:
    """An endpoint. command: whose permission it needs, or a use of it; None: nobody may see it.

    body: what it is tried with.
    """

    command: str | None
    body: object = None


SEE_FORMATION = "ps:scale (to see the formation)"
CERTIFICATE = {"certificate_chain": "none", "private_key": "none"}
# Operations that change nothing, and are of use to programs only.
NO_COMMANDS = {"sources:create"}
ROUTES: dict[str, Route] = {
    "DELETE /account/keys/<key>": Route("keys:remove"),
    "DELETE /addon-attachments/<attachment>": Route(None),
    "DELETE /apps/<name>": Route("apps:destroy"),
    "DELETE /apps/<name>/builds/<build>": Route(None),
    "DELETE /apps/<name>/acm": Route("certs:auto"),
    "DELETE /apps/<name>/addons/<addon>": Route("addons:destroy"),
    "DELETE /apps/<name>/collaborators/<whom>": Route("access:remove"),
    "DELETE /apps/<name>/domains/<domain>": Route("domains:remove"),
    "DELETE /apps/<name>/dynos": Route("ps:restart"),
    "DELETE /apps/<name>/dynos/<dyno>": Route("ps:restart"),
    "DELETE /apps/<name>/formations/<kind>": Route("ps:restart"),
    "DELETE /apps/<name>/log-drains/<drain>": Route("drains:remove"),
    "DELETE /apps/<name>/sni-endpoints/<endpoint>": Route("certs:remove"),
    "DELETE /pipeline-couplings/<id>": Route(None),
    "DELETE /pipelines/<pipeline>": Route("pipelines:destroy"),
    "DELETE /oauth/authorizations/<id>": Route("tokens:revoke"),
    "DELETE /oauth/sessions/<_id>": Route(None),
    "GET /account": Route("auth:whoami"),
    "GET /account/features": Route("auth:whoami"),
    "GET /account/keys": Route("keys"),
    "GET /account/keys/<key>": Route(None),
    "GET /account/rate-limits": Route("auth:whoami"),
    "GET /addon-attachments": Route("apps"),
    "GET /addon-attachments/<attachment>": Route(None),
    "GET /addon-services": Route("auth:whoami"),
    "GET /addon-services/<service>": Route("auth:whoami"),
    "GET /addon-services/<service>/plans": Route("auth:whoami"),
    "GET /addon-services/<service>/plans/<plan>": Route("auth:whoami"),
    "GET /addons": Route("apps"),
    "GET /addons/<addon>": Route(None),
    "GET /addons/<addon>/addon-attachments": Route(None),
    "GET /addons/<addon>/config": Route(None),
    "GET /apps": Route("apps"),
    "GET /apps/<name>": Route("apps:info"),
    "GET /apps/<name>/addon-attachments": Route("addons"),
    "GET /apps/<name>/addon-attachments/<attachment>": Route(None),
    "GET /apps/<name>/addons": Route("addons"),
    "GET /apps/<name>/addons/<addon>": Route(None),
    "GET /apps/<name>/buildpack-installations": Route("buildpacks"),
    "GET /apps/<name>/builds": Route("builds"),
    "GET /apps/<name>/builds/<build>": Route(None),
    "GET /apps/<name>/collaborators": Route("access"),
    "GET /apps/<name>/collaborators/<whom>": Route(None),
    "GET /apps/<name>/config-vars": Route("config:export"),
    "GET /apps/<name>/domains": Route("domains"),
    "GET /apps/<name>/domains/<domain>": Route("domains"),
    "GET /apps/<name>/dynos": Route("ps"),
    "GET /apps/<name>/dynos/<dyno>": Route("ps"),
    "GET /apps/<name>/features": Route("apps:info"),
    "GET /apps/<name>/formation": Route(SEE_FORMATION),
    "GET /apps/<name>/formation/<kind>": Route(SEE_FORMATION),
    "GET /apps/<name>/log-drains": Route("drains"),
    "GET /apps/<name>/log-drains/<drain>": Route(None),
    "GET /apps/<name>/pipeline-couplings": Route(None),
    "GET /apps/<name>/releases": Route("releases"),
    "GET /apps/<name>/releases/<release>": Route("releases:info"),
    "GET /apps/<name>/releases/<release>/config-vars": Route("config:export"),
    "GET /buildpacks": Route(None),
    "GET /buildpacks/<slug>": Route(None),
    "GET /buildpacks/<slug>/readme": Route(None),
    "GET /buildpacks/<slug>/revisions": Route(None),
    "GET /apps/<name>/sni-endpoints": Route("certs"),
    "GET /apps/<name>/sni-endpoints/<endpoint>": Route(None),
    "GET /client/v11/apps/<name>/transfers": Route("pg:backups"),
    "GET /client/v11/apps/<name>/transfers/<number>": Route(None),
    "GET /client/v11/databases/<addon>": Route(None),
    "GET /client/v11/databases/<addon>/wait_status": Route(None),
    "GET /metrics": Route("apps"),
    "GET /oauth/authorizations": Route("tokens"),
    "GET /oauth/authorizations/<id>": Route(None),
    "GET /pipeline-couplings": Route("pipelines"),
    "GET /pipeline-couplings/<id>": Route(None),
    "GET /pipeline-promotions/<promotion>": Route(None),
    "GET /pipeline-promotions/<promotion>/promotion-targets": Route(None),
    "GET /pipelines": Route("pipelines"),
    "GET /pipelines/<pipeline>": Route(None),
    "GET /pipelines/<pipeline>/pipeline-couplings": Route(None),
    "GET /postgres/v0/databases/<addon>/credentials/<credential>": Route(None),
    "GET /redis/v0/databases/<addon>": Route(None),
    "GET /regions": Route("auth:whoami"),
    "GET /spaces": Route("auth:whoami"),
    "GET /stacks": Route("auth:whoami"),
    "GET /teams": Route("auth:whoami"),
    "GET /users/<name>/apps": Route("apps"),
    "GET /users/~": Route("auth:whoami"),
    "PATCH /apps/<name>": Route("apps:rename", {"name": "other"}),
    "PATCH /apps/<name>/acm": Route("certs:auto", {"acm_refresh": True}),
    "PATCH /apps/<name>/config-vars": Route("config:set", {"A": "1"}),
    "PATCH /apps/<name>/domains/<domain>": Route(None),
    "PATCH /apps/<name>/formation": Route(
        "ps:scale", {"updates": [{"type": "web", "quantity": "2"}]}
    ),
    "PATCH /apps/<name>/formation/<kind>": Route("ps:scale", {"quantity": 2}),
    "PATCH /apps/<name>/sni-endpoints/<endpoint>": Route("certs:add", CERTIFICATE),
    "POST /actions/addon-attachments/resolve": Route(None),
    "POST /actions/addons/resolve": Route(None),
    "POST /addon-attachments": Route(
        "addons:attach", {"addon": "postgresql-curly-1234", "app": "shop"}
    ),
    "PATCH /pipeline-couplings/<id>": Route(None),
    "POST /account/keys": Route("keys:add", {"public_key": "ssh-ed25519 AAAA"}),
    "POST /auth": Route(None),
    "POST /apps": Route("apps:create", {"name": "another"}),
    "POST /apps/<name>/builds": Route(
        "git:from-archive", {"source_blob": {"url": "https://example.net/a.tgz"}}
    ),
    "POST /apps/<name>/acm": Route("certs:auto"),
    "POST /apps/<name>/addons": Route("addons:create", {"plan": "heroku-postgresql"}),
    "POST /apps/<name>/collaborators": Route("access:add", {"user": "bob"}),
    "POST /apps/<name>/domains": Route("domains:add", {"hostname": "shop.example.com"}),
    "POST /apps/<name>/dynos/<dyno>/actions/stop": Route("ps:stop"),
    "POST /apps/<name>/formations/<kind>/actions/stop": Route("ps:stop"),
    "POST /apps/<name>/log-drains": Route("drains:add", {"url": "syslog://198.51.100.7:514"}),
    "POST /apps/<name>/dynos": Route("run:detached", {"command": "true"}),
    "POST /apps/<name>/log-sessions": Route("logs", {"lines": 5}),
    "POST /apps/<name>/releases": Route("rollback", {"release": "v1"}),
    "POST /sources": Route(None),
    "PUT /sources/<secret>": Route(None),
    "PUT /apps/<name>/buildpack-installations": Route(
        "buildpacks:set", {"updates": [{"buildpack": "heroku/python"}]}
    ),
    "POST /apps/<name>/sni-endpoints": Route("certs:add", CERTIFICATE),
    "POST /client/v11/apps/<name>/transfers/<_number>/actions/public-url": Route("pg:backups"),
    "POST /client/v11/databases/<addon>/backups": Route(None),
    "POST /filters/apps": Route("apps", {"in": {"id": []}}),
    "POST /pipeline-couplings": Route(
        "pipelines:add", {"app": "shop", "pipeline": "line", "stage": "staging"}
    ),
    "POST /pipeline-promotions": Route(None),
    "POST /pipelines": Route("apps:create", {"name": "line"}),
    "POST /oauth/authorizations": Route("tokens:create", {"description": "a laptop"}),
}
# What stands for the parts of a path.
PARTS = {
    "<name>": "shop",
    "<addon>": "postgresql-curly-1234",
    "<domain>": "shop.example.com",
    "<drain>": "d.5f0c6a0e-4f0e-4b9c-9a52-0d3e6a2b7c11",
    "<whom>": "bob",
    "<dyno>": "web.1",
    "<endpoint>": "cert-1-00000001",
    "<key>": "SHA256:none",
    "<kind>": "web",
    "<pipeline>": "line",
    "<plan>": "heroku-redis:small",
    "<release>": "v1",
    "<service>": "heroku-redis",
    "<id>": id_of("Ab12Cd34"),
    "<_id>": "~",
    "<_number>": "1",
}
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
        if name not in NO_COMMANDS:
            assert operation.changes == COMMANDS[name].changes, name
    assert not any(OPERATIONS[name].changes for name in NO_COMMANDS)


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
        if wanted == ALLOWED and changes(row.command):
            continue
        answer = api.ask(method, path, row.body, user=who)
        if wanted == ALLOWED:
            assert answer.status_code not in (401, 403, 404, 500), (who, answer.text)
            continue
        status, id = STATUS[wanted]
        assert (answer.status_code, answer.json and answer.json["id"]) == (status, id), who
    assert server.content() == before
