"""Who has access to which app."""

from datetime import datetime

from paas.domain.people.access import Grant, Holder
from paas.store.database import Table

# The grants of the app in the query around it, as App.grants has them. A preview has those of the
# app that it is a preview of: who loses access to that loses it to all of them.
OF_APP = (
    "(SELECT json_group_array(json_array(coalesce(user, '@' || team), role)) FROM (SELECT * FROM "
    "grants WHERE app_id = coalesce((SELECT parent_id FROM previews WHERE app_id = apps.id), "
    "apps.id) ORDER BY CASE role "
    "WHEN 'owner' THEN 1 WHEN 'deployer' THEN 2 ELSE 3 END, id))"
)


class Grants(Table):
    """The access that users and teams have to apps; App.grants has those of one."""

    def put(self, app_id: int, grant: Grant, now: datetime) -> None:
        """Give access, or another role; with the same role it keeps its place among them."""
        holder = grant.holder
        with self._database.writing() as connection:
            connection.execute(
                "DELETE FROM grants WHERE app_id = ? AND (user = ? OR team = ?) AND role <> ?",
                (app_id, holder.user, holder.team, grant.role),
            )
            connection.execute(
                "INSERT OR IGNORE INTO grants (app_id, user, team, role, created_at) "
                "VALUES (?, ?, ?, ?, ?)",
                (app_id, holder.user, holder.team, grant.role, now.isoformat()),
            )

    def remove(self, app_id: int, holder: Holder) -> None:
        self._database.write(
            "DELETE FROM grants WHERE app_id = ? AND (user = ? OR team = ?)",
            app_id,
            holder.user,
            holder.team,
        )
