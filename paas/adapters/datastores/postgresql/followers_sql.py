"""The SQL for leaders and followers of PostgreSQL, and what a follower's configuration has."""

# All that is put into the texts is quoted, or a constant of this file.
from collections.abc import Iterable

from paas.adapters.datastores.places import Places
from paas.adapters.datastores.postgresql.sql import UNSEEN, identifier, literal, unless
from paas.domain.datastores.datastores import Datastore, Following
from paas.domain.datastores.following import MAX_LOCKS

_SUFFIX = "_follower"
_NAMED = f"LIKE '%\\{_SUFFIX}'"
# With the server's own uid, and with no rights for others: libpq ignores it otherwise.
PASSWORD_FILE = "leader.pgpass"  # noqa: S105 - a file's name
# How often it tries to reach a leader that is away.
_RETRY = "1s"
_ENDED_MS = 10_000

LOADED_AT = "SELECT pg_conf_load_time();"
RELOAD = "SELECT pg_reload_conf();"
# On the follower: whether it is one, how far it is, the age of the last change in s, and whether it
# gets more.
STANDBY = (
    "SELECT pg_is_in_recovery(), coalesce(pg_last_wal_replay_lsn(), '0/0'), "
    "coalesce(extract(epoch FROM now() - pg_last_xact_replay_timestamp()), 0), "
    "EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming');"
)
WRITTEN = "SELECT pg_current_wal_lsn();"
SIGNAL_FILE = "standby.signal"


def name_at_leader(follower: Datastore) -> str:
    """The name of its login and of its replication slot."""
    return follower.name.replace("-", "_") + _SUFFIX


def settings(places: Places, follower: Datastore, following: Following) -> dict[str, object]:
    """What makes a server a follower, in postgresql.conf, beside the file standby.signal."""
    conninfo = {
        "host": "127.0.0.1",
        "port": following.leader.port,
        "user": name_at_leader(follower),
        "passfile": places.conf / PASSWORD_FILE,
        "application_name": name_at_leader(follower),
        # It does not leave the machine, and no password is sent.
        "sslmode": "disable",
    }
    return {
        "primary_conninfo": " ".join(f"{key}={value}" for key, value in conninfo.items()),
        "primary_slot_name": name_at_leader(follower),
        "wal_retrieve_retry_interval": _RETRY,
        "max_locks_per_transaction": MAX_LOCKS,
    }


def password_file(follower: Datastore, following: Following) -> str:
    """In the form that libpq reads ("The Password File" in its documentation)."""
    password = following.password.reveal().replace("\\", "\\\\").replace(":", "\\:")
    port = following.leader.port
    return f"127.0.0.1:{port}:replication:{name_at_leader(follower)}:{password}\n"


def admit(follower: Datastore, following: Following) -> str:
    """On the leader: a login and a slot, which replace any that it had."""
    name = name_at_leader(follower)
    role = identifier(name)
    create = unless("pg_roles", "rolname", name, f"CREATE ROLE {role} LOGIN REPLICATION")
    slots = f"SELECT slot_name FROM pg_replication_slots WHERE slot_name = {literal(name)}"
    return (
        f"{UNSEEN}{create}\n"
        f"ALTER ROLE {role} LOGIN REPLICATION PASSWORD {literal(following.password.reveal())};\n"
        f"{_drop(slots)}"
        f"SELECT pg_create_physical_replication_slot({literal(name)}, true);\n"
    )


def dismiss_others(present: Iterable[Datastore]) -> str:
    """On the leader: remove what former followers had."""
    kept = ", ".join(literal(name_at_leader(one)) for one in present) or "''"
    slots = (
        "SELECT slot_name FROM pg_replication_slots WHERE slot_type = 'physical' "
        f"AND slot_name {_NAMED} AND slot_name NOT IN ({kept})"
    )
    roles = (
        f"SELECT rolname FROM pg_roles WHERE rolreplication AND rolname {_NAMED} "
        f"AND rolname NOT IN ({kept})"
    )
    return f"{_drop(slots)}SELECT format('DROP ROLE %I', rolname) FROM ({roles}) r \\gexec\n"


def _drop(slots: str) -> str:
    """Drop slots, after the sessions that use them have ended."""
    return (
        f"SELECT pg_terminate_backend(active_pid, {_ENDED_MS:d}) FROM pg_replication_slots "
        f"WHERE active AND slot_name IN ({slots});\n"
        f"SELECT pg_drop_replication_slot(slot_name) FROM ({slots}) s;\n"
    )


def at_leader(follower: Datastore, replayed: str) -> str:
    """On the leader: bytes behind, seconds behind where they are measured, state of the slot.

    replayed: how far the follower is.
    """
    name = literal(name_at_leader(follower))
    return (
        f"SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), {literal(replayed)}), "
        "(SELECT extract(epoch FROM replay_lag) FROM pg_stat_replication "
        f"WHERE application_name = {name}), "
        f"(SELECT coalesce(wal_status, 'lost') FROM pg_replication_slots WHERE slot_name = {name});"
    )


def has_replayed(written: str) -> str:
    """On the follower: whether it is that far: ``t`` or ``f``."""
    return f"SELECT coalesce(pg_last_wal_replay_lsn() >= {literal(written)}, false);"


def end_others(follower: Datastore) -> str:
    """On the follower: end the sessions of other logins than the present one; how many."""
    return (
        f"SELECT count(pg_terminate_backend(pid, {_ENDED_MS:d})) FROM pg_stat_activity "
        f"WHERE datname = {literal(follower.database)} AND backend_type = 'client backend' "
        f"AND usesysid <> 10 AND usename IS DISTINCT FROM {literal(follower.login)};"
    )
