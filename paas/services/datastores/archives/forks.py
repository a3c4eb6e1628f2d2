"""New datastores with the data of another one at a moment, which is not changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from paas.domain.datastores.archives import (
    ArchiveName,
    Holdings,
    archive_name,
    parse_archive_name,
    parse_moment,
)
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.kept_settings import allowed
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.names import DatastoreName, new_names
from paas.domain.datastores.plans import Plan
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.sizes import size_words
from paas.interfaces import Clock, DatastoreArchives, DatastoreServer, Locks, Progress
from paas.services.access import find_app, refreshed, require_admin
from paas.services.datastores.archives.jobs import no_backup_yet
from paas.services.datastores.archives.notes import ArchiveNotes, Note
from paas.services.datastores.datastores import Datastores
from paas.services.datastores.finding import refuse_follower, visible
from paas.store import Store

# Of free disk, for each byte of the original: the copy and its log.
ROOM = 1.5
FLUSH_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Kept:
    """An archive in the target.

    until: when it is deleted; None if its datastore still writes it, or if this server does not
    know it. datastore: the one that writes it.
    """

    name: ArchiveName
    note: Note
    datastore: DatastoreName | None
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forks:
    """Each creates a datastore that belongs to an app and is attached to it."""

    store: Store
    servers: Mapping[DatastoreKind, DatastoreServer]
    archives: Mapping[DatastoreKind, DatastoreArchives]
    notes: ArchiveNotes
    datastores: Datastores
    locks: Locks
    clock: Clock

    def fork(
        self,
        actor: Actor,
        name: str,
        wanted: str | None,
        to: str | None,
        alias: AttachmentName | None,
        progress: Progress,
        made: Callable[[DatastoreName], None],
    ) -> Datastore:
        """Create a datastore from an app's PostgreSQL as of a time, and attach it.

        to: None means now. made: see `Datastores.create`. Raises PaasError if that time cannot be
        restored.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        source = visible(self.store, app, wanted, DatastoreKind.POSTGRESQL).datastore
        archive = self._archive(source.kind)
        refuse_follower(source, "has no archive of its own")
        new_names(source.kind, self.datastores.attachments.taken(app), alias)
        with self.locks.app(app.id, f"{actor.name} forks a datastore"):
            app = refreshed(self.store, app)
            self.datastores.quotas.refuse_datastores(actor, app.owner)
            self.datastores.quotas.refuse_full(actor, app)
            moment = parse_moment(to, self.clock.now()) if to is not None else None
            moment = self._restorable(source, moment, progress)
            refuse_without_room(*archive.space(source))

            def files(new: Datastore) -> None:
                archive.fork(source, new, moment)
                self.servers[new.kind].refresh(new)

            order = (source.kind, source.plan, source.version)
            new = self.datastores.make(app, order, files, progress, source.settings)
        at = f"at {moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "at the end of its archive"
        progress.step(f"Created {new.name} with the data of {source.name} {at}")
        made(new.name)
        self.datastores.attachments.add(actor, app, new, alias, progress)
        return new

    def kept(self, actor: Actor) -> Sequence[Kept]:
        """The archives in the target."""
        require_admin(actor, "recover datastores")
        writers = {archive_name(one): one.name for one in self.store.datastores.all()}
        until = self.store.archives.kept()
        return [
            Kept(one, self.notes.read(one), writers.get(one), until.get(one))
            for one in self.notes.listing()
        ]

    def recover(
        self,
        actor: Actor,
        name: str,
        archive: str,
        to: str | None,
        plan: Plan | None,
        progress: Progress,
        made: Callable[[DatastoreName], None],
    ) -> Datastore:
        """Create a datastore for an app from an archive whose datastore is gone, and attach it.

        to: None means the end of the archive. plan: None means the former one. Settings that the
        plan does not allow are left out.
        """
        require_admin(actor, "recover datastores")
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        wanted = parse_archive_name(archive)
        moment = parse_moment(to, self.clock.now()) if to is not None else None
        note = self.notes.read(wanted)
        kind, archives = note.kind, self._archive(note.kind)
        archives.refuse_unreachable()
        for one in self.store.datastores.all():
            if archive_name(one) == wanted:
                raise usage_error(
                    "archive-in-use",
                    f"{wanted} is the archive of {one.name}, which exists here.",
                    f"To fork it: paas pg:fork {one.name} -a {app.name}",
                )
        holdings = archives.holdings(wanted, None)
        if holdings is None:
            raise no_backup_yet(wanted)
        oldest = _oldest(wanted, holdings)
        if moment is not None and moment < oldest:
            raise _outside(wanted, moment, oldest, None)
        self.servers[kind].ensure_installed(progress)

        def files(new: Datastore) -> None:
            archives.recover(wanted, new, moment)
            self.servers[kind].refresh(new)

        with self.locks.app(app.id, f"{actor.name} recovers a datastore"):
            app = refreshed(self.store, app)
            self.datastores.quotas.refuse_datastores(actor, app.owner)
            self.datastores.quotas.refuse_full(actor, app)
            order = (kind, plan or note.plan, holdings.version)
            settings = allowed(kind, note.settings, plan or note.plan)
            new = self.datastores.make(app, order, files, progress, settings)
        progress.step(f"Created {new.name} from {wanted}")
        note.tell_left_out(settings, progress)
        made(new.name)
        self.datastores.attachments.add(actor, app, new, None, progress)
        return new

    def _archive(self, kind: DatastoreKind) -> DatastoreArchives:
        archive = self.archives[kind]
        if (lack := archive.lack()) is not None:
            raise lack
        return archive

    def _restorable(
        self, source: Datastore, moment: datetime | None, progress: Progress
    ) -> datetime | None:
        """The moment, or now. Raises PaasError, which says what is possible.

        Returns None, the end of the archive, if the server does not answer.
        """
        archive = self._archive(source.kind)
        archive.refuse_unreachable()
        holdings = archive.holdings(archive_name(source), source)
        if holdings is None:
            raise no_backup_yet(source.name)
        oldest = _oldest(source.name, holdings)
        if moment is not None and moment < oldest:
            raise _outside(source.name, moment, oldest, None)
        if not self.servers[source.kind].answers(source):
            return moment
        with progress.doing("archiving the latest changes"):
            try:
                now = archive.flush(source, FLUSH_LIMIT_S)
            except PaasError:
                newest = archive.archiving(source).restorable_to
                if moment is None or newest is None:
                    raise
                if moment >= newest:
                    raise _outside(source.name, moment, oldest, newest) from None
                return moment
        return now if moment is None else moment


def refuse_without_room(size_bytes: int, free_bytes: int) -> None:
    """Raises PaasError if there is not enough free disk space for a copy of that size."""
    if free_bytes < ROOM * size_bytes:
        raise PaasError(
            "fork-room",
            f"A copy needs {size_words(int(ROOM * size_bytes))} of disk space, but only "
            f"{size_words(free_bytes)} is free.",
            "Free some space, or ask the server's operator: paas disk",
        )


def _oldest(name: str, holdings: Holdings) -> datetime:
    if holdings.oldest is None:
        raise no_backup_yet(name)
    return holdings.oldest


def _outside(name: str, moment: datetime, oldest: datetime, newest: datetime | None) -> PaasError:
    last = f"{newest:%Y-%m-%d %H:%M:%S} UTC" if newest else "now"
    return PaasError(
        "moment-outside",
        f"{name} cannot be restored to {moment:%Y-%m-%d %H:%M:%S} UTC.",
        f"It can be restored to moments from {oldest:%Y-%m-%d %H:%M:%S} UTC to {last}.",
    )
