"""Previews, and how those of an app are made; the config that they get is sealed."""

import json
import sqlite3
from datetime import datetime, timedelta

from paas.domain.git.events import Forge
from paas.domain.git.previews import Preview, PreviewOf, PreviewSettings
from paas.domain.values.names import BranchName, VarName
from paas.domain.values.secret import Secret
from paas.store.database import Database, Table, parse_time
from paas.store.sealing import Sealing
from paas.store.seals import preview_place


class Previews(Table):
    """The apps that were made as previews: those in this table, whatever they are called."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        super().__init__(database)
        self._sealing = sealing

    def settings(self, app_id: int) -> PreviewSettings | None:
        """How the previews of an app are made; None: there are to be none."""
        row = self._database.row("SELECT * FROM preview_settings WHERE app_id = ?", app_id)
        if row is None:
            return None
        plain = json.loads(self._sealing.unseal(preview_place(app_id), row["config"]))
        config = {VarName(name): Secret(value) for name, value in plain.items()}
        return PreviewSettings(config, timedelta(seconds=row["lifetime_s"]))

    def set_settings(self, app_id: int, settings: PreviewSettings) -> None:
        """In place of the former ones."""
        plain = {name: value.reveal() for name, value in settings.config.items()}
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO preview_settings (app_id, config, lifetime_s) "
                "VALUES (?, ?, ?)",
                (
                    app_id,
                    self._sealing.seal(preview_place(app_id), json.dumps(plain)),
                    int(settings.lifetime.total_seconds()),
                ),
            )

    def remove_settings(self, app_id: int) -> None:
        """There are to be no further ones; those that there are stay."""
        self._database.write("DELETE FROM preview_settings WHERE app_id = ?", app_id)

    def of_app(self, app_id: int) -> Preview | None:
        """The app as a preview; None if it is none."""
        return _first(self._database.rows(f"{_SELECT} WHERE app_id = ?", app_id))

    def find(self, parent_id: int, of: PreviewOf) -> Preview | None:
        """The preview of a pull request, or else of a branch."""
        where = "pull_request IS NULL AND branch = ?"
        value: int | str = of.branch
        if of.pull_request is not None:
            where, value = "pull_request = ?", of.pull_request
        rows = self._database.rows(f"{_SELECT} WHERE parent_id = ? AND {where}", parent_id, value)
        return _first(rows)

    def of_parent(self, parent_id: int) -> list[Preview]:
        """In the order in which they were made."""
        rows = self._database.rows(f"{_SELECT} WHERE parent_id = ? ORDER BY app_id", parent_id)
        return [_preview(row) for row in rows]

    def due(self, now: datetime) -> list[Preview]:
        """Those that are to be removed: expired, ended, or without the app that they are of."""
        rows = self._database.rows(
            f"{_SELECT} WHERE expires_at <= ? OR ended IS NOT NULL OR parent_id IS NULL "
            "ORDER BY app_id",
            now.isoformat(),
        )
        return [_preview(row) for row in rows]

    def add(self, preview: Preview) -> None:
        """A new app is a preview."""
        self._database.write(
            "INSERT INTO previews (app_id, parent_id, branch, pull_request, forge, commit_id, "
            "expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            preview.app_id,
            preview.parent_id,
            preview.of.branch,
            preview.of.pull_request,
            preview.forge,
            preview.commit,
            preview.expires_at.isoformat(),
        )

    def want(self, preview: Preview) -> None:
        """Ask for a deploy, with what the preview says of branch, commit and expiry.

        It lives on if it was to be removed.
        """
        self._database.write(
            "UPDATE previews SET wanted = wanted + 1, ended = NULL, result = '', branch = ?, "
            "forge = ?, commit_id = ?, expires_at = ? WHERE app_id = ?",
            preview.of.branch,
            preview.forge,
            preview.commit,
            preview.expires_at.isoformat(),
            preview.app_id,
        )

    def finish(self, app_id: int, wanted: int, result: str) -> None:
        """A deploy has taken in so many. result: kept unless another one was asked for since."""
        self._database.write(
            "UPDATE previews SET done = ?, result = CASE WHEN wanted = ? THEN ? ELSE result END "
            "WHERE app_id = ?",
            wanted,
            wanted,
            result,
            app_id,
        )

    def end(self, app_id: int, why: str) -> None:
        """It is to be removed, unless a deploy is asked for before that."""
        self._database.write("UPDATE previews SET ended = ? WHERE app_id = ?", why, app_id)


_SELECT = "SELECT * FROM previews"


def _first(rows: list[sqlite3.Row]) -> Preview | None:
    return _preview(rows[0]) if rows else None


def _preview(row: sqlite3.Row) -> Preview:
    return Preview(
        app_id=row["app_id"],
        parent_id=row["parent_id"],
        of=PreviewOf(BranchName(row["branch"]), row["pull_request"]),
        forge=None if row["forge"] is None else Forge(row["forge"]),
        commit=row["commit_id"],
        expires_at=parse_time(row["expires_at"]),
        wanted=row["wanted"],
        done=row["done"],
        ended=row["ended"],
        result=row["result"],
    )
