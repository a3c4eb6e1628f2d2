"""Builds, slugs, releases and instances."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from paas.domain.builds.buildpacks import StaticFiles
from paas.domain.releases.releases import Build, ConfigVars, Instance, Release, Slug, Status
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType
from paas.domain.values.secret import Secret
from paas.store.database import Database, parse_time
from paas.store.gone import note_gone


class HistoryTables(Database):
    """The part of Store that is about what became of pushes and changes."""

    # Builds and slugs

    def add_build(self, build: Build) -> None:
        self.write(
            "INSERT INTO builds VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            build.id,
            build.app_id,
            build.commit,
            build.user,
            build.status,
            build.reason,
            build.created_at.isoformat(),
            build.ended_at.isoformat() if build.ended_at else None,
        )

    def end_build(self, build: Build) -> None:
        self.write(
            "UPDATE builds SET status = ?, reason = ?, ended_at = ? WHERE id = ?",
            build.status,
            build.reason,
            build.ended_at.isoformat() if build.ended_at else None,
            build.id,
        )

    def builds(self, app_id: int) -> list[Build]:
        rows = self.rows(
            "SELECT id, app_id, commit_id, user, status, created_at, ended_at, reason "
            "FROM builds WHERE app_id = ? ORDER BY created_at DESC, rowid DESC",
            app_id,
        )
        return [
            Build(
                r[0],
                r[1],
                r[2],
                r[3],
                Status(r[4]),
                parse_time(r[5]),
                r[6] and parse_time(r[6]),
                r[7],
            )
            for r in rows
        ]

    def add_slug(self, slug: Slug) -> None:
        self.write(
            f"INSERT INTO slugs ({_SLUG}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            slug.id,
            slug.app_id,
            slug.commit,
            json.dumps(dict(slug.processes)),
            slug.size_bytes,
            slug.created_at.isoformat(),
            json.dumps(asdict(slug.static)) if slug.static else None,
            slug.app_json,
        )

    def slug(self, slug_id: str) -> Slug | None:
        row = self.row(f"SELECT {_SLUG} FROM slugs WHERE id = ?", slug_id)  # noqa: S608
        return _slug(row) if row else None

    def slugs(self, app_id: int) -> list[Slug]:
        rows = self.rows(
            f"SELECT {_SLUG} FROM slugs WHERE app_id = ? ORDER BY created_at DESC, rowid DESC",  # noqa: S608
            app_id,
        )
        return [_slug(row) for row in rows]

    def remove_slug(self, slug_id: str) -> None:
        with self.writing() as connection:
            connection.execute("DELETE FROM slugs WHERE id = ?", (slug_id,))
            note_gone(connection, "slug", [slug_id])

    # Releases

    def add_release(
        self,
        app_id: int,
        *,
        slug_id: str | None,
        config: ConfigVars,
        description: str,
        user: str,
        now: datetime,
    ) -> Release:
        plain = {name: value.reveal() for name, value in config.items()}
        with self.writing() as connection:
            version = connection.execute(
                "SELECT coalesce(max(version), 0) + 1 FROM releases WHERE app_id = ?", (app_id,)
            ).fetchone()[0]
            connection.execute(
                "INSERT INTO releases VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    app_id,
                    version,
                    slug_id,
                    json.dumps(plain),
                    Status.PENDING,
                    description,
                    user,
                    now.isoformat(),
                ),
            )
        return Release(app_id, version, slug_id, config, Status.PENDING, description, user, now)

    def release(self, app_id: int, version: int) -> Release | None:
        row = self.row(
            f"SELECT {_RELEASE} FROM releases WHERE app_id = ? AND version = ?",  # noqa: S608
            app_id,
            version,
        )
        return _release(row) if row else None

    def releases(self, app_id: int) -> list[Release]:
        rows = self.rows(
            f"SELECT {_RELEASE} FROM releases WHERE app_id = ? ORDER BY version DESC",  # noqa: S608
            app_id,
        )
        return [_release(row) for row in rows]

    def fail_release(self, app_id: int, version: int) -> None:
        self.write(
            "UPDATE releases SET status = ? WHERE app_id = ? AND version = ?",
            Status.FAILED,
            app_id,
            version,
        )

    def make_current(
        self, app_id: int, version: int, generation: int | None, keep: Sequence[Instance] = ()
    ) -> None:
        with self.writing() as connection:
            connection.execute(
                "UPDATE releases SET status = ? WHERE app_id = ? AND version = ?",
                (Status.SUCCEEDED, app_id, version),
            )
            connection.execute(
                "UPDATE apps SET current = ?, generation = ? WHERE id = ?",
                (version, generation, app_id),
            )
            connection.executemany(
                "UPDATE instances SET kept = ? WHERE generation = ? AND kind = ? AND number = ?",
                [(generation, i.generation, i.kind, i.number) for i in keep],
            )

    # Instances

    def next_generation(self) -> int:
        with self.writing() as connection:
            generation = connection.execute("INSERT INTO generations DEFAULT VALUES").lastrowid
            connection.execute("DELETE FROM generations WHERE id < ?", (generation,))
        assert generation is not None
        return generation

    def add_instances(self, instances: Sequence[Instance]) -> None:
        rows = [(i.app_id, i.version, i.generation, i.kind, i.number, i.port) for i in instances]
        try:
            with self.writing() as connection:
                connection.executemany(
                    "INSERT INTO instances (app_id, version, generation, kind, number, port) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    rows,
                )
        except sqlite3.IntegrityError as error:
            raise PaasError("port-taken", "Another deploy took the same port: try again.") from (
                error
            )

    def instances(self, app_id: int | None = None) -> list[Instance]:
        rows = self.rows(
            "SELECT app_id, version, generation, kind, number, port, kept FROM instances "
            "WHERE app_id = coalesce(?, app_id) ORDER BY app_id, coalesce(kept, generation), "
            "kind = 'web' DESC, kind, number",
            app_id,
        )
        return [Instance(r[0], r[1], r[2], ProcessType(r[3]), r[4], r[5], r[6]) for r in rows]

    def remove_instances(self, instances: Sequence[Instance]) -> None:
        keys = [(i.generation, i.kind, i.number) for i in instances]
        with self.writing() as connection:
            connection.executemany(
                "DELETE FROM instances WHERE generation = ? AND kind = ? AND number = ?", keys
            )

    def used_ports(self) -> set[int]:
        return {row[0] for row in self.rows("SELECT port FROM instances WHERE port IS NOT NULL")}


_SLUG = "id, app_id, commit_id, processes, size_bytes, created_at, static, app_json"
_RELEASE = "app_id, version, slug_id, config, status, description, user, created_at"


def _slug(row: Any) -> Slug:
    processes = {ProcessType(kind): command for kind, command in json.loads(row[3]).items()}
    static = StaticFiles(**json.loads(row[6])) if row[6] else None
    return Slug(row[0], row[1], row[2], processes, row[4], parse_time(row[5]), static, row[7])


def _release(row: Any) -> Release:
    config = {name: Secret(value) for name, value in json.loads(row[3]).items()}
    return Release(
        row[0], row[1], row[2], config, Status(row[4]), row[5], row[6], parse_time(row[7])
    )
