"""Certificates of apps over HTTP: added ones and automatic ones."""

import pytest

from paas.domain.audit.views import AuditFilter
from paas.domain.certificates.acme import Failure
from tests.fakes.certificates import fake_pem
from tests.fakes.world import ROOT, World
from tests.unit.web.api_world import Api

ENDPOINTS, ACM = "/apps/shop/sni-endpoints", "/apps/shop/acm"


@pytest.fixture
def api(world: World) -> Api:
    """Alice has deployed an app, shop."""
    world.user("alice")
    world.app("shop", world.actor("alice"))
    world.push()
    return Api(world)


def sent(*names: str, serial: str = "1") -> dict[str, str]:
    """The body of a request to add a certificate."""
    return {"certificate_chain": fake_pem(*names, serial=serial).decode(), "private_key": ""}


def test_adding_changing_and_removing_one(api: Api) -> None:
    """It is shown for the names in it; the audit trail has neither certificate nor key."""
    assert api.ask("GET", ENDPOINTS).json == []
    made = api.ask("POST", ENDPOINTS, sent("shop.example.com"))
    assert made.status_code == 201
    assert made.json is not None
    name = made.json["name"]
    assert made.json["ssl_cert"]["cert_domains"] == ["shop.example.com"]
    domain = api.ask("GET", "/apps/shop/domains/shop.example.com").json
    assert domain is not None
    assert domain["sni_endpoint"] == {"id": made.json["id"], "name": name}
    assert made.json["domains"] == [domain["id"]]
    changed = api.ask("PATCH", f"{ENDPOINTS}/{name}", sent("shop.example.com", serial="2"))
    assert changed.json is not None
    assert changed.json["name"] != name
    assert api.ask("GET", f"{ENDPOINTS}/{name}").status_code == 404
    assert api.ask("PATCH", f"{ENDPOINTS}/{name}", sent("shop.example.com")).status_code == 404
    assert api.ask("DELETE", f"{ENDPOINTS}/{changed.json['id']}").status_code == 200
    assert api.ask("DELETE", f"{ENDPOINTS}/nothing").status_code == 404
    assert api.ask("GET", ENDPOINTS).json == []
    events = api.world.audit.latest(ROOT, AuditFilter(), 100)
    assert {event.words for event in events if event.command == "certs:add"} == {()}


def test_what_is_no_certificate(api: Api) -> None:
    """It is refused as what it is."""
    nothing = api.ask("POST", ENDPOINTS, {"certificate_chain": "", "private_key": "x"})
    assert (nothing.status_code, nothing.json and nothing.json["id"]) == (422, "invalid_params")
    assert api.ask("POST", ENDPOINTS, {"certificate_chain": ""}).status_code == 422
    other = api.ask("POST", ENDPOINTS, sent("another.example.net"))
    assert other.json is not None
    assert "another.example.net" in other.json["message"]


def test_choosing_one_for_a_domain(api: Api) -> None:
    """The one that it has anyway is accepted, since a certificate serves the names in it."""
    made = api.ask("POST", ENDPOINTS, sent("shop.example.com")).json
    assert made is not None
    path = "/apps/shop/domains/shop.example.com"
    for endpoint in (made["name"], made["id"]):
        assert api.ask("PATCH", path, {"sni_endpoint": endpoint}).status_code == 200
    assert api.ask("PATCH", path, {"sni_endpoint": None}).status_code == 422
    wanted = {"hostname": "www.example.net", "sni_endpoint": made["name"]}
    added = api.ask("POST", "/apps/shop/domains", wanted)
    assert added.status_code == 201
    assert "for the names in it" in added.headers["Warning-Message"]


def test_automatic_ones(api: Api) -> None:
    """An app gets one for each name; what the issuer refuses is failing, and later failed."""
    assert _status(api) is None
    on = api.ask("POST", ACM, {})
    assert on.json is not None
    assert on.json["acm"] is True
    assert _status(api) == ("cert issued", None)
    found = api.ask("GET", ENDPOINTS).json
    assert found is not None
    (endpoint,) = found
    assert endpoint["ssl_cert"]["acm"] is True
    assert api.ask("DELETE", f"{ENDPOINTS}/{endpoint['name']}").status_code == 422
    off = api.ask("DELETE", ACM)
    assert off.json is not None
    assert off.json["acm"] is False
    assert api.ask("GET", ENDPOINTS).json == []
    api.world.issuer.refuses["shop.example.com"] = Failure("it does not like the name")
    expected = ["failing", "failing", "failed"]
    for one, method in zip(expected, ("POST", "PATCH", "PATCH"), strict=True):
        assert api.ask(method, ACM, {}).status_code == 200
        assert _status(api) == (one, "it does not like the name.")


def _status(api: Api) -> tuple[str, str | None] | None:
    row = api.ask("GET", "/apps/shop/domains/shop.example.com").json
    assert row is not None
    found = row["acm_status"], row["acm_status_reason"]
    return None if found == (None, None) else found
