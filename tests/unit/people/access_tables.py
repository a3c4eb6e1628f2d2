"""Writes the tables of docs/reference/access.md from paas/domain/people/permissions.py.

Run it when a row has changed: ``.venv/bin/python -m tests.unit.people.access_tables``.
"""

import re
from pathlib import Path

from paas.domain.people.permissions import COMMANDS, GIT_SERVICES, AppRole, Need, Permission

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "access.md"
_BLOCK = re.compile(
    r"(?<=<!-- begin of the tables -->\n).*(?=<!-- end of the tables -->)", re.DOTALL
)
_COVERS = {
    Permission.VIEW: "state, logs, releases, settings, the names of config vars",
    Permission.DEPLOY: "code and releases",
    Permission.CONFIGURE: "config vars with their values, addresses, certificates, settings, log "
    "drains (their URLs may hold passwords)",
    Permission.OPERATE: "processes, commands that run once, cron jobs, maintenance mode, the "
    "deploy lock",
    Permission.OWN: "the app's name, who has access, and what cannot be undone",
    Need.ANYONE: "no app, or all that you may view",
    Need.ACCOUNT: "your account; not for a token that is limited to an app or a role",
    Need.ADMIN: "for admins",
}


def tables() -> str:
    """Roles with their permissions, and the commands that need each."""
    roles = "".join(
        f"| `{permission}` | {_COVERS[permission]} | {' | '.join(_marks(permission))} |\n"
        for permission in Permission
    )
    needs = "".join(
        f"| {_need_words(need)} | {', '.join(_commands(need))} |\n" for need in (*Permission, *Need)
    )
    heading = " | ".join(role.value for role in AppRole)
    return (
        f"\n| Permission | What it covers | {heading} |\n|---|---|{'---|' * len(AppRole)}\n{roles}"
        f"\n| Needs | Commands |\n|---|---|\n{needs}\n"
    )


def page() -> str:
    """The page with its tables as they should be."""
    return _BLOCK.sub(lambda _: tables(), PAGE.read_text())


def _need_words(need: Permission | Need) -> str:
    return f"`{need}`: {_COVERS[need]}" if isinstance(need, Need) else f"`{need}`"


def _marks(permission: Permission) -> list[str]:
    return ["yes" if role.may(permission) else "" for role in AppRole]


def _commands(need: Permission | Need) -> list[str]:
    named = {**COMMANDS, **GIT_SERVICES}
    return [f"`{name}`" for name, row in named.items() if row.need is need]


if __name__ == "__main__":
    PAGE.write_text(page())
