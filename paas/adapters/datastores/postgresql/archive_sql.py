"""The SQL that tracks how far a datastore is archived, and checks copies."""

# All that is put into the texts is quoted, or a constant of this file.
from paas.adapters.datastores.postgresql.sql import identifier, literal

# In the database ``postgres``, to which apps cannot connect.
_TABLE = "public.paas_heartbeat"
_KEPT = "interval '1 day'"
_WRITABLE = "SET default_transaction_read_only = off;\n"
_MAKE = f"CREATE TABLE IF NOT EXISTS {_TABLE} (at timestamptz PRIMARY KEY, lsn pg_lsn NOT NULL);\n"
_FAILS = "coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false)"
# Tables of at least so many rows are compared.
ROWS_MIN = 1_000

# A row, and with it a log file to archive; none while archiving fails.
BEAT = (
    f"{_WRITABLE}SET client_min_messages = warning;\n{_MAKE}"
    f"DELETE FROM {_TABLE} WHERE at < now() - {_KEPT};\n"
    f"INSERT INTO {_TABLE} SELECT clock_timestamp(), pg_current_wal_insert_lsn() "
    f"FROM pg_stat_archiver WHERE NOT ({_FAILS});\n"
    f"SELECT pg_switch_wal() FROM pg_stat_archiver WHERE NOT ({_FAILS});\n"
)

# Seconds since 1970: the newest row that is archived, and when archiving began to fail.
ARCHIVING = f"""{_WRITABLE}SET client_min_messages = warning;
{_MAKE}SELECT extract(epoch FROM (SELECT max(at) FROM {_TABLE}
    WHERE pg_walfile_name(lsn) COLLATE "C" <= last_archived_wal COLLATE "C")),
  CASE WHEN {_FAILS} THEN
    extract(epoch FROM coalesce(last_archived_time, pg_postmaster_start_time())) END
FROM pg_stat_archiver;
"""

# The moment up to which all is in the log file whose name follows: nothing is later in it.
FLUSH = (
    f"{_WRITABLE}SET client_min_messages = warning;\n{_MAKE}"
    "SELECT extract(epoch FROM clock_timestamp());\n"
    # A commit that is later, without which a restore to that moment finds no end.
    f"INSERT INTO {_TABLE} VALUES (clock_timestamp(), pg_current_wal_insert_lsn());\n"
    "SELECT pg_walfile_name(pg_switch_wal());\n"
)

# In a database whose owner may set what applies to every session there.
_AS_OURSELVES = (
    "SET search_path = pg_catalog;\nSET ROLE NONE;\nSET default_transaction_read_only = off;\n"
)

# A row for each table of apps: ``table|its name|how many rows PostgreSQL believes it has``.
TABLES = (
    f"{_AS_OURSELVES}SELECT 'table', n.nspname || '.' || c.relname, c.reltuples::bigint "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema');"
)


def is_archived(wal_file: str) -> str:
    """Whether a log file is archived: ``t`` or ``f``."""
    return (
        f'SELECT coalesce(last_archived_wal COLLATE "C" >= {literal(wal_file)}, false) '
        "FROM pg_stat_archiver;"
    )


def database_of(name: str) -> str:
    """The database of a datastore, by the datastore's name."""
    return name.replace("-", "_")


def look(name: str) -> str:
    """What a rehearsal reads in the restored copy, starting in the database ``postgres``."""
    return (
        f"SELECT 'heartbeat', extract(epoch FROM max(at)) FROM {_TABLE};\n"
        f"\\connect {identifier(database_of(name))}\n{TABLES}\n"
    )


def renamed(source: str, new: str) -> str:
    """What makes a restored copy another datastore. source: the name of the original.

    The settings that the restore needed are removed, and so are the logins, including those of
    followers; what apps created belongs to the owner as before. The next run finishes what was
    interrupted.
    """
    before, after = database_of(source), database_of(new)
    owner = f"{after}_owner"
    logins = f"SELECT rolname FROM pg_roles WHERE rolname ~ {literal(f'^{before}(_[0-9]+)?$')}"
    ends = (
        f"format('REASSIGN OWNED BY %I TO %I', rolname, {literal(owner)})",
        "format('DROP OWNED BY %I', rolname)",
        "format('DROP ROLE %I', rolname)",
    )
    renames = (
        ("pg_database", "datname", "DATABASE", before, after),
        ("pg_roles", "rolname", "ROLE", f"{before}_owner", owner),
    )
    return (
        "ALTER SYSTEM RESET ALL;\n"
        f"{_MAKE}TRUNCATE {_TABLE};\n"
        + "".join(
            f"SELECT {literal(f'ALTER {what} {identifier(former)} RENAME TO {identifier(name)}')} "
            f"FROM {table} WHERE {column} = {literal(former)} \\gexec\n"
            for table, column, what, former, name in renames
        )
        + f"\\connect {identifier(after)}\n{_AS_OURSELVES}"
        + "".join(f"SELECT {end} FROM ({logins}) logins \\gexec\n" for end in ends)
        + "SELECT format('DROP ROLE %I', rolname) FROM pg_roles "
        "WHERE rolreplication AND NOT rolsuper \\gexec\n"
    )
