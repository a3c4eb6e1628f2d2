"""The SQL that sets up a PostgreSQL datastore: pure functions that render it."""

from paas.domain.datastores.datastores import Datastore


def identifier(name: str) -> str:
    """A name, quoted."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string, quoted; standard_conforming_strings is on, so a backslash is not an escape."""
    return "'" + text.replace("'", "''") + "'"


# Keeps passwords out of the server's log, and out of the texts that pg_stat_statements stores.
UNSEEN = "SET log_min_error_statement = panic;\nSET pg_stat_statements.track_utility = off;\n"
_FIRST_WITH_STRATEGIES = 15
# In a database whose owner may set what applies to every session there.
_AS_OURSELVES = (
    "SET search_path = pg_catalog;\nSET ROLE NONE;\nSET default_transaction_read_only = off;\n"
)


def set_up(datastore: Datastore) -> str:
    """Roles and database; each part may exist already.

    What apps create belongs to a role that cannot log in, so that another login can replace this
    one. Nobody else may connect to the database, and apps to no other.
    """
    database, owner = identifier(datastore.database), identifier(owner_of(datastore))
    lines = (
        unless("pg_roles", "rolname", owner_of(datastore), f"CREATE ROLE {owner} NOLOGIN"),
        add_login(datastore),
        unless(
            "pg_database",
            "datname",
            datastore.database,
            f"CREATE DATABASE {database} OWNER {owner} TEMPLATE template0{_copied(datastore)}",
        ),
        *(
            f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;"
            for name in (database, "postgres", "template1")
        ),
    )
    return "\n".join(lines) + "\n"


def add_login(datastore: Datastore) -> str:
    """The present login, which acts as the owner; it may exist already."""
    login, owner = identifier(datastore.login), owner_of(datastore)
    password, limit = literal(datastore.password.reveal()), datastore.plan.connections
    return (
        f"{UNSEEN}"
        f"{unless('pg_roles', 'rolname', datastore.login, f'CREATE ROLE {login} LOGIN')}\n"
        f"ALTER ROLE {login} LOGIN PASSWORD {password} CONNECTION LIMIT {limit:d};\n"
        f"GRANT {identifier(owner)} TO {login};\n"
        f"ALTER ROLE {login} SET role = {literal(owner)};\n"
    )


def end_former_logins(datastore: Datastore) -> str:
    """Lock former logins and end their sessions: one row, how many those were."""
    former = _former_logins(datastore)
    return (
        f"SELECT format('ALTER ROLE %I NOLOGIN', rolname) FROM ({former}) former \\gexec\n"
        "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity "
        f"WHERE usename IN ({former});\n"
    )


def drop_former_logins(datastore: Datastore) -> str:
    """Remove them; run in the database. What they own outside of the owner's role is given to it.

    DROP OWNED revokes their grants, since nothing belongs to them any longer.
    """
    former, owner = _former_logins(datastore), literal(owner_of(datastore))
    statements = (
        f"format('REASSIGN OWNED BY %I TO %I', rolname, {owner})",
        "format('DROP OWNED BY %I', rolname)",
        "format('DROP ROLE %I', rolname)",
    )
    return _AS_OURSELVES + "".join(
        f"SELECT {statement} FROM ({former}) former \\gexec\n" for statement in statements
    )


def verifiers(datastore: Datastore) -> str:
    """Each login with its SCRAM verifier: one row each, without spaces."""
    pattern = literal(f"^{datastore.database}(_[0-9]+)?$")
    return (
        "SELECT rolname, rolpassword FROM pg_catalog.pg_authid WHERE rolcanlogin "
        f"AND rolname ~ {pattern} AND rolpassword LIKE 'SCRAM-SHA-256$%' ORDER BY 1;"
    )


def _former_logins(datastore: Datastore) -> str:
    """A query for their names: the present one's with other numbers, or with none."""
    pattern = literal(f"^{datastore.database}(_[0-9]+)?$")
    return (
        f"SELECT rolname FROM pg_catalog.pg_roles WHERE rolname ~ {pattern} "
        f"AND rolname <> {literal(datastore.login)}"
    )


def unless(table: str, column: str, name: str, statement: str) -> str:
    """Execute a statement unless something of that name exists, by psql's own command."""
    there = f"SELECT FROM {table} WHERE {column} = {literal(name)}"
    return f"SELECT {literal(statement)} WHERE NOT EXISTS ({there}) \\gexec"


def _copied(datastore: Datastore) -> str:
    """How an empty database is made: from files, as before PostgreSQL 15, which had no choice.

    The new way would read all pages of both into the shared buffers, where they stay (14 MiB), and
    write them to the log, which is archived.
    """
    return " STRATEGY FILE_COPY" if int(datastore.version) >= _FIRST_WITH_STRATEGIES else ""


def owner_of(datastore: Datastore) -> str:
    """The role that owns everything that apps create."""
    return f"{datastore.database}_owner"


def figures(datastore: Datastore) -> str:
    """Size in bytes, connections of apps, version: one row."""
    database = literal(datastore.database)
    return (
        f"SELECT pg_database_size({database}), "
        f"(SELECT count(*) FROM pg_stat_activity WHERE datname = {database}), "
        "current_setting('server_version');"
    )
