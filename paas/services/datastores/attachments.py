"""Attachments: giving an app the URL of a datastore, and removing it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.datastores.datastores import Attachment, Datastore
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.names import (
    datastore_name,
    names_of_vars,
    new_names,
    scheme_of,
    variable,
)
from paas.domain.datastores.promotion import promotion
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError
from paas.interfaces import Clock, Progress
from paas.services.access import find_app
from paas.services.datastores.finding import (
    kind_of_attached,
    no_such_datastore,
    refuse_follower,
    refuse_kind,
    refuse_on_nodes,
    refuse_unready,
)
from paas.services.datastores.upkeep import DatastoreUpkeep
from paas.services.releases.change import Change, Prepare, Target
from paas.services.releases.changes import Changes
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """Attaches and detaches datastores; each change is a release, which is rolled out."""

    store: Store
    upkeep: DatastoreUpkeep
    changes: Changes
    clock: Clock

    def attach(
        self,
        actor: Actor,
        name: str,
        datastore: str,
        wanted: AttachmentName | None,
        progress: Progress,
        *,
        scheme: str | None = None,
    ) -> None:
        """Give an app the URL of a datastore, as a release, and roll it out.

        scheme: of the URL, if not the default of its kind. Raises PaasError if that kind has no
        such scheme. The actor must also be allowed to configure the app to which the datastore
        belongs.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        found = self.store.datastores.find(datastore_name(datastore))
        owner = self.store.apps.by_id(found.app_id) if found is not None else None
        if found is None or owner is None or not actor.may(Permission.CONFIGURE, owner):
            raise no_such_datastore(datastore)
        refuse_unready(found)
        self.add(actor, app, found, wanted, progress, scheme=scheme)

    def detach(self, actor: Actor, name: str, attached: Sequence[str], progress: Progress) -> None:
        """Remove URLs from an app, as one release, and roll it out. The datastores stay.

        attached: names of attachments; a datastore's name means all of its attachments.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target | None]:
            gone = self._named(app, attached)
            names = ", ".join(one.name for one in gone)
            self.changes.loss_warning.look(app, progress)
            self.store.datastores.detach(gone)
            try:
                from_where = ", ".join(dict.fromkeys(one.datastore for one in gone))
                words = f"Detach {names} ({from_where})"
                target = self.target(app, actor, words, f"Detached {names}", progress)
                # It may need the datastore, and would keep the app from losing it.
                yield replace(
                    target,
                    release_command=False,
                    afterwards=lambda: self.store.externals.forget_unattached(app.id),
                )
            except BaseException:
                self.store.datastores.attach(gone)
                are = "is" if len(gone) == 1 else "are"
                progress.detail(
                    f"{names} {are} still attached. If {app.name} cannot run without it, stop it "
                    f"first: paas ps:stop -a {app.name}"
                )
                raise

        self.apply(app, actor, "detaches a datastore", prepare, progress)
        # Former instances have ended by now.
        self.upkeep.let_clients()
        with self.upkeep.locks.app(app.id, f"{actor.name} detaches a datastore"):
            for one in self.store.datastores.of_app(app.id):
                self.upkeep.poolers.drop_unneeded(one)

    def promote(
        self,
        actor: Actor,
        name: str,
        wanted: str,
        kind: DatastoreKind,
        progress: Progress,
    ) -> None:
        """Give the first names of a kind, such as DATABASE, to another datastore of the app.

        wanted: the datastore's name or that of an attachment. The datastore that had the names gets
        one with a color, unless it has another. The change is a release, which is rolled out.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target | None]:
            present = self.store.datastores.attachments(app_id=app.id)
            chosen = self._promoted(app, wanted, kind, present)
            if (own := self.store.datastores.find(chosen.datastore)) is not None:
                first = variable(kind.traits.firsts[0])
                refuse_follower(own, f"accepts no writes, so it cannot be {first}")
            kinds = {one.datastore: kind_of_attached(self.store, one) for one in present}
            changed = promotion(chosen, present, kinds, self.taken(app))
            if not changed.added:
                progress.step(f"{changed.words} already the URL of {chosen.datastore}")
                yield None
                return
            for one in changed.colored:
                progress.detail(f"The URL of {one.datastore} is now in {one.var}")
            self.changes.loss_warning.look(app, progress)
            self.store.datastores.exchange(changed.removed, changed.added)
            try:
                words = f"Promote {chosen.datastore} to {', '.join(changed.names)}"
                done = f"{changed.words} the URL of {chosen.datastore}"
                yield self.target(app, actor, words, done, progress)
            except BaseException:
                self.store.datastores.exchange(changed.added, changed.removed)
                progress.detail(f"The attachments of {app.name} are unchanged.")
                raise

        self.apply(app, actor, "promotes a datastore", prepare, progress)

    def taken(self, app: App) -> set[str]:
        """The attachment names whose config vars the app has."""
        release = self.store.releases.current(app)
        set_by_hand = names_of_vars([*(release.config if release else ())])
        return set_by_hand | {one.name for one in self.store.datastores.attachments(app_id=app.id)}

    def add(
        self,
        actor: Actor,
        app: App,
        datastore: Datastore,
        wanted: AttachmentName | None,
        progress: Progress,
        *,
        scheme: str | None = None,
    ) -> None:
        """Attach a datastore that the actor may attach; see `attach`."""
        if scheme is not None:
            scheme_of(datastore.kind, scheme)

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target | None]:
            refuse_on_nodes(app, datastore.kind)
            # A follower, which takes no writes, is never what an app finds first.
            firsts = {*datastore.kind.traits.firsts} if datastore.leader is not None else set()
            names = new_names(
                datastore.kind, self.taken(app) | (set() if wanted else firsts), wanted
            )
            added = [Attachment(app.id, name, datastore.name, scheme) for name in names]
            self.changes.loss_warning.look(app, progress)
            self.store.datastores.attach(added)
            try:
                self.upkeep.let_clients()
                words = f"Attach {', '.join(names)} ({datastore.name})"
                variables = " and ".join(one.var for one in added)
                done = f"{app.name} has the URL of {datastore.name} in {variables}"
                yield self.target(app, actor, words, done, progress)
            except BaseException:
                self.store.datastores.detach(added)
                self.upkeep.let_clients()
                progress.detail(
                    f"{datastore.name} is not attached. To try again: "
                    f"paas addons:attach {datastore.name} -a {app.name}"
                )
                raise

        self.apply(app, actor, "attaches a datastore", prepare, progress)

    def _promoted(
        self, app: App, wanted: str, kind: DatastoreKind, present: Sequence[Attachment]
    ) -> Attachment:
        """The attachment that is meant. Raises PaasError."""
        for one in present:
            if wanted.removesuffix("_URL") in (one.name, one.datastore):
                refuse_kind(one.datastore, kind_of_attached(self.store, one), kind)
                return one
        raise _not_attached(app, wanted, present)

    def _named(self, app: App, names: Sequence[str]) -> list[Attachment]:
        """The attachments with these names, or of datastores with these names. Raises PaasError."""
        present = self.store.datastores.attachments(app_id=app.id)
        for name in names:
            if not any(name in (one.name, one.datastore) for one in present):
                raise _not_attached(app, name, present)
        return [one for one in present if {one.name, one.datastore} & {*names}]

    def target(self, app: App, actor: Actor, words: str, done: str, progress: Progress) -> Target:
        """A release like the current one, since no release contains the values of attachments."""
        present = self.store.releases.current(app)
        release = self.store.releases.add(
            app.id,
            slug_id=present.slug_id if present else None,
            config=present.config if present else {},
            description=words[:200],
            user=actor.name,
            now=self.clock.now(),
        )
        return Target(
            release=release,
            spares_broken=True,
            live=lambda: progress.step(f"{done}: v{release.version}"),
        )

    def apply(
        self,
        app: App,
        actor: Actor,
        doing: str,
        prepare: Prepare,
        progress: Progress,
    ) -> None:
        """Make a change in the actor's name; see `Change`."""
        change = Change(app=app, who=actor.name, doing=doing, prepare=prepare)
        self.changes.apply(change, progress)


def _not_attached(app: App, name: str, present: Sequence[Attachment]) -> PaasError:
    known = ", ".join(one.name for one in present) or "none"
    return PaasError(
        "not-attached",
        f"{app.name} has no attachment {name!r}: it has {known}.",
        f"See: paas addons -a {app.name}",
    )
