"""Capabilities: what they open, for how long, and for whom."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from paas.adapters.streams.capability_files import CapabilityFiles
from paas.domain.logs.loglines import LogFilter
from paas.domain.people.origins import UNKNOWN_ORIGIN, Origin
from paas.domain.people.permissions import Permission
from paas.domain.people.tokens import TokenPrefix
from paas.domain.streams.capabilities import PER_USER, Capability
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, UserName
from paas.domain.values.secret import Secret
from paas.services.streams.streams import LogWish
from paas.wiring.services import all_services
from tests.fakes.world import World

CAPABILITY = Capability(user=UserName("alice"), token=TokenPrefix("Ab12Cd34"), app_id=5, tail=True)


def files_of(folder: Path) -> list[Path]:
    """The files of all users."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_secret_opens_what_it_was_issued_for(tmp_path: Path) -> None:
    """No other text does, and the files do not tell it."""
    capabilities = CapabilityFiles(tmp_path)
    secret = capabilities.issue(CAPABILITY)
    assert capabilities.find(secret) == CAPABILITY
    for other in ("", "x" * 43, "../" + secret.reveal(), secret.reveal()[:-1]):
        assert capabilities.find(Secret(other)) is None
    (path,) = files_of(tmp_path)
    assert secret.reveal() not in path.name + path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_ends_some_minutes_after_its_last_use(tmp_path: Path) -> None:
    """And is removed when the next is issued."""
    capabilities = CapabilityFiles(tmp_path)
    secret = capabilities.issue(CAPABILITY)
    (path,) = files_of(tmp_path)
    long_ago = time.time() - 301
    os.utime(path, (long_ago, long_ago))
    assert capabilities.find(secret) is None
    capabilities.touch(secret)
    assert capabilities.find(secret) == CAPABILITY
    os.utime(path, (long_ago, long_ago))
    capabilities.issue(CAPABILITY)
    assert path not in files_of(tmp_path)


def test_a_user_has_only_so_many(tmp_path: Path) -> None:
    """The oldest give way; other users keep theirs."""
    capabilities = CapabilityFiles(tmp_path)
    others = capabilities.issue(replace(CAPABILITY, user=UserName("bob")))
    for _ in range(PER_USER + 3):
        last = capabilities.issue(CAPABILITY)
    assert len(files_of(tmp_path / "alice")) == PER_USER
    assert capabilities.find(last) and capabilities.find(others)


@pytest.mark.parametrize(
    ("process", "source", "wanted"),
    [
        ("web.1", None, LogFilter(instance="web.1")),
        ("web", "app", LogFilter(kind="web", source="app")),
        (None, "heroku", LogFilter(hidden="app")),
        (None, "router", LogFilter(source="router")),
    ],
)
def test_what_is_followed(process: str | None, source: str | None, wanted: LogFilter) -> None:
    """As Heroku's command line names it."""
    assert replace(CAPABILITY, process=process, source=source).wanted == wanted


@pytest.fixture
def world(in_memory: Path) -> World:
    """With a user and her app."""
    return World(in_memory)


def test_a_stream_ends_with_its_token(world: World) -> None:
    """Whoever has the secret has no more rights than the token."""
    services = all_services(world.adapters)
    alice = world.user("alice")
    services.apps.create(alice, AppName("shop"))
    app = services.apps.find(alice, "shop", to=Permission.VIEW)
    _, token = services.tokens.create(
        alice, UNKNOWN_ORIGIN, app=None, role=None, expires=None, note=""
    )
    origin = Origin("192.0.2.1", token=token.prefix)
    world.logs.write(app.id, "deploy", "one")
    opened = services.streams.open_log(alice, origin, "shop", LogWish(1, tail=False))
    found = services.streams.find(opened)
    ((mark, line),) = services.streams.log_lines(found, "", lambda: True)
    assert line.text == "one"
    assert list(services.streams.log_lines(found, mark, lambda: True)) == []
    services.tokens.revoke(alice, token.prefix)
    with pytest.raises(PaasError, match="not known"):
        services.streams.find(opened)


@pytest.mark.parametrize(
    ("process", "source"), [("web.1;", None), ("../x", None), (None, "kernel")]
)
def test_filters_that_no_line_passes_are_refused(
    world: World, process: str | None, source: str | None
) -> None:
    """Rather than an empty stream."""
    services, alice = all_services(world.adapters), world.user("alice")
    services.apps.create(alice, AppName("shop"))
    origin = Origin("192.0.2.1", token="Ab12Cd34")
    with pytest.raises(PaasError):
        services.streams.open_log(alice, origin, "shop", LogWish(1, False, process, source))
