"""The store when it cannot be used: what is wrong with it, and putting one back."""

from dataclasses import dataclass

from paas.domain.server.trash import Access, StoreCopy
from paas.domain.values.errors import PaasError, StoreKeyError
from paas.interfaces import Locks, Progress, ServerLock, StoreRecovery, Trash
from paas.services.progress import waiting
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What admins do when the database is missing, another one, older or damaged."""

    store: Store
    store_recovery: StoreRecovery
    trash: Trash
    locks: Locks

    def fault(self) -> PaasError | None:
        """Why it cannot be used; None if it can."""
        return self.store_recovery.fault()

    def copies(self) -> list[StoreCopy]:
        """The copies of it, newest first."""
        return self.store_recovery.copies()

    def restore(self, progress: Progress) -> StoreCopy:
        """Restore the newest intact copy. What was there goes to the trash.

        May be killed anywhere and called again. Raises PaasError if the store can be used, or no
        copy is intact.
        """
        with self.locks.server(
            ServerLock.STORE, "an admin restores the database", waiting(progress)
        ):
            fault = self.store_recovery.fault()
            if fault is None:
                raise PaasError(
                    "store-whole", "The database is intact and up to date: nothing was restored."
                )
            if isinstance(fault, StoreKeyError):
                raise fault
            copy = next((copy for copy in self.store_recovery.copies() if copy.fault is None), None)
            if copy is None:
                raise PaasError(
                    "no-whole-copy",
                    "There is no intact copy of the database that the server's key opens.",
                    "Put a backup of state.db in its place, then: paas doctor --adopt-store",
                )
            self.trash.copy_store("The database was replaced: doctor --restore-store.")
            new = self.store_recovery.new_from(copy)
            self.store.close()
            self.trash.move_store("It was replaced by a copy: doctor --restore-store.")
            self.store_recovery.put(new)
        return copy

    def adopt(self, progress: Progress) -> None:
        """Accept the store that is there from now on, though it is another or an older one.

        The latest copy of the former one goes to the trash, since that of this one takes its place.
        Raises PaasError if the store can be used as it is, is missing, or is damaged.
        """
        with self.locks.server(ServerLock.STORE, "an admin adopts the database", waiting(progress)):
            if self.store_recovery.fault() is None:
                raise PaasError(
                    "store-whole", "The database is this server's, intact and up to date."
                )
            self._warn_of_access(progress)
            self.trash.copy_store("Another database was adopted: doctor --adopt-store.")
            self.store.close()
            self.store_recovery.adopt()

    def _warn_of_access(self, progress: Progress) -> None:
        """Name the users, roles and keys that were removed since, and are valid again."""
        copy = next((copy for copy in self.store_recovery.copies() if copy.fault is None), None)
        if copy is None:
            progress.warn(
                "No copy of the former database is intact, so keys that were removed since may be "
                "valid again. See: paas keys"
            )
            return
        there = {access.user: access for access in self.store_recovery.access(copy)}
        regained = [
            line
            for access in self.store_recovery.access()
            for line in _regained(access, there.get(access.user))
        ]
        for line in regained:
            progress.warn(line)
        if regained:
            progress.warn(
                f"The copy of {copy.at:%Y-%m-%d %H:%M:%S} UTC does not have these. To remove a "
                "key: paas keys:remove FINGERPRINT"
            )


def _regained(access: Access, former: Access | None) -> list[str]:
    """What the user has in the store that is adopted, and did not have in the former one."""
    lines = []
    if former is None:
        lines.append(f"Again a user: {access.user} ({access.role})")
    elif former.role != access.role:
        lines.append(f"{access.user} is {access.role} again, and was {former.role}.")
    known = former.keys if former is not None else frozenset()
    return lines + [
        f"Valid again: the key {key} of {access.user}" for key in sorted(access.keys - known)
    ]
