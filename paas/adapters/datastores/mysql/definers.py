"""SQL that gives what a former MariaDB login created to the present one: pure functions.

A routine, view or event runs with the rights of its definer. Only the definer can see the body of a
routine, so nobody else can dump it, and only the definer may alter a view. Triggers do not change:
everything that can be done with them only requires rights in the database.
"""

from collections.abc import Iterable

from paas.adapters.datastores.mysql import sql
from paas.domain.datastores.datastores import Datastore

# How long a view may be locked by who reads it. Others wait that long at most.
_LOCK_WAIT_S = 1
_ALGORITHMS = frozenset({"UNDEFINED", "MERGE", "TEMPTABLE"})


def take_routines(datastore: Datastore, former: str) -> str:
    """Routines and events, with one update each, which sessions that use them do not notice."""
    values = f"definer = {_definer(datastore.login)}, created = created, modified = modified"
    where = f"db = {sql.literal(datastore.database)} AND definer = {_definer(former)}"
    tables = ("mysql.proc", "mysql.event")
    return "".join(f"UPDATE {table} SET {values} WHERE {where};\n" for table in tables)


def views(datastore: Datastore, former: str) -> str:
    """Everything about the former login's views that `take_views` needs."""
    columns = ("table_name", "view_definition", "algorithm", "security_type", "check_option")
    shown = ", ".join(f"HEX({name})" for name in (*columns, "collation_connection"))
    return (
        f"SELECT {shown} FROM information_schema.views "
        f"WHERE table_schema = {sql.literal(datastore.database)} "
        f"AND definer = {_definer(former)};\n"
    )


def take_views(datastore: Datastore, said: str) -> Iterable[str]:
    """The statements that alter views, each separately, since a view may be locked or invalid.

    said: the result of `views`.
    """
    for line in said.splitlines():
        name, text, algorithm, security, check, collation = (
            bytes.fromhex(value).decode("utf-8") for value in line.split("\t")
        )
        algorithm = algorithm if algorithm in _ALGORITHMS else "UNDEFINED"
        view = f"{sql.identifier(datastore.database)}.{sql.identifier(name)}"
        option = "" if check == "NONE" else f" WITH {check} CHECK OPTION"
        yield (
            f"SET collation_connection = {collation}, lock_wait_timeout = {_LOCK_WAIT_S:d};\n"
            f"ALTER ALGORITHM = {algorithm} DEFINER = {sql.account(datastore.login)} "
            f"SQL SECURITY {security} VIEW {view} AS {text}{option};\n"
        )


def _definer(login: str) -> str:
    """A definer in the form of the server's tables."""
    return sql.literal(f"{login}@%")
