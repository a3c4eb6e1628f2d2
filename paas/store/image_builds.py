"""How the apps' images are built: the builder, values for the builds, and ports in containers."""

import json
from collections.abc import Iterable, Mapping

from paas.domain.builds.build_values import RegistryLogin, ValueKind
from paas.domain.builds.builders import BuilderName, BuilderSettings
from paas.domain.values.names import VarName
from paas.domain.values.secret import Secret
from paas.store.database import Database, Table
from paas.store.sealing import Sealing
from paas.store.seals import build_value_place


class ImageBuilds(Table):
    """All values are sealed: an argument is a secret by mistake at times."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        super().__init__(database)
        self._sealing = sealing

    def settings(self, app_id: int) -> BuilderSettings:
        row = self._database.row("SELECT * FROM builders WHERE app_id = ?", app_id)
        if row is None:
            return BuilderSettings()
        return BuilderSettings(
            BuilderName(row["builder"]), row["dockerfile"], row["target"], row["engine"]
        )

    def set_settings(self, app_id: int, settings: BuilderSettings) -> None:
        self._database.write(
            "INSERT OR REPLACE INTO builders (app_id, builder, dockerfile, target, engine) "
            "VALUES (?, ?, ?, ?, ?)",
            app_id,
            settings.builder,
            settings.dockerfile,
            settings.target,
            settings.engine,
        )

    def port(self, app_id: int) -> int | None:
        """Where the app's web containers are to listen; None: nothing was set."""
        row = self._database.row("SELECT port FROM container_ports WHERE app_id = ?", app_id)
        return int(row["port"]) if row else None

    def set_port(self, app_id: int, port: int | None) -> None:
        with self._database.writing() as connection:
            connection.execute("DELETE FROM container_ports WHERE app_id = ?", (app_id,))
            if port is not None:
                connection.execute(
                    "INSERT INTO container_ports (app_id, port) VALUES (?, ?)", (app_id, port)
                )

    def values(self, app_id: int, kind: ValueKind) -> dict[VarName, Secret]:
        """Arguments or secrets, by name."""
        return {VarName(name): value for name, value in self._all(app_id, kind).items()}

    def set_values(self, app_id: int, kind: ValueKind, values: Mapping[VarName, Secret]) -> None:
        """Set these; others stay."""
        self._set(app_id, kind, {str(name): value for name, value in values.items()})

    def unset(self, app_id: int, kind: ValueKind, names: Iterable[str]) -> None:
        with self._database.writing() as connection:
            connection.executemany(
                "DELETE FROM build_values WHERE app_id = ? AND kind = ? AND name = ?",
                [(app_id, kind, name) for name in names],
            )

    def logins(self, app_id: int) -> list[RegistryLogin]:
        """By host."""
        found = self._all(app_id, ValueKind.LOGIN)
        return [_login(host, value) for host, value in found.items()]

    def set_login(self, app_id: int, login: RegistryLogin) -> None:
        text = json.dumps([login.user, login.password.reveal()])
        self._set(app_id, ValueKind.LOGIN, {login.host: Secret(text)})

    def copy(self, source_id: int, app_id: int) -> None:
        """Give a new app all that another has."""
        with self._database.writing():
            self.set_settings(app_id, self.settings(source_id))
            self.set_port(app_id, self.port(source_id))
            for kind in ValueKind:
                self._set(app_id, kind, self._all(source_id, kind))

    def _all(self, app_id: int, kind: ValueKind) -> dict[str, Secret]:
        rows = self._database.rows(
            "SELECT name, value FROM build_values WHERE app_id = ? AND kind = ? ORDER BY name",
            app_id,
            kind,
        )
        return {
            row["name"]: Secret(
                self._sealing.unseal(build_value_place(app_id, kind, row["name"]), row["value"])
            )
            for row in rows
        }

    def _set(self, app_id: int, kind: ValueKind, values: Mapping[str, Secret]) -> None:
        with self._database.writing() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO build_values (app_id, kind, name, value) "
                "VALUES (?, ?, ?, ?)",
                [
                    (app_id, kind, name, self._sealing.seal(place, value.reveal()))
                    for name, value in values.items()
                    for place in (build_value_place(app_id, kind, name),)
                ],
            )


def _login(host: str, value: Secret) -> RegistryLogin:
    user, password = json.loads(value.reveal())
    return RegistryLogin(host, user, Secret(password))
