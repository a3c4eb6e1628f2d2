"""notify, notify:add, notify:remove, notify:test

app: None: of all apps and the server, as with the option --server.
"""

from collections.abc import Sequence

from paas.domain.notifications.targets import WEBHOOK, Target, events_of
from paas.entrypoints.operations.call import Call


def listing(call: Call, *, app: str | None) -> list[dict[str, object]]:
    """Who is notified, in the order in which they were added."""
    return [_plain(one) for one in call.services.notifications.listing(call.actor, app)]


def add(
    call: Call, *, app: str | None, url: str, events: Sequence[str] | None
) -> dict[str, object]:
    """Notify a place from now on; returns it, with the secret that signs if it is a webhook."""
    wanted = events_of(",".join(events) if events is not None else None)
    made = call.services.notifications.add(call.actor, app, url, wanted)
    return {**_plain(made), "secret": made.secret.reveal() if made.kind == WEBHOOK else None}


def remove(call: Call, *, app: str | None, target: str) -> dict[str, object]:
    """Notify a place no longer. target: its URL or its id."""
    return _plain(call.services.notifications.remove(call.actor, app, target))


def test(call: Call, *, app: str | None, target: str | None) -> list[dict[str, object]]:
    """Send a test to one place, or to all; the answer waits for it."""
    return [_plain(one) for one in call.services.notifications.test(call.actor, app, target)]


def _plain(target: Target) -> dict[str, object]:
    """As the commands show it: without what may be a secret."""
    return {
        "id": target.id,
        "url": target.shown,
        "kind": target.kind,
        "events": list(target.events),
    }
