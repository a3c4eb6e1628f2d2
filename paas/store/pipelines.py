"""Pipelines, their apps, and which releases were promoted from which others."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from paas.domain.releases.pipelines import Pipeline, PipelineName, Promotion, Stage, StageApp
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName
from paas.store.database import Table, parse_time


class Pipelines(Table):
    """The pipelines of the server."""

    def all(self) -> list[Pipeline]:
        """By name."""
        return self._pipelines("ORDER BY name")

    def find(self, name: str) -> Pipeline | None:
        return next(iter(self._pipelines("WHERE name = ?", name)), None)

    def by_id(self, id: int) -> Pipeline | None:
        return next(iter(self._pipelines("WHERE id = ?", id)), None)

    def of_app(self, app_id: int) -> Pipeline | None:
        """The one that the app belongs to."""
        where = "WHERE id = (SELECT pipeline_id FROM pipeline_apps WHERE app_id = ?)"
        return next(iter(self._pipelines(where, app_id)), None)

    def create(self, name: PipelineName, owner: UserName | None, now: datetime) -> Pipeline:
        """Raises PaasError if there is one of that name."""
        try:
            self._database.write(
                "INSERT INTO pipelines (name, owner, created_at) VALUES (?, ?, ?)",
                name,
                owner,
                now.isoformat(),
            )
        except sqlite3.IntegrityError as error:
            raise PaasError(
                "pipeline-taken",
                f"There is already a pipeline {name}.",
                "Choose another name; yours: paas pipelines",
            ) from error
        found = self.find(name)
        assert found is not None
        return found

    def rename(self, id: int, name: PipelineName) -> None:
        """Raises PaasError if there is one of that name."""
        try:
            self._database.write("UPDATE pipelines SET name = ? WHERE id = ?", name, id)
        except sqlite3.IntegrityError as error:
            raise PaasError("pipeline-taken", f"There is already a pipeline {name}.") from error

    def remove(self, id: int) -> None:
        """Its apps stay."""
        self._database.write("DELETE FROM pipelines WHERE id = ?", id)

    def put(self, id: int, app_id: int, stage: Stage, now: datetime) -> None:
        """Add an app, or give one of its apps another stage. Raises PaasError."""
        with self._database.writing() as connection:
            row = connection.execute(
                "SELECT pipeline_id FROM pipeline_apps WHERE app_id = ?", (app_id,)
            ).fetchone()
            if row is not None and row["pipeline_id"] != id:
                raise PaasError(
                    "pipeline-other",
                    "The app belongs to another pipeline already.",
                    "First take it out of that one: paas pipelines:remove -a APP",
                )
            connection.execute(
                "INSERT INTO pipeline_apps (pipeline_id, app_id, stage, added_at) "
                "VALUES (?, ?, ?, ?) ON CONFLICT (app_id) DO UPDATE SET stage = excluded.stage",
                (id, app_id, stage, now.isoformat()),
            )

    def take_out(self, app_id: int) -> None:
        self._database.write("DELETE FROM pipeline_apps WHERE app_id = ?", app_id)

    def note(self, promotion: Promotion) -> None:
        """Record where the code of a release comes from."""
        self._database.write(
            "INSERT INTO promotions (app_id, version, source_app_id, source_version) "
            "VALUES (?, ?, ?, ?)",
            promotion.app_id,
            promotion.version,
            promotion.source_app_id,
            promotion.source_version,
        )

    def promoted(self, source_app_id: int, source_version: int) -> list[Promotion]:
        """The latest promotion of that release to each app."""
        rows = self._database.rows(
            "SELECT app_id, max(version) AS version FROM promotions "
            "WHERE source_app_id = ? AND source_version = ? GROUP BY app_id ORDER BY app_id",
            source_app_id,
            source_version,
        )
        return [
            Promotion(row["app_id"], row["version"], source_app_id, source_version) for row in rows
        ]

    def _pipelines(self, where: str, *values: object) -> list[Pipeline]:
        rows = self._database.rows(
            f"SELECT id, name, owner, created_at FROM pipelines {where}", *values
        )
        return [_pipeline(row, self._apps(row["id"])) for row in rows]

    def _apps(self, id: int) -> Sequence[sqlite3.Row]:
        return self._database.rows(
            "SELECT id, pipeline_id, app_id, stage, added_at FROM pipeline_apps "
            "WHERE pipeline_id = ? ORDER BY id",
            id,
        )


def _pipeline(row: sqlite3.Row, apps: Sequence[sqlite3.Row]) -> Pipeline:
    return Pipeline(
        id=row["id"],
        name=PipelineName(row["name"]),
        owner=UserName(row["owner"]) if row["owner"] is not None else None,
        created_at=parse_time(row["created_at"]),
        apps=tuple(
            StageApp(
                id=one["id"],
                pipeline_id=one["pipeline_id"],
                app_id=one["app_id"],
                stage=Stage(one["stage"]),
                added_at=parse_time(one["added_at"]),
            )
            for one in apps
        ),
    )
