"""Redis: its orders, URLs and settings, and what users do with it alone, over fakes."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.adapters.datastores.places import Places
from paas.adapters.datastores.redis import conf, programs, users
from paas.adapters.datastores.redis.asking import fields
from paas.domain.datastores.datastores import Datastore, DatastoreState
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.names import DatastoreName, new_names
from paas.domain.datastores.plans import SMALL, STANDARD, Plan, parse_order
from paas.domain.datastores.redis import POLICY, Policy, max_memory_mib
from paas.domain.server.findings import Finding
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from tests.fakes.world import ROOT, World

NAME = "redis-quiet-otter-1234"
ONE = Datastore(
    id=3,
    name=DatastoreName("redis-curly-1234"),
    kind=DatastoreKind.REDIS,
    version="7.0",
    plan=SMALL,
    app_id=1,
    uid=70001,
    port=31000,
    state=DatastoreState.READY,
    password=Secret("0123abcd"),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def create(world: World) -> Datastore:
    """A Redis of the app shop, made by root."""
    order = (DatastoreKind.REDIS, SMALL)
    return world.datastores.create(ROOT, "shop", order, None, world.progress)


def refused(reference: str) -> pytest.RaisesExc[PaasError]:
    """An error of that reference."""
    return pytest.raises(PaasError, check=lambda error: error.reference == reference)


@pytest.mark.parametrize(
    ("text", "plan", "told"),
    [
        ("redis", SMALL, False),
        ("valkey", SMALL, False),
        ("redis:standard", STANDARD, False),
        ("heroku-redis:mini", SMALL, True),
        ("heroku-redis:premium-0", SMALL, True),
        ("heroku-key-value-store:premium-5", STANDARD, True),
    ],
)
def test_an_order(text: str, plan: Plan, *, told: bool) -> None:
    """A plan of Heroku's is taken as the nearest of ours, and that is reported."""
    kind, found, words = parse_order(text)
    assert (kind, found, words is not None) == (DatastoreKind.REDIS, plan, told)


def test_a_url() -> None:
    """With a user, and with a number in place of a database."""
    assert ONE.url.reveal() == (
        "redis://redis_curly_1234:0123abcd@redis-curly-1234.paas.internal:31000/0"
    )


def test_names() -> None:
    """The first is REDIS alone; further ones have a color."""
    assert new_names(DatastoreKind.REDIS, {"DATABASE"}, None) == ["REDIS"]
    assert new_names(DatastoreKind.REDIS, {"REDIS"}, None) == ["HEROKU_REDIS_AMBER"]


def test_memory_and_connections() -> None:
    """Far below the limit of its processes; and more connections than a PostgreSQL has."""
    assert [max_memory_mib(plan) for plan in (SMALL, STANDARD)] == [64, 256]
    assert ONE.connections == 200


def test_the_configuration() -> None:
    """Whole, and with the policy that was chosen."""
    at = Places(Path("/srv/datastores/3"), Path("/run/datastores/3"))
    chosen = replace(ONE, settings={POLICY: Policy.ALLKEYS_LRU})
    assert conf.redis_conf(at, 31000, chosen) == (Path(__file__).parent / "redis.conf").read_text()
    assert "maxmemory-policy noeviction\n" in conf.redis_conf(at, 31000, ONE)


def test_one_that_is_read_only_evicts_nothing() -> None:
    """Neither from the start, nor in the order in which a server is told, nor by another policy."""
    chosen = replace(ONE, settings={POLICY: Policy.ALLKEYS_LRU})
    assert conf.memory_commands(chosen, read_only=True) == [
        "CONFIG SET maxmemory-clients 32mb",
        "CONFIG SET maxmemory-policy noeviction",
        "CONFIG SET maxmemory 1",
    ]
    assert conf.memory_commands(chosen, read_only=False) == [
        "CONFIG SET maxmemory 64mb",
        "CONFIG SET maxmemory-clients 32mb",
        "CONFIG SET maxmemory-policy allkeys-lru",
    ]


def test_users() -> None:
    """The platform keeps all rights, also while the file is read; no password is in it."""
    default, app, *rest = users.users_acl(ONE, Secret("platform")).splitlines()
    assert default.startswith("user default on #")
    assert default.endswith(" ~* &* +@all")
    assert app.startswith("user redis_curly_1234 on #")
    assert " ~* &* +@all -@admin -@dangerous +" in app
    assert rest == []
    assert "0123abcd" not in app


@pytest.mark.parametrize(
    ("said", "version"), [("redis-cli 7.0.15\n", "7.0"), ("valkey-cli 8.1.1 (git:0)\n", "8.1")]
)
def test_a_version(said: str, version: str) -> None:
    """Of Redis, or of Valkey."""
    assert programs.version_in(said) == version


@pytest.mark.parametrize("said", ["", "redis-cli 6.0.16\n", "redis-cli x\n"])
def test_one_that_is_too_old(said: str) -> None:
    """It has no rights for subcommands."""
    with refused("redis-old"):
        programs.version_in(said)


def test_which_programs_are_used(tmp_path: Path) -> None:
    """Redis rather than Valkey; the server is in the package of the tools, under another name."""
    assert programs.present(tmp_path) is None
    for word in ("valkey", "redis"):
        for tool in ("cli", "check-rdb"):
            (tmp_path / f"{word}-{tool}").touch()
        found = programs.present(tmp_path)
        assert found is not None
        assert (found.word, found.server) == (word, tmp_path / f"{word}-check-rdb")
    (tmp_path / "redis-server").touch()
    assert programs.Programs("redis", tmp_path).server == tmp_path / "redis-server"


def test_logins_that_are_still_in_use() -> None:
    """Their lines stay until they are dropped; connections are counted by login."""
    later = ONE.with_next_login(Secret("next"))
    text = users.users_acl(ONE, Secret("platform"))
    former = users.former_lines(text, later)
    assert former == text.splitlines()[1:]
    both = users.users_acl(later, Secret("platform"), former)
    assert users.former_lines(both, later) == former
    assert users.former_logins("default\nredis_curly_1234\nb\n", ONE) == ["b"]
    said = "id=3 user=default lib=x\nid=4 user=a resp=2\nid=5 user=b resp=2\n"
    assert users.connections(said) == 2
    assert users.connections(said, ["b"]) == 1


def test_fields_of_info() -> None:
    """Headings are none."""
    assert fields("# Server\r\nredis_version:7.0.15\r\n\r\ndb0:keys=3,expires=0\r\n") == {
        "redis_version": "7.0.15",
        "db0": "keys=3,expires=0",
    }


def test_a_new_one(world: World) -> None:
    """The app has its URL in one config var."""
    world.app()
    world.push()
    made = create(world)
    assert made.name == NAME
    attached = [name for name in world.environment() if name.endswith("_URL")]
    assert attached == ["REDIS_URL"]


def test_what_happens_when_it_is_full(world: World) -> None:
    """It is recorded, and its server told; by somebody who may configure the app that has it."""
    alice = world.user("alice")
    world.app(actor=alice)
    world.app("blog")
    create(world)
    assert world.redis.policy(alice, "shop", None) is Policy.NOEVICTION
    world.redis.set_policy(alice, "shop", None, Policy.ALLKEYS_LRU, world.progress)
    assert world.redis.policy(alice, "shop", "REDIS") is Policy.ALLKEYS_LRU
    assert world.redis_servers.policies == {NAME: Policy.ALLKEYS_LRU}
    found = world.store.datastores.find(NAME)
    assert found is not None
    assert json.dumps(dict(found.settings)) == '{"maxmemory-policy": "allkeys-lru"}'
    world.attachments.attach(ROOT, "blog", NAME, None, world.progress)
    with refused("datastore-of-another-app"):
        world.redis.set_policy(ROOT, "blog", None, Policy.VOLATILE_TTL, world.progress)
    assert world.redis_servers.policies == {NAME: Policy.ALLKEYS_LRU}


def test_commands_for_redis_leave_others_alone(world: World) -> None:
    """A PostgreSQL has no policy."""
    world.app()
    order = (DatastoreKind.POSTGRESQL, SMALL)
    made = world.datastores.create(ROOT, "shop", order, None, world.progress)
    with refused("datastore-kind"):
        world.redis.policy(ROOT, "shop", made.name)
    with refused("which-datastore"):
        world.redis.policy(ROOT, "shop", None)


def test_a_new_login(world: World) -> None:
    """The app gets it in the same config var."""
    world.app()
    world.push()
    former = create(world)
    world.rotation.rotate(ROOT, "shop", None, DatastoreKind.REDIS, world.progress, force=False)
    found = world.store.datastores.find(NAME)
    assert found is not None
    assert (found.login, found.url == former.url) == ("redis_quiet_otter_1234_1", False)
    assert world.environment()["REDIS_URL"] == found.url.reveal()
    assert found.url.reveal().endswith("/0")


def test_doctor_tells_what_endangers_it(world: World) -> None:
    """On a machine that has one."""
    hazard = Finding(check="datastores", message="Memory.", command="sysctl", grave=False)
    world.datastore_server.dangers = [hazard]
    world.app()
    assert hazard not in world.doctor.diagnosis.findings()
    create(world)
    assert hazard in world.doctor.diagnosis.findings()
