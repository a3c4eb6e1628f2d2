"""Archives: what a datastore can be restored from to a moment of its past."""

from datetime import datetime
from typing import Protocol

from paas.domain.datastores.archives import ArchiveName, Archiving, Holdings, Rehearsal
from paas.domain.datastores.datastores import Datastore
from paas.domain.values.errors import PaasError
from paas.interfaces.output import Progress


class DatastoreArchives(Protocol):
    """The archives of one kind of datastore, in this server's backup target.

    Only its own datastore writes an archive, which is encrypted with a passphrase of its own.
    """

    def lack(self) -> PaasError | None:
        """Why this machine keeps no archives, or None if it does."""

    def ensure_installed(self, progress: Progress) -> None:
        """Install what is missing; warns if that fails, since datastores work without it."""

    def is_kept(self, datastore: Datastore) -> bool:
        """Whether its server archives, as it was started."""

    def reaches_target(self, datastore: Datastore) -> bool:
        """Whether its server sees the target, as it was started; if not, a restart helps."""

    def beat(self, datastore: Datastore) -> None:
        """Write the time into it, so that there is something to archive and to measure by.

        Not while archiving fails, since that would only add to what waits. Raises PaasError if it
        does not answer.
        """

    def has_lost(self, datastore: Datastore) -> bool:
        """Whether it dropped something that it should have archived; see `Archiving`."""

    def archiving(self, datastore: Datastore) -> Archiving:
        """How far its server has archived. Raises PaasError if it does not answer."""

    def flush(self, datastore: Datastore, limit_s: float) -> datetime:
        """Have everything archived that was committed until now; returns that moment.

        Raises PaasError ``archive-behind`` if that takes longer than limit_s.
        """

    def refuse_unreachable(self) -> None:
        """Raises PaasError ``archive-unreachable`` if the target cannot be reached now."""

    def back_up(self, datastore: Datastore, *, full: bool) -> None:
        """Make a backup, and remove what is no longer kept. Takes minutes. Raises PaasError."""

    def holdings(self, name: ArchiveName, datastore: Datastore | None) -> Holdings | None:
        """What an archive contains, or None if there is none of that name.

        datastore: the one that writes it; None if it is gone. Raises PaasError ``archive-key`` if
        it is encrypted with another key, or ``archive-unreadable``.
        """

    def fork(self, source: Datastore, new: Datastore, moment: datetime | None) -> None:
        """Create the files of a new datastore, with the data of another as of a moment.

        moment: None means the end of its archive. The source is not changed, and nothing keeps
        running. Raises PaasError.
        """

    def recover(self, name: ArchiveName, new: Datastore, moment: datetime | None) -> None:
        """The same, from an archive whose datastore is gone."""

    def rehearse(self, datastore: Datastore) -> Rehearsal:
        """Restore its latest state to a copy, check the copy, and delete it. Raises PaasError."""

    def space(self, datastore: Datastore) -> tuple[int, int]:
        """How many bytes a copy needs, and how many are free where it would be made."""

    def leave(self, datastore: Datastore, *, kept: bool) -> None:
        """After its server is gone: give its archive to root.

        kept: False if it was never finished, so there is nothing to keep.
        """

    def remove(self, name: ArchiveName) -> None:
        """Delete an archive whose datastore is gone; no error if there is none."""
