"""How apps are reached: one value for each app, and which names are taken."""

import json
import sqlite3
from dataclasses import asdict
from typing import Any

from paas.domain.routing.paths import PathRoute
from paas.domain.routing.routing import Routing
from paas.domain.routing.sites import Redirect
from paas.domain.routing.statics import StaticPath
from paas.domain.values.errors import PaasError
from paas.store.database import Table


class Routings(Table):
    """The routing of each app."""

    def of_app(self, app_id: int) -> Routing:
        row = self._database.row("SELECT value FROM routing WHERE app_id = ?", app_id)
        try:
            return _decoded(json.loads(row["value"])) if row else Routing()
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise PaasError(
                "routing-unreadable",
                f"The routing of app {app_id} cannot be read: {error!r}.",
                "If a later version of paas wrote it, install that version again.",
            ) from error

    def set(self, app_id: int, routing: Routing) -> None:
        """Raises PaasError if another app has one of its names (``host-taken``) or ports."""
        try:
            with self._database.writing() as connection:
                connection.execute("DELETE FROM hosts WHERE app_id = ?", (app_id,))
                connection.executemany(
                    "INSERT INTO hosts (host, app_id) VALUES (?, ?)",
                    [(host, app_id) for host in sorted(routing.claimed)],
                )
                connection.execute("DELETE FROM tcp_ports WHERE app_id = ?", (app_id,))
                connection.executemany(
                    "INSERT INTO tcp_ports (port, app_id) VALUES (?, ?)",
                    [(port, app_id) for port in routing.tcp_ports],
                )
                connection.execute(
                    "INSERT INTO routing (app_id, value) VALUES (?, ?) "
                    "ON CONFLICT (app_id) DO UPDATE SET value = excluded.value",
                    (app_id, json.dumps(asdict(routing))),
                )
        except sqlite3.IntegrityError as error:
            if "tcp_ports" in str(error):
                raise PaasError("tcp-port-taken", "Another app has one of these ports.") from error
            raise PaasError("host-taken", "Another app has one of these names.") from error

    def host_owner(self, host: str) -> int | None:
        """The id of the app whose routing has a name; not of one whose own name it is."""
        row = self._database.row("SELECT app_id FROM hosts WHERE host = ?", host)
        return row["app_id"] if row else None

    def tcp_port_owner(self, port: int) -> int | None:
        """The id of the app to which a port of the server leads."""
        row = self._database.row("SELECT app_id FROM tcp_ports WHERE port = ?", port)
        return row["app_id"] if row else None

    def host_owners_below(self, domain: str) -> frozenset[int]:
        """The ids of the apps that have the name, or any below it, in the same sense."""
        below = f".{domain}"
        rows = self._database.rows(
            "SELECT DISTINCT app_id FROM hosts WHERE host = ? OR substr(host, -length(?)) = ?",
            *(domain, below, below),
        )
        return frozenset(row["app_id"] for row in rows)

    def apps_with_paths_to(self, app_id: int) -> frozenset[int]:
        """The ids of the apps of whose hosts a path is that app's."""
        rows = self._database.rows(
            "SELECT DISTINCT routing.app_id FROM routing, json_each(CASE "
            "WHEN json_valid(routing.value) THEN routing.value ELSE '{}' END, '$.paths') AS path "
            "WHERE json_extract(path.value, '$.app_id') = ?",
            app_id,
        )
        return frozenset(row["app_id"] for row in rows)


def _decoded(value: dict[str, Any]) -> Routing:
    """A routing as stored by this version or an earlier one."""
    redirects = tuple(Redirect(**redirect) for redirect in value.pop("redirects"))
    statics = tuple(StaticPath(**static) for static in value.pop("statics", ()))
    domains = tuple(value.pop("domains"))
    paths = tuple(PathRoute(**path) for path in value.pop("paths", ()))
    ports = tuple(map(int, value.pop("tcp_ports", ())))
    return Routing(
        domains, redirects=redirects, statics=statics, paths=paths, tcp_ports=ports, **value
    )
