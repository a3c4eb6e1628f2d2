"""The kinds of datastore: the server of each, and the names under which apps find it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

AttachmentName = NewType("AttachmentName", str)


class DatastoreKind(StrEnum):
    """The server that a datastore runs."""

    POSTGRESQL = "postgresql"
    MYSQL = "mysql"
    REDIS = "redis"

    @property
    def traits(self) -> "Traits":
        """What distinguishes it."""
        return _TRAITS[self]


@dataclass(frozen=True, slots=True)
class Traits:
    """What distinguishes one kind of datastore.

    product: its name in prose. prefix: of its own commands. words: what users call it in
    ``addons:create``, including Heroku's name. package: Debian's packages with its server,
    separated by spaces. scheme: of its URLs. firsts: the names of an app's first one, unless they
    are taken. color_prefix: the beginning of the names of further ones. always_colored: whether the
    first one has such a name, too. database: the last part of its URLs; None means the login.
    connections: how many there are for each one of a plan's. small: Heroku's plans that are closest
    to the smallest of ours. while_read_only: how something can be deleted then. schemes: others
    that may be chosen, by which libraries select a driver.
    """

    product: str
    prefix: str
    words: frozenset[str]
    package: str
    scheme: str
    firsts: tuple[AttachmentName, ...]
    color_prefix: str
    always_colored: bool
    database: str | None
    connections: int
    small: frozenset[str]
    while_read_only: str
    schemes: frozenset[str] = frozenset()


_TRAITS = {
    # The scheme: SQLAlchemy refuses ``postgres``.
    DatastoreKind.POSTGRESQL: Traits(
        product="PostgreSQL",
        prefix="pg",
        words=frozenset({"postgresql", "postgres", "heroku-postgresql"}),
        package="postgresql",
        scheme="postgresql",
        firsts=(AttachmentName("DATABASE"),),
        color_prefix="HEROKU_POSTGRESQL_",
        always_colored=True,
        database=None,
        connections=1,
        small=frozenset({"mini", "basic", "hobby-dev", "hobby-basic", "essential-0"}),
        while_read_only="To delete rows meanwhile, with paas pg:psql: "
        "SET default_transaction_read_only = off",
        schemes=frozenset(
            {
                *("postgres", "postgis", "postgresql+psycopg", "postgresql+psycopg2"),
                *("postgresql+asyncpg", "postgresql+pg8000"),
            }
        ),
    ),
    # JawsDB's and ClearDB's, for which Heroku's apps are written; PostgreSQL may be the DATABASE.
    DatastoreKind.MYSQL: Traits(
        product="MariaDB",
        prefix="mysql",
        words=frozenset({"mysql", "mariadb", "jawsdb", "jawsdb-maria", "cleardb"}),
        package="mariadb-server-core mariadb-client",
        scheme="mysql",
        firsts=(AttachmentName("DATABASE"), AttachmentName("JAWSDB")),
        color_prefix="JAWSDB_",
        always_colored=False,
        database=None,
        connections=1,
        small=frozenset({"kitefin", "ignite"}),
        while_read_only="To delete tables meanwhile, with paas mysql:client: SET ROLE paas_writer",
        schemes=frozenset(
            {
                *("mysql2", "mysql+pymysql", "mysql+mysqldb", "mysql+mysqlconnector"),
                *("mysql+asyncmy", "mysql+aiomysql", "mariadb", "mariadb+pymysql"),
                *("mariadb+mysqldb", "mariadb+mariadbconnector", "trilogy"),
            }
        ),
    ),
    # Its connections cost next to nothing, and each worker process holds several.
    DatastoreKind.REDIS: Traits(
        product="Redis",
        prefix="redis",
        words=frozenset({"redis", "heroku-redis", "heroku-key-value-store", "valkey"}),
        package="redis-tools",
        scheme="redis",
        firsts=(AttachmentName("REDIS"),),
        color_prefix="HEROKU_REDIS_",
        always_colored=False,
        database="0",
        connections=10,
        small=frozenset({"mini", "hobby-dev", "premium-0"}),
        while_read_only="Keys can be deleted meanwhile.",
    ),
}
