"""The buildpacks that an app is built with."""

from collections.abc import Sequence

from paas.domain.builds.buildpacks import Buildpack, buildpack
from paas.store.database import Table


class Buildpacks(Table):
    """The apps' own buildpacks."""

    def of_app(self, app_id: int) -> list[Buildpack]:
        """In order; none: they are detected."""
        rows = self._database.rows(
            "SELECT source FROM buildpacks WHERE app_id = ? ORDER BY position", app_id
        )
        return [buildpack(row["source"]) for row in rows]

    def set(self, app_id: int, buildpacks: Sequence[Buildpack]) -> None:
        with self._database.writing() as connection:
            connection.execute("DELETE FROM buildpacks WHERE app_id = ?", (app_id,))
            connection.executemany(
                "INSERT INTO buildpacks (app_id, position, source) VALUES (?, ?, ?)",
                [(app_id, place, str(pack)) for place, pack in enumerate(buildpacks, start=1)],
            )
