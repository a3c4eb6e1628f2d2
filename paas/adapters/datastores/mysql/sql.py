"""The SQL that sets up a MariaDB datastore: pure functions that render it."""

import hashlib

from paas.domain.datastores.datastores import Datastore
from paas.domain.values.secret import Secret

# Connections of apps come from 127.0.0.1, or from the address of the app's own network.
_ANYWHERE = "'%'"
# Whoever has taken this role may write while the server is read-only. No login has it by itself.
WRITER = "paas_writer"
_SWITCH_LIMIT_S = 2
# Who dumps: MariaDB knows it by the name that the uid of a sandbox has in it.
READER = "app"


def identifier(name: str) -> str:
    """A name, quoted."""
    return "`" + name.replace("`", "``") + "`"


def literal(text: str) -> str:
    """A string, quoted; a backslash is an escape."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def pattern(name: str) -> str:
    """A database's name where GRANT takes a pattern, in which ``_`` matches any character."""
    return identifier(name.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%"))


def password_hash(password: Secret) -> str:
    """What mysql_native_password stores of a password; every client knows only that method.

    Clients print a statement that fails, so no statement contains a password itself.
    https://mariadb.com/kb/en/authentication-plugin-mysql_native_password/
    """
    once = hashlib.sha1(password.reveal().encode()).digest()  # noqa: S324 - by its protocol
    return "*" + hashlib.sha1(once).hexdigest().upper()  # noqa: S324 - as above


def set_up(datastore: Datastore) -> str:
    """The login and its database, which may exist already.

    Root is authenticated by its account on the machine, without a password.
    """
    lines = (
        "ALTER USER 'root'@'localhost' IDENTIFIED VIA unix_socket;",
        f"CREATE DATABASE IF NOT EXISTS {identifier(datastore.database)};",
    )
    return "\n".join(lines) + "\n" + add_login(datastore)


def add_login(datastore: Datastore) -> str:
    """The present login, which may exist already.

    It has all rights in its database and none elsewhere: it cannot grant them to others, read
    files, or see other processes.
    """
    login = account(datastore.login)
    known, limit = literal(password_hash(datastore.password)), datastore.plan.connections
    lines = (
        f"CREATE USER IF NOT EXISTS {login};",
        f"ALTER USER {login} IDENTIFIED VIA mysql_native_password USING {known} "
        f"WITH MAX_USER_CONNECTIONS {limit:d} ACCOUNT UNLOCK;",
        f"GRANT ALL PRIVILEGES ON {pattern(datastore.database)}.* TO {login};",
    )
    return "\n".join(lines) + "\n"


def set_read_only(datastore: Datastore, *, read_only: bool) -> str:
    """Applies to all sessions except those that have assumed the role `WRITER`.

    It waits for statements that write, and for tables that a session has locked. Whoever begins to
    write meanwhile waits as well, so it gives up soon.
    """
    if not read_only:
        return "SET GLOBAL read_only = OFF;\n"
    lines = (
        f"CREATE ROLE IF NOT EXISTS {WRITER};",
        f"GRANT READ ONLY ADMIN ON *.* TO {WRITER};",
        f"GRANT {WRITER} TO {account(datastore.login)};",
        f"SET lock_wait_timeout = {_SWITCH_LIMIT_S:d};",
        "SET GLOBAL read_only = ON;",
    )
    return "\n".join(lines) + "\n"


def add_reader(datastore: Datastore) -> str:
    """The account for dumps, which may exist already. Only processes of the server's uid have it.

    MariaDB shows a routine to the login that created it, and to those who may read mysql.proc:
    after a change of the login, the new one sees none of the former one's.
    """
    reader = f"{literal(READER)}@localhost"
    lines = (
        f"CREATE USER IF NOT EXISTS {reader} IDENTIFIED VIA unix_socket;",
        f"GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON {pattern(datastore.database)}.* TO {reader};",
        f"GRANT SELECT ON mysql.proc TO {reader};",
    )
    return "\n".join(lines) + "\n"


def count_contents(datastore: Datastore) -> str:
    """How many tables, views and routines there are."""
    name = literal(datastore.database)
    return (
        "SELECT (SELECT COUNT(*) FROM information_schema.tables "
        f"WHERE table_schema = {name}) + (SELECT COUNT(*) FROM information_schema.routines "
        f"WHERE routine_schema = {name}) + (SELECT COUNT(*) FROM information_schema.events "
        f"WHERE event_schema = {name});"
    )


def former_logins(datastore: Datastore) -> str:
    """Their names, one per line."""
    return (
        f"SELECT user FROM mysql.user WHERE user REGEXP {_logins(datastore)} "
        f"AND user <> {literal(datastore.login)};"
    )


def end_login(name: str) -> str:
    """Lock a login and end its sessions: one row, how many those were.

    The account stays: triggers run with the rights of their creator.
    """
    return (
        f"ALTER USER {account(name)} ACCOUNT LOCK;\n"
        "SELECT COUNT(*) FROM information_schema.processlist "
        f"WHERE user = {literal(name)};\n"
        f"KILL USER {account(name)};\n"
    )


def figures(datastore: Datastore) -> str:
    """Size in bytes, connections of apps, version, whether it is read-only (1): one row."""
    return (
        "SELECT (SELECT COALESCE(SUM(data_length + index_length), 0) "
        f"FROM information_schema.tables WHERE table_schema = {literal(datastore.database)}), "
        "(SELECT COUNT(*) FROM information_schema.processlist "
        f"WHERE user REGEXP {_logins(datastore)}), @@version, @@global.read_only;"
    )


def account(login: str) -> str:
    """A login of apps, from any host."""
    return f"{literal(login)}@{_ANYWHERE}"


def _logins(datastore: Datastore) -> str:
    """Matches the names of its logins, present and former."""
    return literal(f"^{datastore.database}(_[0-9]+)?$")
