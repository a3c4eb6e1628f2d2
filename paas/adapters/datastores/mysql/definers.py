"""SQL that gives what a former login of MariaDB made to the present one: pure functions.

A routine, a view or an event belongs to its definer, with whose rights it runs. Only its definer
sees what is in a routine, so nobody else can dump it, and only its definer may alter a view.
Triggers stay as they are: all that can be done with them takes rights in the database alone.
"""

from collections.abc import Iterable

from paas.adapters.datastores.mysql import sql
from paas.domain.datastores.datastores import Datastore

# How long a view may be locked by who reads it. Others wait that long at most.
_LOCK_WAIT_S = 1
_ALGORITHMS = frozenset({"UNDEFINED", "MERGE", "TEMPTABLE"})


def take_routines(datastore: Datastore, former: str) -> str:
    """Routines and events: by one update each, which sessions that use them do not notice."""
    values = f"definer = {_definer(datastore.login)}, created = created, modified = modified"
    where = f"db = {sql.literal(datastore.database)} AND definer = {_definer(former)}"
    tables = ("mysql.proc", "mysql.event")
    return "".join(f"UPDATE {table} SET {values} WHERE {where};\n" for table in tables)  # noqa: S608


def views(datastore: Datastore, former: str) -> str:
    """What there is to know of the former login's views, for `take_views`."""
    columns = ("table_name", "view_definition", "algorithm", "security_type", "check_option")
    shown = ", ".join(f"HEX({name})" for name in (*columns, "collation_connection"))
    return (
        f"SELECT {shown} FROM information_schema.views "  # noqa: S608
        f"WHERE table_schema = {sql.literal(datastore.database)} "
        f"AND definer = {_definer(former)};\n"
    )


def take_views(datastore: Datastore, said: str) -> Iterable[str]:
    """The statements that alter views, each for itself, since one may be locked or no longer valid.

    said: the answer to `views`.
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
    """As the server's tables have it."""
    return sql.literal(f"{login}@%")
