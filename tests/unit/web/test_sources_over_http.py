"""Uploads of archives over HTTP: a place, the archive in it, and its build."""

import io
from typing import Any

import pytest

from paas.domain.people.access import Holder
from paas.domain.people.origins import UNKNOWN_ORIGIN
from paas.domain.people.permissions import AppRole
from paas.domain.people.users import Role
from paas.domain.values.errors import PaasError
from paas.interfaces import Archive
from tests.fakes.world import World
from tests.unit.web.api_world import Api

BUILDS = "/apps/shop/builds"


@pytest.fixture
def api(world: World) -> Api:
    """Alice has an app, shop; Bob has an account."""
    alice = world.user("alice")
    world.user("bob", Role.MEMBER)
    world.app("shop", alice)
    return Api(world)


def token(api: Api, user: str) -> str:
    """A new token of that user."""
    actor = api.world.actor(user)
    secret, _ = api.world.tokens.create(
        actor, UNKNOWN_ORIGIN, app=None, role=None, expires=None, note=""
    )
    return secret.reveal()


def place(api: Api) -> str:
    """The URL of a new place of Alice's."""
    made = api.ask("POST", "/sources", user=token(api, "alice"))
    assert (made.status_code, made.json and list(made.json)) == (201, ["source_blob"])
    blob = (made.json or {})["source_blob"]
    assert blob["put_url"] == blob["get_url"]
    return str(blob["put_url"])


def put(api: Api, url: str, archive: bytes = b"tar") -> int:
    """Upload, without a token."""
    path = url.removeprefix("https://api.example.com")
    answer = api.client.put(path, input_stream=io.BytesIO(archive), content_length=len(archive))
    return answer.status_code


def build(api: Api, url: str, user: str = "alice") -> Any:
    """The answer to a build of what was uploaded."""
    return api.ask("POST", BUILDS, {"source_blob": {"url": url}}, user=token(api, user))


def test_what_was_uploaded_is_built_once(api: Api) -> None:
    """The file is read by the build, and nobody else's."""
    read: list[bytes] = []

    def reading() -> None:
        archive = api.world.importer.asked[-1][0]
        assert isinstance(archive, Archive)
        assert not isinstance(archive.source, str)
        read.append(archive.source.read())

    api.world.importer.during = reading
    url = place(api)
    assert put(api, url, b"first") == 200
    assert put(api, url, b"archive") == 200
    made = build(api, url)
    assert (made.status_code, read) == (201, [b"archive"])
    again = build(api, url)
    assert (again.status_code, again.json["id"]) == (404, "not_found")
    assert put(api, url) == 404


def test_a_build_that_does_not_begin_leaves_the_archive(api: Api) -> None:
    """It can be tried again."""
    url = place(api)
    put(api, url)
    api.world.importer.failure = PaasError("archive", "It is damaged.")
    assert build(api, url).status_code == 422
    api.world.importer.failure = None
    assert build(api, url).status_code == 201


def test_others_have_no_use_for_it(api: Api) -> None:
    """Neither a deployer who knows the URL, nor a stranger who may deploy nothing."""
    url = place(api)
    put(api, url)
    refused = api.ask("POST", "/sources", user=token(api, "bob"))
    assert (refused.status_code, (refused.json or {})["id"]) == (403, "forbidden")
    api.world.access.add(api.world.actor("alice"), "shop", Holder("bob"), AppRole.DEPLOYER)
    assert build(api, url, user="bob").status_code == 404
    assert build(api, url).status_code == 201


def test_a_place_ends_with_its_token(api: Api) -> None:
    """Nothing more is taken then."""
    url = place(api)
    alice = api.world.actor("alice")
    for report in api.world.tokens.reports(alice):
        api.world.tokens.revoke(alice, report.token.prefix)
    assert put(api, url) == 404


def test_what_is_too_large_is_refused(api: Api) -> None:
    """And what is no place of this server."""
    url = place(api)
    assert put(api, url[:-1]) == 404
    assert put(api, f"{url[:-43]}{'A' * 43}") == 404
    assert build(api, url).status_code == 404
    assert api.client.get(url.removeprefix("https://api.example.com")).status_code == 404
