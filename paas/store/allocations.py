"""Which uids and ports are held, and by whom: the one table from which they are given out."""

from collections.abc import Callable

from paas.domain.server.allocations import Allocation, Holder, Kind, Ranges
from paas.domain.values.errors import PaasError
from paas.store.database import Database, Table


class Allocations(Table):
    """The uids and ports of one server. ranges: which it may give out, and what is its own."""

    def __init__(self, database: Database, ranges: Ranges) -> None:
        super().__init__(database)
        self._ranges = ranges

    def all(self) -> list[Allocation]:
        """Those that are recorded, by kind and number."""
        rows = self._database.rows(
            "SELECT kind, number, holder, holder_id FROM allocations ORDER BY kind, number"
        )
        return [
            Allocation(Kind(row["kind"]), row["number"], Holder(row["holder"], row["holder_id"]))
            for row in rows
        ]

    def taken(self, kind: Kind) -> set[int]:
        """The numbers that may not be given out.

        Those of the server itself count even if they are not recorded: the ranges may have changed.
        """
        rows = self._database.rows("SELECT number FROM allocations WHERE kind = ?", kind)
        own = {known.number for known in self._ranges.reserved if known.kind is kind}
        return own | {row["number"] for row in rows}

    def give_uid(self, holder: Holder) -> int:
        """Record a uid as the holder's. One that was freed is given out again last.

        Raises PaasError if none is left.
        """
        first, last = self._ranges.uids
        size = last - first + 1
        with self._database.writing() as connection:
            taken = self.taken(Kind.UID)
            # Counting them walks through the whole range before it repeats.
            given = connection.execute("SELECT count FROM uids_given").fetchone()["count"]
            for count in range(given, given + size):
                uid = first + count % size
                if uid not in taken:
                    connection.execute("UPDATE uids_given SET count = ?", (count + 1,))
                    self.record(Allocation(Kind.UID, uid, holder))
                    return uid
        raise PaasError(
            "no-uid",
            f"All uids from {first} to {last} are taken. Two are the server's own; each app and "
            "each datastore has one, a destroyed app until its files are gone.",
            "Destroy an app or a datastore, finish removing destroyed ones with paas doctor --fix, "
            "or widen the range `uids` in server.yml.",
        )

    def give_service_port(self, holder: Holder, is_free: Callable[[int], bool]) -> int:
        """Record a port of the datastores' range as the holder's, the first that is free.

        is_free: whether nobody else on this machine has it. Raises PaasError if none is left.
        """
        first, last = self._ranges.service_ports
        with self._database.writing():
            taken = self.taken(Kind.PORT)
            for port in range(first, last + 1):
                if port not in taken and is_free(port):
                    self.record(Allocation(Kind.PORT, port, holder))
                    return port
        raise PaasError(
            "no-service-port",
            f"All ports from {first} to {last} are taken; each datastore has one, and each "
            "connection pooler.",
            "Destroy a datastore (paas addons:destroy), or widen the range `service_ports` in "
            "server.yml.",
        )

    def record(self, allocation: Allocation) -> None:
        """Record a number that was found free in the same transaction."""
        self._database.write(
            "INSERT INTO allocations (kind, number, holder, holder_id) VALUES (?, ?, ?, ?)",
            allocation.kind,
            allocation.number,
            allocation.holder.what,
            allocation.holder.id,
        )

    def holder(self, kind: Kind, number: int) -> Holder | None:
        """Who has it, or None."""
        row = self._database.row(
            "SELECT holder, holder_id FROM allocations WHERE kind = ? AND number = ?", kind, number
        )
        return Holder(row["holder"], row["holder_id"]) if row else None

    def free(self, holder: Holder) -> None:
        """Record that the holder needs its numbers no longer."""
        self._database.write(
            "DELETE FROM allocations WHERE holder = ? AND holder_id = ?", holder.what, holder.id
        )

    def settle(self) -> None:
        """Make the records match what apps, instances and datastores have, and the server's own.

        They differ after the ranges have changed, and where a command of a former version, which
        knows no such records, ended after the migration.
        """
        with self._database.writing() as connection:
            connection.execute(_DROP_OF_APPS)
            connection.execute(_DROP_OF_INSTANCES)
            connection.execute(_DROP_OF_DATASTORES)
            connection.execute(_DROP_OF_POOLERS)
            for own in self._ranges.reserved:
                connection.execute(
                    "DELETE FROM allocations WHERE holder = ? AND number <> ?",
                    (own.holder.what, own.number),
                )
            connection.execute(_ADD_OF_APPS)
            connection.execute(_ADD_OF_INSTANCES)
            connection.execute(_ADD_OF_DATASTORES)
            connection.execute(_ADD_OF_POOLERS)
            for own in self._ranges.reserved:
                if self.holder(own.kind, own.number) is None:
                    self.record(own)

    def clashes(self) -> list[Allocation]:
        """The server's own numbers that others hold, with their holders."""
        found = [(own, self.holder(own.kind, own.number)) for own in self._ranges.reserved]
        return [
            Allocation(own.kind, own.number, holder)
            for own, holder in found
            if holder not in {None, own.holder}
        ]


_DROP_OF_APPS = (
    "DELETE FROM allocations WHERE holder = 'app' "
    "AND CAST(holder_id AS INTEGER) NOT IN (SELECT id FROM apps UNION SELECT id FROM destroyed)"
)
_DROP_OF_INSTANCES = (
    "DELETE FROM allocations WHERE holder = 'instance' AND holder_id NOT IN ("
    "SELECT app_id || '-v' || version || '-' || generation || '-' || kind || '.' || number "
    "FROM instances WHERE port IS NOT NULL AND engine IN ('native', 'swarm'))"
)
_DROP_OF_DATASTORES = (
    "DELETE FROM allocations WHERE holder = 'datastore' "
    "AND holder_id NOT IN (SELECT name FROM datastores)"
)
_DROP_OF_POOLERS = (
    "DELETE FROM allocations WHERE holder = 'pooler' AND holder_id NOT IN "
    "(SELECT d.name FROM datastores d JOIN poolers p ON p.datastore_id = d.id)"
)
_ADD_OF_APPS = (
    "INSERT OR IGNORE INTO allocations (kind, number, holder, holder_id) "
    "SELECT 'uid', uid, 'app', CAST(id AS TEXT) FROM "
    "(SELECT id, uid FROM apps UNION SELECT id, uid FROM destroyed)"
)
_ADD_OF_INSTANCES = (
    "INSERT OR IGNORE INTO allocations (kind, number, holder, holder_id) "
    "SELECT 'port', port, 'instance', "
    "app_id || '-v' || version || '-' || generation || '-' || kind || '.' || number "
    "FROM instances WHERE port IS NOT NULL AND engine IN ('native', 'swarm')"
)
_ADD_OF_DATASTORES = (
    "INSERT OR IGNORE INTO allocations (kind, number, holder, holder_id) "
    "SELECT 'uid', uid, 'datastore', name FROM datastores "
    "UNION ALL SELECT 'port', port, 'datastore', name FROM datastores"
)
_ADD_OF_POOLERS = (
    "INSERT OR IGNORE INTO allocations (kind, number, holder, holder_id) "
    "SELECT 'port', p.port, 'pooler', d.name FROM poolers p "
    "JOIN datastores d ON d.id = p.datastore_id"
)
