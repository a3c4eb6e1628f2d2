"""Times the question whether a user may use an app. Runs in the server's own Python.

``permissions.py ETC ROUNDS`` asks it for a member of the last of 20 teams, of an app that is shared
with all of them and with 50 users; prints milliseconds as JSON: with the checks, and only reading
that there is such an app.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from paas.domain.people.access import Grant, Holder, TeamName, of_team
from paas.domain.people.actors import Actor
from paas.domain.people.keys import Key
from paas.domain.people.origins import Origin
from paas.domain.people.permissions import AppRole, Permission
from paas.domain.people.users import Role
from paas.domain.values.names import AppName, UserName
from paas.services.access import find_app
from paas.settings import load
from paas.wiring.adapters import server_adapters
from paas.wiring.services import Services, all_services

APP = AppName("permissions")
MEMBER = UserName("member")
KEY = "SHA256:" + "b" * 43
TEAMS = [TeamName(f"team-{number}") for number in range(20)]
USERS = [UserName(f"user-{number}") for number in range(50)]


def prepare(services: Services) -> None:
    """The users, teams and the app, which nothing runs of."""
    store, now = services.store, datetime.now(UTC)
    with store.transaction():
        app = store.apps.add(APP, None, now)
        for user in (*USERS, MEMBER):
            store.users.add(user, Role.MEMBER, now)
        store.keys.add(Key(KEY, MEMBER, "ssh-ed25519", "AAAA", ""), now)
        for user in USERS:
            store.grants.put(app.id, Grant(Holder(user), AppRole.VIEWER), now)
        for team in TEAMS:
            store.teams.create(team, now)
            store.teams.add_member(team, MEMBER)
            store.grants.put(app.id, Grant(of_team(team), AppRole.DEPLOYER), now)


def remove(services: Services) -> None:
    """Everything that prepare has made."""
    store = services.store
    with store.transaction():
        app = store.apps.find(APP)
        if app is not None:
            store.apps.remove(app.id)
            store.apps.forget_destroyed(app.id)
        for team in TEAMS:
            store.teams.remove(team)
        for user in (*USERS, MEMBER):
            store.users.remove(user)


def checked(services: Services) -> None:
    """As the gate and a command do it."""
    user = services.store.users.find(MEMBER)
    services.admission.admit(MEMBER, Origin(key=KEY, address="192.0.2.1"))
    find_app(services.store, Actor(user), APP, to=Permission.OPERATE)


def unchecked(services: Services) -> None:
    """Read the app without any check."""
    services.store.database.row("SELECT id, uid, current FROM apps WHERE name = ?", APP)


def took_ms(ask: Callable[[Services], None], services: Services) -> float:
    """Once."""
    started = time.perf_counter()
    ask(services)
    return 1000 * (time.perf_counter() - started)


def main() -> None:
    """See the module."""
    services = all_services(server_adapters(load(Path(sys.argv[1]) / "server.yml")))
    prepare(services)
    try:
        pairs = [
            (took_ms(checked, services), took_ms(unchecked, services))
            for _ in range(int(sys.argv[2]))
        ]
    finally:
        remove(services)
    ours, baseline = zip(*pairs, strict=True)
    print(json.dumps({"ours": ours, "baseline": baseline}))


if __name__ == "__main__":
    main()
