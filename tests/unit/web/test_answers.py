"""The fields of each answer: those of our own tables, and Heroku's schema where it is at hand.

The environment variable PAAS_HEROKU_SCHEMA names the file of the schema.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.world import World
from tests.hyper_schema import Schema
from tests.unit.web.api_world import Api

KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2d5cW3tqR1mGO0nIvWRVJ6hmUXtNq4OzJvZ2BfrF2v alice@laptop"
)

FIELDS: dict[str, str] = {
    "account": "acknowledged_msa acknowledged_msa_at allow_tracking beta country_of_residence "
    "created_at default_organization default_team delinquent_at email federated id "
    "identity_provider italian_customer_terms italian_partner_terms last_login name sms_number "
    "suspended_at two_factor_authentication updated_at verified",
    "add-on": "actions addon_service app billed_price billing_entity config_vars created_at id "
    "name plan provider_id provision_message state updated_at web_url",
    "add-on-attachment": "addon app created_at id log_input_url name namespace updated_at web_url",
    "add-on-config": "name value",
    "add-on-service": "cli_plugin_name created_at human_name id name state supported_generations "
    "supports_multiple_installations supports_sharing updated_at",
    "app": "acm archived_at build_stack buildpack_provided_description create_status created_at "
    "current_build_architecture generation git_url id internal_routing maintenance name owner "
    "region released_at repo_size slug_size space stack team updated_at web_url",
    "build": "app buildpacks created_at generation id output_stream_url release slug source_blob "
    "stack status updated_at user",
    "buildpack-installation": "buildpack ordinal",
    "collaborator": "app created_at id permissions role updated_at user",
    "domain": "acm_status acm_status_reason app cname created_at hostname id kind sni_endpoint "
    "status updated_at",
    "dyno": "app attach_url command created_at id name release size state type updated_at",
    "formation": "app command created_at dyno_size id quantity size type updated_at",
    "key": "comment created_at email fingerprint id public_key updated_at",
    "log-drain": "addon app created_at id token updated_at url",
    "oauth-authorization": "access_token client created_at description grant id refresh_token "
    "scope session updated_at user",
    "pipeline": "created_at generation id name owner updated_at",
    "pipeline-coupling": "app created_at id pipeline stage updated_at",
    "pipeline-promotion": "created_at id pipeline source status updated_at",
    "pipeline-promotion-target": "app error_message id pipeline_promotion release status",
    "plan": "addon_service compliance created_at default description human_name id "
    "installable_inside_private_network installable_outside_private_network name price "
    "space_default state updated_at visible",
    "region": "country created_at description id locale name private_capable provider updated_at",
    "release": "addon_plan_names app artifacts created_at current description "
    "eligible_for_rollback id output_stream_url slug status updated_at user version",
    "sni-endpoint": "app certificate_chain created_at display_name domains id name ssl_cert "
    "updated_at",
    "stack": "created_at default id name state updated_at",
}
# What answers with each resource: a list of it, or one.
ANSWERS: dict[str, str] = {
    "/account": "account",
    "/account/keys": "key",
    "/addon-attachments": "add-on-attachment",
    "/addon-services": "add-on-service",
    "/addon-services/heroku-postgresql/plans": "plan",
    "/addons": "add-on",
    "/addons/postgresql-quiet-otter-1234": "add-on",
    "/addons/postgresql-quiet-otter-1234/addon-attachments": "add-on-attachment",
    "/addons/postgresql-quiet-otter-1234/config": "add-on-config",
    "/apps": "app",
    "/apps/shop": "app",
    "/apps/shop/builds": "build",
    "/apps/shop/buildpack-installations": "buildpack-installation",
    "/apps/shop/addon-attachments": "add-on-attachment",
    "/apps/shop/addons": "add-on",
    "/apps/shop/collaborators": "collaborator",
    "/apps/shop/domains": "domain",
    "/apps/shop/domains/shop.example.com": "domain",
    "/apps/shop/dynos": "dyno",
    "/apps/shop/dynos/web.1": "dyno",
    "/apps/shop/formation": "formation",
    "/apps/shop/formation/web": "formation",
    "/apps/shop/log-drains": "log-drain",
    "/apps/shop/releases": "release",
    "/apps/shop/releases/v1": "release",
    "/apps/shop/sni-endpoints": "sni-endpoint",
    "/oauth/authorizations": "oauth-authorization",
    "/apps/shop/pipeline-couplings": "pipeline-coupling",
    "/pipeline-couplings": "pipeline-coupling",
    "/pipelines": "pipeline",
    "/pipelines/line/pipeline-couplings": "pipeline-coupling",
    "/regions": "region",
    "/stacks": "stack",
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Alice has deployed an app, changed it, and made a token."""
    world = World(tmp_path_factory.mktemp("answers"))
    world.user("alice")
    world.app("shop", world.actor("alice"))
    world.push()
    found = Api(world)
    assert found.ask("PATCH", "/apps/shop/config-vars", {"A": "1"}).status_code == 200
    packs = {"updates": [{"buildpack": "urn:buildpack:heroku/ruby"}]}
    assert found.ask("PUT", "/apps/shop/buildpack-installations", packs).status_code == 200
    order = {"plan": {"name": "heroku-postgresql:small"}, "attachment": {}, "config": {}}
    assert found.ask("POST", "/apps/shop/addons", order).status_code == 201
    assert found.ask("POST", "/pipelines", {"name": "line"}).status_code == 201
    coupled = {"app": "shop", "pipeline": "line", "stage": "staging"}
    assert found.ask("POST", "/pipeline-couplings", coupled).status_code == 201
    drain = {"url": "syslog://198.51.100.7:514"}
    assert found.ask("POST", "/apps/shop/log-drains", drain).status_code == 201
    assert found.ask("POST", "/apps/shop/acm", {}).status_code == 200
    assert found.ask("POST", "/account/keys", {"public_key": KEY}).status_code == 201
    made = found.ask("POST", "/oauth/authorizations", {"description": "a laptop"})
    assert faults("oauth-authorization", made.json) == []
    yield found


def faults(resource: str, value: Any) -> list[str]:
    """What is wrong with an object of that resource."""
    wanted = set(FIELDS[resource].split())
    found = [f"{name}: missing or unknown" for name in sorted(wanted ^ set(value))]
    path = os.environ.get("PAAS_HEROKU_SCHEMA")
    return [*found, *(Schema(Path(path)).faults(resource, value) if path else ())]


@pytest.mark.parametrize("path", ANSWERS)
def test_the_fields_of_an_answer(api: Api, path: str) -> None:
    """All that a client may look for, and of the types that it expects."""
    answer = api.ask("GET", path)
    assert answer.status_code == 200
    rows = answer.json if isinstance(answer.json, list) else [answer.json]
    assert rows
    assert [fault for row in rows for fault in faults(ANSWERS[path], row)] == []


def test_config_vars_are_texts(api: Api) -> None:
    """A flat object, with the URLs of datastores."""
    found = api.ask("GET", "/apps/shop/config-vars").json
    assert found is not None
    assert found["A"] == "1"
    assert found["DATABASE_URL"].startswith("postgresql://")
