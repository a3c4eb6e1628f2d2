"""The SQL that replaces one database with another, and what is loaded from a dump."""

import re
from collections.abc import Sequence

from paas.adapters.datastores.postgresql.sql import identifier, literal, owner_of
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.extensions import HARMLESS

# What a database may contain and an app cannot make; and the schema that is there already.
_LEFT_OUT = re.compile(
    r"\d+; \d+ \d+ (?:COMMENT - EXTENSION|EVENT TRIGGER|PUBLICATION|SUBSCRIPTION|"
    r"SCHEMA - public|COMMENT - SCHEMA public)\b.*"
)
_EXTENSION = re.compile(r"\d+; \d+ \d+ EXTENSION - ([a-z0-9_-]{1,63}) .*")
COUNT_TABLES = (
    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%' "
    "AND n.nspname <> 'information_schema' AND NOT EXISTS "
    "(SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e');"
)


def staging_of(datastore: Datastore) -> str:
    """The database that is filled beside the live one."""
    return f"{datastore.database}_new"


def _former_of(datastore: Datastore) -> str:
    """The former live database, until the new one serves."""
    return f"{datastore.database}_old"


def make_staging(datastore: Datastore) -> str:
    """An empty database, created like the live one."""
    name, owner = identifier(staging_of(datastore)), identifier(owner_of(datastore))
    return (
        f"CREATE DATABASE {name} OWNER {owner} TEMPLATE template0;\n"
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;\n"
    )


def make_extensions(names: Sequence[str]) -> str:
    """Extensions that only the superuser can create, if they are harmless and installed."""
    return "".join(
        f"SELECT 'CREATE EXTENSION IF NOT EXISTS ' || quote_ident(name) || ' CASCADE' "
        f"FROM pg_available_extensions WHERE name = {literal(name)} \\gexec\n"
        for name in names
        if name in HARMLESS
    )


def left_over(datastore: Datastore) -> str:
    """The names of the databases that an interrupted swap left."""
    names = f"{literal(staging_of(datastore))}, {literal(_former_of(datastore))}"
    return f"SELECT datname FROM pg_database WHERE datname IN ({names});"


def drop(name: str) -> str:
    """Drop one of these."""
    return f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE);"


def exchange(datastore: Datastore) -> str:
    """Rename both databases, together or not at all."""
    present, staging = identifier(datastore.database), identifier(staging_of(datastore))
    former = identifier(_former_of(datastore))
    return (
        "BEGIN;\n"
        f"ALTER DATABASE {present} RENAME TO {former};\n"
        f"ALTER DATABASE {staging} RENAME TO {present};\n"
        "COMMIT;\n"
    )


def end_connections(datastore: Datastore) -> str:
    """End all connections to both."""
    names = f"{literal(datastore.database)}, {literal(staging_of(datastore))}"
    return (
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname IN ({names}) AND pid <> pg_backend_pid();"
    )


def extensions_of(entries: Sequence[str]) -> list[str]:
    """The extensions in a table of contents, by ``pg_restore --list``."""
    return [found[1] for line in entries if (found := _EXTENSION.fullmatch(line))]


def entries_to_load(entries: Sequence[str]) -> list[str]:
    """The lines of a table of contents, without what an app cannot create."""
    return [line for line in entries if _LEFT_OUT.fullmatch(line) is None]
