"""Slugs: what builds made."""

import json
import sqlite3
from dataclasses import asdict

from paas.domain.builds.buildpacks import StaticFiles
from paas.domain.releases.artifacts import Image
from paas.domain.releases.releases import Release, Slug
from paas.domain.values.names import ProcessType
from paas.store.database import Table, parse_time
from paas.store.gone import note_gone


class Slugs(Table):
    """The slugs that are kept."""

    def add(self, slug: Slug) -> None:
        self._database.write(
            f"INSERT INTO slugs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            slug.id,
            slug.app_id,
            slug.commit,
            json.dumps(dict(slug.processes)),
            slug.size_bytes,
            slug.created_at.isoformat(),
            json.dumps(asdict(slug.static)) if slug.static else None,
            slug.app_json,
            json.dumps(asdict(slug.image)) if slug.image else None,
            slug.dependencies,
        )

    def find(self, slug_id: str) -> Slug | None:
        row = self._database.row(f"SELECT {_COLUMNS} FROM slugs WHERE id = ?", slug_id)
        return _slug(row) if row else None

    def of_release(self, release: Release | None) -> Slug | None:
        """None: it has none, or it is pruned; or there is no release."""
        return self.find(release.slug_id) if release and release.slug_id else None

    def of_app(self, app_id: int) -> list[Slug]:
        """Newest first."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM slugs WHERE app_id = ? ORDER BY created_at DESC, rowid DESC",
            app_id,
        )
        return [_slug(row) for row in rows]

    def dependencies_of(self, slug_id: str) -> str | None:
        """`Slug.dependencies`; None also if there is no such slug."""
        row = self._database.row("SELECT dependencies FROM slugs WHERE id = ?", slug_id)
        return row["dependencies"] if row else None

    def image_ids(self) -> set[str]:
        """Of all slugs that have an image."""
        rows = self._database.rows("SELECT image FROM slugs WHERE image IS NOT NULL")
        return {json.loads(row["image"])["id"] for row in rows}

    def set_image(self, slug_id: str, image: Image | None) -> None:
        """Record another image of a slug, or something else of its image; None: it has none."""
        text = json.dumps(asdict(image)) if image is not None else None
        self._database.write("UPDATE slugs SET image = ? WHERE id = ?", text, slug_id)

    def remove(self, slug_id: str) -> None:
        """Delete a slug; releases keep its id, so that they can say it is pruned."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM slugs WHERE id = ?", (slug_id,))
            note_gone(connection, "slug", [slug_id])


_COLUMNS = (
    "id, app_id, commit_id, processes, size_bytes, created_at, static, app_json, image, "
    "dependencies"
)


def _slug(row: sqlite3.Row) -> Slug:
    processes = json.loads(row["processes"])
    return Slug(
        id=row["id"],
        app_id=row["app_id"],
        commit=row["commit_id"],
        processes={ProcessType(kind): command for kind, command in processes.items()},
        size_bytes=row["size_bytes"],
        created_at=parse_time(row["created_at"]),
        static=StaticFiles(**json.loads(row["static"])) if row["static"] else None,
        app_json=row["app_json"],
        image=Image(**json.loads(row["image"])) if row["image"] else None,
        dependencies=row["dependencies"],
    )
