"""Seals the secrets of the store, including those still in the clear, and changes the key."""

from paas.store import seals
from paas.store.copies import Copies
from paas.store.database import Table
from paas.store.server_keys import ServerKeys


class Sealing(Table):
    """Seals and opens values; see seals.py."""

    def seal(self, place: str, text: str) -> str:
        """The value to store for a text, in the transaction that writes it."""
        keys = self._keys()
        with self._database.writing() as connection:
            return seals.seal(keys, seals.writing_key(connection, keys), place, text)

    def unseal(self, place: str, stored: str) -> str:
        """The text of a stored value. Needs the keys only, not the database."""
        return seals.unseal(self._database.keys, place, stored)

    def is_settled(self) -> bool:
        """Whether there is nothing to do for `settle`."""
        row = self._database.row("SELECT key_id, scrubbed FROM sealing")
        if row is None or not row["scrubbed"]:
            return False
        with self._database.reading() as connection:
            return seals.are_all_sealed(connection, row["key_id"])

    def settle(self) -> None:
        """Seal what a former version left in the clear, here and in the copies, and scrub it.

        May be killed at any point and called again. Raises PaasError if something is left to do.
        """
        if self.is_settled():
            return
        keys = self._keys()
        with self._database.writing() as connection:
            seals.reseal(connection, keys, seals.writing_key(connection, keys))
        self._scrub()

    def rotate(self) -> str:
        """Seal everything with a new key, here and in the copies, and remove the former one.

        May be killed at any point and called again: until the end the file has both keys. Returns
        the id of the new key. Raises PaasError if something is left to do.
        """
        keys = self._keys()
        newest, present = keys.newest(), self._present()
        # The newest is not in use yet if the last call was killed.
        new = newest if newest != present else keys.add()
        with self._database.writing() as connection:
            seals.reseal(connection, keys, new)
        self._scrub()
        keys.keep_only(new)
        return new

    def _present(self) -> str:
        keys = self._keys()
        with self._database.writing() as connection:
            return seals.writing_key(connection, keys)

    def _scrub(self) -> None:
        """Leave no former values in free pages, in the write-ahead log, or in copies."""
        self._database.rewrite()
        copies = Copies(self._database.path, self._keys())
        copies.latest()
        copies.reseal(self._present())
        self._database.write("UPDATE sealing SET scrubbed = 1")

    def _keys(self) -> ServerKeys:
        if self._database.keys is None:
            raise RuntimeError("a store that was opened without keys takes no secrets")
        return self._database.keys
