"""How an app is built and started: buildpacks, its folder of the repository, its start limit."""

from collections.abc import Sequence

from paas.domain.builds.buildpacks import Buildpack, buildpack
from paas.store.database import Database


class BuildTables(Database):
    """The part of Store that is about building and starting."""

    def buildpacks(self, app_id: int) -> list[Buildpack]:
        rows = self.rows("SELECT source FROM buildpacks WHERE app_id = ? ORDER BY position", app_id)
        return [buildpack(source) for (source,) in rows]

    def set_buildpacks(self, app_id: int, buildpacks: Sequence[Buildpack]) -> None:
        with self.writing() as connection:
            connection.execute("DELETE FROM buildpacks WHERE app_id = ?", (app_id,))
            connection.executemany(
                "INSERT INTO buildpacks (app_id, position, source) VALUES (?, ?, ?)",
                [(app_id, place, str(pack)) for place, pack in enumerate(buildpacks, start=1)],
            )

    def build_dir(self, app_id: int) -> str | None:
        row = self.row("SELECT folder FROM build_dirs WHERE app_id = ?", app_id)
        return str(row[0]) if row else None

    def set_build_dir(self, app_id: int, folder: str | None) -> None:
        with self.writing() as connection:
            connection.execute("DELETE FROM build_dirs WHERE app_id = ?", (app_id,))
            if folder is not None:
                connection.execute("INSERT INTO build_dirs VALUES (?, ?)", (app_id, folder))

    def start_limit(self, app_id: int) -> int | None:
        row = self.row("SELECT seconds FROM start_limits WHERE app_id = ?", app_id)
        return int(row[0]) if row else None

    def set_start_limit(self, app_id: int, seconds: int | None) -> None:
        with self.writing() as connection:
            connection.execute("DELETE FROM start_limits WHERE app_id = ?", (app_id,))
            if seconds is not None:
                connection.execute("INSERT INTO start_limits VALUES (?, ?)", (app_id, seconds))
