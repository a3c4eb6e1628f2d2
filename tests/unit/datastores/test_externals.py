"""Databases elsewhere: what their URLs may say, what may be asked, and attaching them, on fakes."""

import pytest

from paas.domain.datastores.external import ExternalFacts, parse_external_url, why_not_asked
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.releases.releases import State
from paas.domain.values.errors import PaasError
from tests.fakes.runtime import Behaviour
from tests.fakes.world import ROOT, World
from tests.unit.datastores.test_datastores import NAME, create, refused

CANARY = "canary-7d1c0a"
URL = f"postgres://u5:{CANARY}%21@db.example.com/d5?sslmode=require"


def attach(world: World, name: str = "DATABASE", url: str = URL) -> None:
    """To shop, by root."""
    world.externals.attach(ROOT, "shop", url, AttachmentName(name), world.progress)


def test_a_url_as_heroku_gives_it() -> None:
    """Login and database are decoded."""
    found = parse_external_url(URL)
    assert (found.kind, found.host, found.port) == (
        DatastoreKind.POSTGRESQL,
        "db.example.com",
        5432,
    )
    assert (found.user, found.password.reveal(), found.database) == ("u5", f"{CANARY}!", "d5")
    assert found.tls == "require"
    assert CANARY not in repr(found)


@pytest.mark.parametrize(
    ("url", "host", "user", "database", "tls"),
    [
        ("mysql://u:p@h/d", "h:3306", "u", "d", None),
        ("mysql+pymysql://u:p@h/d?charset=utf8mb4", "h:3306", "u", "d", None),
        ("mysql2://u:p@h:25060/d?ssl-mode=REQUIRED", "h:25060", "u", "d", "require"),
        ("mysql://u:p@h/d?ssl_mode=VERIFY_IDENTITY", "h:3306", "u", "d", "verify-full"),
        ("mysql://u:p@h/d?sslmode=DISABLED", "h:3306", "u", "d", "disable"),
        (
            "mysql://u:p@h/d?ssl=%7B%22rejectUnauthorized%22%3Atrue%7D",
            "h:3306",
            "u",
            "d",
            "require",
        ),
        ("mysql://u:p@h/d?useSSL=false", "h:3306", "u", "d", "disable"),
        ("redis://:p@h", "h:6379", "", "0", "disable"),
        ("redis://u:p@h:7000/3", "h:7000", "u", "3", "disable"),
        ("rediss://:p@h:25061/?ssl_cert_reqs=none", "h:25061", "", "0", "require"),
        ("postgresql+psycopg://u:p@h/d", "h:5432", "u", "d", None),
    ],
)
def test_urls_as_others_give_them(
    url: str, host: str, user: str, database: str, tls: str | None
) -> None:
    """Of each kind, with the words that its drivers and providers have for TLS."""
    found = parse_external_url(url)
    assert f"{found.host}:{found.port}" == host
    assert (found.user, found.database, found.tls) == (user, database, tls)
    assert found.text.reveal() == url


@pytest.mark.parametrize(
    ("version", "words"),
    [("8.0.36", "MySQL 8.0.36"), ("10.11.6-MariaDB", "MariaDB 10.11.6")],
)
def test_a_product_is_named_by_its_version(version: str, words: str) -> None:
    """MySQL is not MariaDB, though the kind is the same."""
    assert ExternalFacts(version, encrypted=True).words(DatastoreKind.MYSQL) == words


@pytest.mark.parametrize(
    "url",
    [
        "",
        f"mongodb://u:{CANARY}@h/d",
        f"postgresql://u:{CANARY}@/d",
        f"postgresql://u:{CANARY}@h",
        "postgresql://u@h/d",
        f"postgresql://u:{CANARY}@h:0/d",
        f"postgresql://u:{CANARY}@h:99999/d",
        f"postgresql://u:{CANARY}@h/d?sslmode=sometimes",
        f"postgresql://u:{CANARY}@h/d\n",
        f"postgresql://u:{CANARY}%00@h/d",
        f"postgresql://u:{CANARY}@h/" + "d" * 3000,
        f"mysql://u:{CANARY}@h",
        f"mysql://:{CANARY}@h/d",
        f"mysql://u:{CANARY}@h/d?ssl-mode=SOMETIMES",
        "redis://h/0",
        "redis://u@h/0",
        f"redis://:{CANARY}@h/none",
        f"redis://:{CANARY}@h/0/1",
    ],
)
def test_a_url_that_is_none(url: str) -> None:
    """Is refused without being repeated."""
    with pytest.raises(PaasError) as caught:
        parse_external_url(url)
    assert caught.value.reference == "external-url"
    assert CANARY not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize(
    ("address", "private", "asked"),
    [
        ("203.0.113.7", False, True),
        ("2001:db8::7", False, True),
        ("10.1.2.3", True, True),
        ("10.1.2.3", False, False),
        ("::ffff:10.1.2.3", False, False),
        ("fd12::1", False, False),
        ("127.0.0.1", True, False),
        ("::1", True, False),
        ("::ffff:127.0.0.1", True, False),
        ("0.0.0.0", True, False),
        ("169.254.169.254", True, False),
        ("fd00:ec2::254", True, False),
        ("100.100.100.200", True, False),
    ],
)
def test_what_the_server_asks(address: str, *, private: bool, asked: bool) -> None:
    """Nothing that it alone can reach."""
    assert (why_not_asked(address, private=private) is None) is asked


def test_it_is_checked_and_attached(world: World) -> None:
    """As a release; its URL is in none, and printed nowhere."""
    app = world.app()
    world.push()
    attach(world)
    assert world.environment()["DATABASE_URL"] == URL
    assert world.external_server.asked == ["203.0.113.7"]
    release = world.store.releases.of_app(app.id)[0]
    assert release.description == "Attach DATABASE (external-quiet-otter-1234)"
    assert "DATABASE_URL" not in release.config
    assert CANARY not in "".join(world.progress.lines)
    (row,) = world.store.database.rows("SELECT url FROM externals")
    assert CANARY not in row["url"]
    assert world.datastore_clients.clients == []
    world.attachments.detach(ROOT, "shop", ["DATABASE"], world.progress)
    assert world.store.externals.of_app(app.id) == []
    assert "DATABASE_URL" not in world.environment()


def test_one_that_cannot_be_used_is_not_taken(world: World) -> None:
    """Neither if it cannot be reached nor if it refuses the login."""
    app = world.app()
    with refused(world, "external-unreachable"):
        attach(world, url=URL.replace("db.example.com", "localhost"))
    assert world.external_server.asked == []
    world.external_server.password = "another"
    with refused(world, "external-refused"):
        attach(world)
    assert world.store.externals.of_app(app.id) == []


def test_an_app_that_does_not_come_up_with_it(world: World) -> None:
    """Nothing of it is left."""
    app = world.app()
    world.push()
    world.runtime.break_new("serve", Behaviour(State.CRASHED, exits=1))
    with pytest.raises(PaasError):
        attach(world)
    assert world.store.externals.of_app(app.id) == []
    assert world.store.datastores.attachments() == []


def test_it_is_promoted_and_takes_turns(world: World) -> None:
    """With a datastore of this server, either way."""
    world.app()
    world.push()
    made = create(world)
    attach(world, "HEROKU")
    kind = DatastoreKind.POSTGRESQL
    world.attachments.promote(ROOT, "shop", "HEROKU", kind, world.progress)
    assert world.environment()["DATABASE_URL"] == URL
    assert world.externals.chosen(ROOT, "shop", None, kind) is not None
    world.attachments.promote(ROOT, "shop", NAME, kind, world.progress)
    assert world.environment()["DATABASE_URL"] == made.url.reveal()
    assert world.environment()["HEROKU_URL"] == URL
    assert world.externals.chosen(ROOT, "shop", None, kind) is None


def test_without_tls_is_told(world: World) -> None:
    """It is taken all the same: it may be in a network that nobody else reads."""
    world.app()
    world.external_server.facts = ExternalFacts("14.2", encrypted=False)
    attach(world)
    assert any("can be read in transit" in text for text in world.progress.lines)


def test_a_name_is_taken_once(world: World) -> None:
    """Whatever has it."""
    world.app()
    create(world)
    with refused(world, "attachment-taken"):
        attach(world)


REDIS_URL = f"rediss://:{CANARY}@cache.example.com:25061"
MYSQL_URL = f"mysql+pymysql://u5:{CANARY}@db.example.com/d5"


def test_each_kind_has_its_first(world: World) -> None:
    """And its words are for that kind alone."""
    world.app()
    world.push()
    attach(world, "DATABASE", MYSQL_URL)
    world.random_name = "loud-crow-5678"
    attach(world, "REDIS", REDIS_URL)
    assert world.environment()["DATABASE_URL"] == MYSQL_URL
    assert world.environment()["REDIS_URL"] == REDIS_URL
    for kind, name in (
        (DatastoreKind.MYSQL, "DATABASE"),
        (DatastoreKind.REDIS, "REDIS"),
    ):
        meant = world.externals.chosen(ROOT, "shop", None, kind)
        assert meant is not None
        assert meant == world.externals.chosen(ROOT, "shop", name, kind)
        assert meant.kind is kind
    assert world.externals.chosen(ROOT, "shop", None, DatastoreKind.POSTGRESQL) is None
    with refused(world, "datastore-kind"):
        world.externals.chosen(ROOT, "shop", "REDIS", DatastoreKind.MYSQL)


def test_the_only_one_of_its_kind_is_meant(world: World) -> None:
    """Under whatever name, unless this server runs one that is attached."""
    world.app()
    attach(world, "HEROKU")
    kind = DatastoreKind.POSTGRESQL
    assert world.externals.chosen(ROOT, "shop", None, kind) is not None
    create(world)
    assert world.externals.chosen(ROOT, "shop", None, kind) is None


def test_what_this_server_cannot_do_with_it(world: World) -> None:
    """Is refused with the reason, by each of its names and without one."""
    world.app()
    attach(world, "HEROKU")
    for wanted in ("HEROKU", "external-quiet-otter-1234", None):
        with refused(world, "external"):
            world.rotation.rotate(
                ROOT, "shop", wanted, DatastoreKind.POSTGRESQL, world.progress, force=False
            )


def test_a_new_password(world: World) -> None:
    """By the new URL, under the same name; a release, and the same database elsewhere."""
    app = world.app()
    world.push()
    attach(world, "HEROKU")
    (before,) = world.store.externals.of_app(app.id)
    new = URL.replace(CANARY, "another")
    attach(world, "HEROKU", new)
    (after,) = world.store.externals.of_app(app.id)
    assert (after.id, after.name, after.url.reveal()) == (before.id, before.name, new)
    assert world.environment()["HEROKU_URL"] == new
    release = world.store.releases.of_app(app.id)[0]
    assert release.description == "Change the URL of external-quiet-otter-1234"
    assert not any("a different database" in text for text in world.progress.lines)
    attach(world, "HEROKU", new.replace("db.", "db2."))
    assert any("d5 at db2.example.com:5432, not d5" in t for t in world.progress.lines)
    with refused(world, "datastore-kind"):
        attach(world, "HEROKU", MYSQL_URL)


def test_a_new_password_that_is_wrong_or_does_not_work_in_the_app(world: World) -> None:
    """Changes nothing."""
    app = world.app()
    world.push()
    attach(world, "HEROKU")
    before = world.store.externals.of_app(app.id)
    world.external_server.password = f"{CANARY}!"
    with refused(world, "external-refused"):
        attach(world, "HEROKU", URL.replace(CANARY, "wrong"))
    world.external_server.password = None
    world.runtime.break_new("serve", Behaviour(State.CRASHED, exits=1))
    with pytest.raises(PaasError):
        attach(world, "HEROKU", URL.replace(CANARY, "another"))
    assert world.store.externals.of_app(app.id) == before


def test_a_destroyed_app_leaves_no_url(world: World) -> None:
    """It is a secret of that app."""
    world.app()
    attach(world)
    world.apps.destroy(ROOT, "shop", "shop", world.progress)
    assert world.store.database.rows("SELECT * FROM externals") == []
