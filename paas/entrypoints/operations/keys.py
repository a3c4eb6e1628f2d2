"""keys, keys:add, keys:remove"""

from paas.domain.people.keys import Key
from paas.domain.values.names import user_name
from paas.entrypoints.operations.call import Call


def listing(call: Call) -> list[dict[str, object]]:
    """The actor's own SSH keys."""
    keys = call.services.keys.listing(call.actor)
    return [_plain(key) for key in keys if key.user == call.actor.name]


def add(call: Call, *, user: str, key: str) -> dict[str, object]:
    """Let the holder of a public key log in as that user."""
    added = call.services.keys.add(call.actor, user_name(user), key, None, origin=call.origin)
    kept = call.services.store.keys.find(added.fingerprint)
    return _plain(kept or added)  # somebody may have removed it already


def remove(call: Call, *, fingerprint: str) -> dict[str, object]:
    """Remove a key; returns it as it was."""
    return _plain(call.services.keys.remove(call.actor, fingerprint))


def _plain(key: Key) -> dict[str, object]:
    return {
        "fingerprint": key.fingerprint,
        "comment": key.comment,
        "key": f"{key.kind} {key.body} {key.comment}".strip(),
        "added": key.added.isoformat() if key.added else None,
    }
