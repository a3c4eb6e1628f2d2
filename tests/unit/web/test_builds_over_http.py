"""Builds over HTTP: from an archive, followed, looked up, cancelled."""

from typing import Any

import pytest

from paas.domain.audit.views import AuditFilter
from paas.domain.people.origins import UNKNOWN_ORIGIN, Origin
from paas.domain.people.permissions import Permission
from paas.domain.releases.releases import Status
from paas.domain.values.secret import Secret
from paas.entrypoints.cli.web import CapabilityStream
from paas.interfaces import Archive
from paas.wiring.services import all_services
from tests.fakes.world import ROOT, World
from tests.unit.web.api_world import Api

PATH = "/apps/shop/builds"
URL = "https://example.net/shop.tar.gz"


@pytest.fixture
def api(world: World) -> Api:
    """Alice has an app, shop."""
    world.user("alice")
    world.app("shop", world.actor("alice"))
    return Api(world)


def create(api: Api, **blob: object) -> Any:
    """The answer to a new build."""
    return api.ask("POST", PATH, {"source_blob": {"url": URL, **blob}})


def test_an_archive_is_built(api: Api) -> None:
    """It is answered when the build begins, with what the client says of the archive."""
    checksum = "SHA256:" + "AB" * 32
    made = create(api, version="v1.2\x1b", checksum=checksum)
    assert made.status_code == 201
    build = made.json
    assert build["status"] == "pending"
    assert build["source_blob"]["checksum"] == checksum.replace("AB", "ab")
    assert build["output_stream_url"].startswith("https://api.example.com/streams/")
    ((archive, _),) = api.world.importer.asked
    assert isinstance(archive, Archive)
    assert (archive.source, archive.message, archive.sha256) == (URL, "v1.2\\x1b", "ab" * 32)
    found = api.ask("GET", f"{PATH}/{build['id']}").json or {}
    assert (found["status"], found["source_blob"]["version"]) == ("succeeded", "c" * 40)
    assert api.ask("GET", f"/apps/shop/releases/{found['release']['id']}").status_code == 200
    assert [row["id"] for row in api.ask("GET", PATH).json or []] == [build["id"]]
    (event,) = api.world.audit.latest(ROOT, AuditFilter(), 10)
    assert (event.command, event.words) == ("git:from-archive", (URL,))


def test_its_output_is_read_with_a_secret(api: Api) -> None:
    """Which continues after the last line that its reader has, and has no colours."""
    services, alice = all_services(api.world.adapters), api.world.actor("alice")
    create(api)
    build = api.world.store.builds.of_app(1)[0].id
    api.world.logs.builds[build] = [b"one", b"\x1b[31mtwo\x1b[0m"]
    _, token = services.tokens.create(
        alice, UNKNOWN_ORIGIN, app=None, role=None, expires=None, note=""
    )
    app = services.apps.find(alice, "shop", to=Permission.VIEW)
    secret = services.streams.open_output(
        alice, Origin("192.0.2.1", token=token.prefix), app, build=build
    )
    stream = CapabilityStream(services, services.streams.find(secret), secret)
    assert list(stream.rows("", lambda: True)) == [("1", "one"), ("2", "two")]
    assert list(stream.rows("1", lambda: True)) == [("2", "two")]
    services.tokens.revoke(alice, token.prefix)
    assert not stream.is_allowed()


def test_the_output_of_an_older_build(api: Api) -> None:
    """Of each build that is asked for, as long as it is kept; of a list, that of the newest."""
    for _ in range(2):
        create(api)
    newest, older = api.world.store.builds.of_app(1)
    for build in (newest, older):
        api.world.logs.builds[build.id] = [b"printed"]
    rows = api.ask("GET", PATH).json or []
    assert [row["output_stream_url"] is None for row in rows] == [False, True]
    answer = api.ask("GET", f"{PATH}/{older.id}").json or {}
    secret = answer["output_stream_url"].removeprefix("https://api.example.com/streams/")
    found = api.world.adapters.capabilities.find(Secret(secret))
    assert found is not None
    assert found.build == older.id
    del api.world.logs.builds[older.id]
    assert (api.ask("GET", f"{PATH}/{older.id}").json or {})["output_stream_url"] is None


def test_the_output_of_a_release_command(api: Api) -> None:
    """Of the newest release in a list, and of each that is asked for; none if none ran."""
    create(api)
    path = "/apps/shop/releases"
    assert (api.ask("GET", f"{path}/1").json or {})["output_stream_url"] is None
    api.world.logs.open_release(1, 1)(b"migrated")
    for answer in (api.ask("GET", path).json or [{}])[0], api.ask("GET", f"{path}/1").json or {}:
        secret = Secret(
            answer["output_stream_url"].removeprefix("https://api.example.com/streams/")
        )
        found = api.world.adapters.capabilities.find(secret)
        assert found is not None
        assert (found.user, found.app_id, found.release) == ("alice", 1, 1)


@pytest.mark.parametrize(
    "blob",
    [
        {"url": "file:///etc/passwd"},
        {"url": "https://me:secret@example.net/a.tgz"},
        {"url": 7},
        {"checksum": "MD5:00"},
        {"version": 1},
        {"unknown": "x"},
    ],
)
def test_what_is_refused(api: Api, blob: dict[str, object]) -> None:
    """With a sentence, and nothing is built."""
    answer = create(api, **blob)
    assert answer.status_code == 422
    assert answer.json["message"]
    assert api.world.store.builds.of_app(1) == []


def test_buildpacks_of_a_build_are_refused(api: Api) -> None:
    """They belong to the app here."""
    body = {"source_blob": {"url": URL}, "buildpacks": [{"url": "heroku/ruby"}]}
    answer = api.ask("POST", PATH, body)
    assert answer.status_code == 422
    assert "buildpacks:set" in answer.text


def test_a_build_that_has_ended_is_not_cancelled(api: Api) -> None:
    """And one that is not there is not found."""
    build = create(api).json["id"]
    assert api.world.store.builds.of_app(1)[0].status is Status.SUCCEEDED
    assert api.ask("DELETE", f"{PATH}/{build}").status_code == 409
    assert api.ask("DELETE", f"{PATH}/{build[:-1]}0").status_code == 404
    assert api.ask("GET", f"{PATH}/none").status_code == 404
