"""The trash: what the database does not know, out of the way but not deleted."""

from typing import Protocol

from paas.domain.releases.releases import Instance
from paas.domain.server.trash import TrashItem


class Trash(Protocol):
    """Takes what is on the disk and in no table; only `empty` deletes.

    What cannot be moved, or is in use by instances, stays where it is. Each method that moves or
    copies returns how many things that were.
    """

    def app_ids(self) -> set[int]:
        """The ids of all apps of which anything is on the disk, known or not."""

    def move_app(self, app_id: int, why: str) -> int:
        """Move everything of an app."""

    def move_slug(self, slug_id: str, why: str) -> int:
        """Move a slug, or an unfinished build."""

    def move_storage(self, app_id: int, storage_id: int, why: str) -> int:
        """Move a storage directory."""

    def move_certificate(self, id: str, why: str) -> int:
        """Move a certificate with its key."""

    def move_store(self, why: str) -> int:
        """Move the database itself, before another takes its place."""

    def copy_store(self, why: str) -> int:
        """Keep the latest copy of the database, which is about to be replaced."""

    def copy_group(self, group: str, why: str) -> int:
        """Keep a copy of the files of instances that are about to be deleted.

        They hold the config vars.
        """

    def copy_site(self, app_id: int, why: str) -> int:
        """Keep a copy of the proxy's files for an app, which are about to be deleted."""

    def groups(self) -> set[str]:
        """The groups of instances that have files, whether they run or not."""

    def running(self, group: str, rollout_id: int | None) -> list[Instance]:
        """A group's instances, by their launch specs, as a roll-out of that number keeps them."""

    def listing(self) -> list[TrashItem]:
        """What is in it, oldest first."""

    def size_bytes(self) -> int:
        """The disk usage of all of it."""

    def empty(self) -> int:
        """Delete all of it permanently; returns how many things that were."""
