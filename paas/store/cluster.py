"""The machines that belong to this server."""

import sqlite3
from ipaddress import IPv4Address

from paas.domain.cluster.nodes import Login, Node, NodeName
from paas.domain.values.errors import PaasError
from paas.store.database import Table, parse_time


class Cluster(Table):
    """Where nodes reach this server, and the nodes."""

    def address(self) -> IPv4Address | None:
        """Of this server, for nodes; None: it has no cluster."""
        row = self._database.row("SELECT address FROM cluster")
        return IPv4Address(row["address"]) if row else None

    def begin(self, address: IPv4Address) -> None:
        self._database.write("INSERT INTO cluster (one, address) VALUES (1, ?)", str(address))

    def end(self) -> None:
        """Forget it. Its nodes must be gone."""
        self._database.write("DELETE FROM cluster")

    def nodes(self) -> list[Node]:
        """By name."""
        return [_node(row) for row in self._database.rows("SELECT * FROM nodes ORDER BY name")]

    def find(self, name: str) -> Node | None:
        row = self._database.row("SELECT * FROM nodes WHERE name = ?", name)
        return _node(row) if row else None

    def add(self, node: Node) -> None:
        """Raises PaasError if another has its name or address."""
        try:
            self._database.write(
                "INSERT INTO nodes (name, id, host, port, address, added_at) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                *(node.name, node.id, node.login.host, node.login.port),
                *(str(node.address), node.added_at.isoformat()),
            )
        except sqlite3.IntegrityError as error:
            raise PaasError(
                "node-taken",
                f"Another node has the name {node.name} or the address {node.address}.",
            ) from error

    def remove(self, name: NodeName) -> None:
        self._database.write("DELETE FROM nodes WHERE name = ?", name)


def _node(row: sqlite3.Row) -> Node:
    return Node(
        name=NodeName(row["name"]),
        id=row["id"],
        login=Login(row["host"], row["port"]),
        address=IPv4Address(row["address"]),
        added_at=parse_time(row["added_at"]),
    )
