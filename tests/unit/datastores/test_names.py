"""Datastores: their names, plans and attachments, and what apps find of them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from paas.domain.datastores.datastores import Attachment, Datastore, DatastoreState, with_attached
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.names import (
    COLORS,
    DatastoreName,
    attachment_name,
    datastore_name,
    names_of_vars,
    new_names,
    scheme_of,
)
from paas.domain.datastores.plans import SMALL, STANDARD, Plan, parse_order
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret

ONE = Datastore(
    id=3,
    name=DatastoreName("postgresql-curly-1234"),
    kind=DatastoreKind.POSTGRESQL,
    version="15",
    plan=SMALL,
    app_id=1,
    uid=70001,
    port=31000,
    state=DatastoreState.READY,
    password=Secret("p@ss/1"),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def test_a_url() -> None:
    """SQLAlchemy knows the scheme, the password is quoted, and none of it is shown by accident."""
    assert ONE.url.reveal() == (
        "postgresql://postgresql_curly_1234:p%40ss%2F1@"
        "postgresql-curly-1234.paas.internal:31000/postgresql_curly_1234"
    )
    assert "p@ss" not in repr(ONE)
    assert "p%40ss" not in repr(ONE.url)


def test_the_supervisor_s_group_is_not_an_app_s() -> None:
    """Those of apps begin with a number."""
    assert ONE.group == "datastore-3"


@pytest.mark.parametrize(
    ("text", "plan", "told"),
    [
        ("postgresql", SMALL, False),
        ("postgresql:standard", STANDARD, False),
        ("heroku-postgresql:essential-0", SMALL, True),
        ("heroku-postgresql:hobby-dev", SMALL, True),
        ("heroku-postgresql:premium-4", STANDARD, True),
    ],
)
def test_an_order(text: str, plan: Plan, *, told: bool) -> None:
    """A plan of Heroku's is taken as the nearest of ours, and that is reported."""
    kind, found, words = parse_order(text)
    assert (kind, found, words is not None) == (DatastoreKind.POSTGRESQL, plan, told)


@pytest.mark.parametrize("text", ["", "oracle", "postgresql:", "postgresql:huge", "postgresql\n"])
def test_an_order_of_something_else(text: str) -> None:
    """It is refused, with what there is."""
    with pytest.raises(PaasError) as caught:
        parse_order(text)
    assert caught.value.exit_code == 2
    assert caught.value.hint


@pytest.mark.parametrize("text", ["", "postgresql", "Postgresql-a-1", "a-b\n", "pg-a-", "x" * 70])
def test_a_bad_name(text: str) -> None:
    """It is refused, not repaired."""
    with pytest.raises(PaasError, match="is not the name of a datastore"):
        datastore_name(text)


@pytest.mark.parametrize("text", ["", "database", "1A", "A-B", "A\n", "A" * 64, "DATABASE_URL"])
def test_a_bad_attachment_name(text: str) -> None:
    """Neither what no config var can be called, nor what would be doubled."""
    with pytest.raises(PaasError) as caught:
        attachment_name(text)
    assert caught.value.reference == "attachment-name"


def test_the_first_one_is_the_database() -> None:
    """And has a color as well; further ones have a color alone, a new one."""
    first = new_names(DatastoreKind.POSTGRESQL, set(), None)
    assert first == [AttachmentName("DATABASE"), "HEROKU_POSTGRESQL_AMBER"]
    assert new_names(DatastoreKind.POSTGRESQL, set(first), None) == ["HEROKU_POSTGRESQL_AQUA"]


def test_a_config_var_of_that_name_stays() -> None:
    """An app that has a DATABASE_URL already gets the new one by its color."""
    taken = names_of_vars(["DATABASE_URL", "PORTAL"])
    assert taken == {"DATABASE"}
    assert new_names(DatastoreKind.POSTGRESQL, taken, None) == ["HEROKU_POSTGRESQL_AMBER"]
    with pytest.raises(PaasError, match="already has the config var DATABASE_URL"):
        new_names(DatastoreKind.POSTGRESQL, taken, AttachmentName("DATABASE"))


@pytest.mark.parametrize("text", ["mysql", "mariadb", "jawsdb", "jawsdb-maria", "cleardb"])
def test_an_order_of_mariadb(text: str) -> None:
    """By its own name, MySQL's, and those of Heroku's add-ons."""
    assert parse_order(text)[0] is DatastoreKind.MYSQL


def test_the_first_mariadb_is_the_database() -> None:
    """As far as that is free, and by the name of Heroku's add-on too; further ones have colors."""
    first = new_names(DatastoreKind.MYSQL, set(), None)
    assert first == [AttachmentName("DATABASE"), "JAWSDB"]
    assert new_names(DatastoreKind.MYSQL, {"DATABASE"}, None) == ["JAWSDB"]
    assert new_names(DatastoreKind.MYSQL, {*first}, None) == ["JAWSDB_AMBER"]
    assert new_names(DatastoreKind.POSTGRESQL, {*first}, None) == ["HEROKU_POSTGRESQL_AMBER"]


def test_a_url_with_the_scheme_of_a_driver() -> None:
    """Only one that some library knows; nothing else of the URL changes."""
    scheme = scheme_of(DatastoreKind.POSTGRESQL, "postgresql+psycopg")
    assert ONE.url_with(scheme).reveal() == ONE.url.reveal().replace("ql://", "ql+psycopg://")
    assert scheme_of(DatastoreKind.MYSQL, "mysql+pymysql")
    assert scheme_of(DatastoreKind.MYSQL, "mysql") == "mysql"
    for text in ("mysql+pymysql", "", "javascript", "postgresql\n", "postgresql://x"):
        with pytest.raises(PaasError) as caught:
            scheme_of(DatastoreKind.POSTGRESQL, text)
        assert caught.value.reference == "datastore-scheme"


def test_a_name_of_one_s_own() -> None:
    """It is the only one then."""
    assert new_names(DatastoreKind.POSTGRESQL, {"DATABASE"}, AttachmentName("STATS")) == ["STATS"]


def test_all_colors_are_taken() -> None:
    """A name of one's own is left."""
    taken = {f"HEROKU_POSTGRESQL_{color}" for color in COLORS}
    with pytest.raises(PaasError) as caught:
        new_names(DatastoreKind.POSTGRESQL, taken, None)
    assert caught.value.hint == "Name this one: --as NAME"


def test_what_is_attached_now_takes_precedence() -> None:
    """Whatever a release had of that name."""
    var = Attachment(1, AttachmentName("DATABASE"), ONE.name).var
    config = with_attached({var: Secret("old"), "A": Secret("1")}, {var: ONE.url})
    assert {name: value.reveal() for name, value in config.items()} == {
        "DATABASE_URL": ONE.url.reveal(),
        "A": "1",
    }
    later = replace(ONE, password=Secret("new"))
    assert "new" in with_attached(config, {var: later.url})[var].reveal()
