"""Seals the secrets in a database: AES-256-GCM, each value bound to its place.

A sealed value is ``sealed:KEY:BASE64``: the id of the server's key, then nonce, ciphertext and tag
(NIST SP 800-38D; the nonce is random). Its place is authenticated with it, so a value that was
moved to another app or release cannot be opened. A value without that form is in the clear, written
by a former version.
"""

import base64
import binascii
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from paas.domain.values.errors import PaasError
from paas.store import faults
from paas.store.server_keys import ServerKeys

_MARK = "sealed"
_NONCE_BYTES = 12


def config_place(app_id: int, version: int) -> str:
    """Where a release's config vars are."""
    return f"The config vars of release v{version} of the app with the id {app_id}"


def drain_place(token: str, app_id: int) -> str:
    """Where a drain's URL is."""
    return f"The URL of the drain {token} of the app with the id {app_id}"


def datastore_place(name: str) -> str:
    """Where a datastore's password is."""
    return f"The password of the datastore {name}"


def external_place(name: str) -> str:
    """Where the URL of a database elsewhere is."""
    return f"The URL of the database {name}"


def build_value_place(app_id: int, kind: str, name: str) -> str:
    """Where a value for an app's builds is."""
    return f"The {kind} {name} for builds of the app with the id {app_id}"


def git_token_place(app_id: int, host: str) -> str:
    """Where an app's token for a git server is."""
    return f"The token for {host} of the app with the id {app_id}"


def deploy_key_place(app_id: int) -> str:
    """Where the private half of an app's deploy key is."""
    return f"The deploy key of the app with the id {app_id}"


def webhook_place(app_id: int) -> str:
    """Where the secret of an app's webhook is."""
    return f"The webhook's secret of the app with the id {app_id}"


def preview_place(app_id: int) -> str:
    """Where the config vars for an app's previews are."""
    return f"The config vars for previews of the app with the id {app_id}"


def notification_place(id: str) -> str:
    """Where the URL of a place that is notified is."""
    return f"The URL of the notified place {id}"


def dns_place(provider: str) -> str:
    """Where the credentials for proofs by DNS are."""
    return f"The credentials for {provider}"


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of sealed values. place: names a row's place, given the values of others."""

    table: str
    name: str
    others: str
    place: Callable[..., str]


COLUMNS = (
    _Column("releases", "config", "app_id, version", config_place),
    _Column("drains", "url", "token, app_id", drain_place),
    _Column("datastores", "password", "name", datastore_place),
    _Column("externals", "url", "name", external_place),
    _Column("build_values", "value", "app_id, kind, name", build_value_place),
    _Column("git_tokens", "token", "app_id, host", git_token_place),
    _Column("deploy_keys", "private", "app_id", deploy_key_place),
    _Column("webhooks", "secret", "app_id", webhook_place),
    _Column("preview_settings", "config", "app_id", preview_place),
    _Column("notifications", "url", "id", notification_place),
    _Column("dns_challenge", "credentials", "provider", dns_place),
)


def load() -> None:
    """Import the encryption library and have it look up the cipher, which takes it another 1 ms.

    Some 25 ms, spent before anybody waits for the process.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    AESGCM(bytes(32)).encrypt(bytes(_NONCE_BYTES), b"", None)


def seal(keys: ServerKeys, key_id: str, place: str, text: str) -> str:
    """The sealed form of a text. Raises StoreFaultError if there is no such key."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_BYTES)
    plain = text.encode("utf-8", "surrogatepass")
    sealed = AESGCM(_key(keys, key_id)).encrypt(nonce, plain, place.encode())
    return f"{_MARK}:{key_id}:{base64.b64encode(nonce + sealed).decode()}"


def unseal(keys: ServerKeys | None, place: str, stored: str) -> str:
    """The text of a stored value.

    Raises StoreFaultError if its key is missing, and PaasError if it does not belong there.
    """
    mark, _, rest = stored.partition(":")
    if mark != _MARK:
        return stored
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key_id, _, encoded = rest.partition(":")
    key = _key(keys, key_id)
    try:
        data = base64.b64decode(encoded, validate=True)
        plain = AESGCM(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], place.encode())
    except (InvalidTag, ValueError, binascii.Error) as error:
        raise PaasError(
            "seal-broken",
            f"{place} cannot be unsealed: the stored value was changed, or belongs elsewhere.",
            "Set them again, or ask the server's administrator to restore a backup.",
        ) from error
    return plain.decode("utf-8", "surrogatepass")


def _key(keys: ServerKeys | None, key_id: str) -> bytes:
    if keys is None:
        raise RuntimeError("a store that was opened without keys has no secrets")
    key = keys.find(key_id)
    if key is None:
        raise faults.no_key(keys.path)
    return key


def key_of(connection: sqlite3.Connection) -> str | None:
    """The id of the key that a database is sealed with; None: nothing in it is sealed."""
    known = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'sealing'"
    ).fetchone()
    row = connection.execute("SELECT key_id FROM sealing").fetchone() if known else None
    return None if row is None else str(row[0])


def check_key(connection: sqlite3.Connection, keys: ServerKeys) -> None:
    """Raises StoreFaultError if the key that a database needs is missing."""
    former = ""
    # Again if it has another one by now: the key may have been changed, and the former one removed,
    # between the two reads.
    while (key_id := key_of(connection)) is not None and keys.find(key_id) is None:
        if key_id == former:
            raise faults.no_key(keys.path)
        former = key_id


def writing_key(connection: sqlite3.Connection, keys: ServerKeys) -> str:
    """The id of the key to seal with, the one of all other values; in a transaction."""
    key_id = key_of(connection)
    if key_id is None:
        key_id = keys.newest()
        connection.execute("INSERT INTO sealing (key_id, scrubbed) VALUES (?, 0)", (key_id,))
    return key_id


def begin_sealed(connection: sqlite3.Connection, key_id: str) -> None:
    """Have a new database seal with that key; it has no former values to scrub."""
    connection.execute("INSERT INTO sealing (key_id, scrubbed) VALUES (?, 1)", (key_id,))


def are_all_sealed(connection: sqlite3.Connection, key_id: str) -> bool:
    """Whether every value is sealed with that key."""
    return not any(_others(connection, column, key_id) for column in COLUMNS)


def _others(connection: sqlite3.Connection, column: _Column, key_id: str) -> list[int]:
    """The rowids of the values that are not sealed with that key."""
    mark = f"{_MARK}:{key_id}:"
    query = f"SELECT rowid FROM {column.table} WHERE substr({column.name}, 1, ?) <> ?"
    return [row[0] for row in connection.execute(query, (len(mark), mark))]


def reseal(connection: sqlite3.Connection, keys: ServerKeys, key_id: str) -> None:
    """Seal everything with that key, in a transaction; former values still need scrubbing."""
    if key_of(connection) == key_id and are_all_sealed(connection, key_id):
        return
    for column in COLUMNS:
        query = f"SELECT {column.name}, {column.others} FROM {column.table} WHERE rowid = ?"
        update = f"UPDATE {column.table} SET {column.name} = ? WHERE rowid = ?"
        for rowid in _others(connection, column, key_id):
            stored, *where = tuple(connection.execute(query, (rowid,)).fetchone())
            place = column.place(*where)
            sealed = seal(keys, key_id, place, unseal(keys, place, stored))
            connection.execute(update, (sealed, rowid))
    connection.execute("DELETE FROM sealing")
    connection.execute("INSERT INTO sealing (key_id, scrubbed) VALUES (?, 0)", (key_id,))
