"""What sshd knows of the users: their keys, and their names in certificates."""

from dataclasses import dataclass

from paas.interfaces import KeyFile
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Logins:
    """sshd's file is the store's content. To publish after each change of keys or of users."""

    store: Store
    file: KeyFile

    def publish(self) -> None:
        """Have sshd accept exactly the users and keys of the store."""
        self.file.publish(self.store.keys.all(), self.store.users.names())

    def are_published(self) -> bool:
        """Whether it does."""
        return self.file.has(self.store.keys.all(), self.store.users.names())
