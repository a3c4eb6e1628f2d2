"""Archives: what brings a datastore to a moment of its past."""

from datetime import datetime
from typing import Protocol

from paas.domain.datastores.archives import ArchiveName, Archiving, Holdings, Rehearsal
from paas.domain.datastores.datastores import Datastore
from paas.domain.values.errors import PaasError
from paas.interfaces.output import Progress


class DatastoreArchives(Protocol):
    """The archives of one kind of datastore, in the target of this server's backups.

    An archive is written by its datastore alone, encrypted with a passphrase of its own.
    """

    def lack(self) -> PaasError | None:
        """Why none are kept on this machine; None if they are."""

    def ensure_installed(self, progress: Progress) -> None:
        """Install what is missing; says so if that fails, since datastores work without."""

    def is_kept(self, datastore: Datastore) -> bool:
        """Whether its server archives, as it was started."""

    def reaches_target(self, datastore: Datastore) -> bool:
        """Whether its server sees the target, as it was started; another start mends that."""

    def beat(self, datastore: Datastore) -> None:
        """Write the time into it, so that there is something to archive and to measure by.

        Not while archiving fails, when it would only add to what waits. Raises PaasError if it does
        not answer.
        """

    def has_lost(self, datastore: Datastore) -> bool:
        """Whether something was given up of what it had to archive; see `Archiving`."""

    def archiving(self, datastore: Datastore) -> Archiving:
        """How far its server is. Raises PaasError if it does not answer."""

    def flush(self, datastore: Datastore, limit_s: float) -> datetime:
        """Have all archived that was committed until now; returns that moment.

        Raises PaasError ``archive-behind`` if that takes longer than limit_s.
        """

    def refuse_unreachable(self) -> None:
        """Raises PaasError ``archive-unreachable`` if the target cannot be reached now."""

    def back_up(self, datastore: Datastore, *, full: bool) -> None:
        """Make a backup, and remove what is no longer kept. Takes minutes. Raises PaasError."""

    def holdings(self, name: ArchiveName, datastore: Datastore | None) -> Holdings | None:
        """What an archive has; None if there is none of that name.

        datastore: the one that writes it; None if it is gone. Raises PaasError ``archive-key`` if
        it is encrypted with another key, ``archive-unreadable``.
        """

    def fork(self, source: Datastore, new: Datastore, moment: datetime | None) -> None:
        """Make the files of a new datastore, as those of another were at a moment.

        moment: None: as they are at the end of its archive. Nothing of the source is changed.
        Starts nothing that stays. Raises PaasError.
        """

    def recover(self, name: ArchiveName, new: Datastore, moment: datetime | None) -> None:
        """The same, from an archive whose datastore is gone."""

    def rehearse(self, datastore: Datastore) -> Rehearsal:
        """Restore it to now, look at the copy, and delete that. Raises PaasError."""

    def space(self, datastore: Datastore) -> tuple[int, int]:
        """How many bytes a copy needs, and how many are free where one would be made."""

    def leave(self, datastore: Datastore, *, kept: bool) -> None:
        """Its server is gone: what it archived is root's from now on.

        kept: False: it was never finished, and there is nothing to keep.
        """

    def remove(self, name: ArchiveName) -> None:
        """Delete an archive whose datastore is gone; no error if there is none."""
