"""Databases elsewhere: checked, then attached to an app by their URL."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.datastores.external import (
    External,
    ExternalFacts,
    ExternalUrl,
    parse_external_url,
)
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.names import DatastoreName, refuse_taken, variable
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName
from paas.interfaces import Clock, ExternalServer, Progress, Reach
from paas.services.access import find_app
from paas.services.datastores.attachments import Attachments
from paas.services.datastores.finding import external, no_such_datastore, refuse_kind
from paas.services.releases.change import Target
from paas.store import Store

MAX_PER_APP = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Externals:
    """What users do with databases elsewhere. Their URLs are never printed."""

    store: Store
    servers: Mapping[DatastoreKind, ExternalServer]
    reach: Reach
    attachments: Attachments
    clock: Clock
    random_name: Callable[[], AppName]

    def attach(
        self, actor: Actor, name: str, text: str, wanted: AttachmentName, progress: Progress
    ) -> None:
        """Check a URL and give it to an app, as a release, and roll it out.

        If that name already belongs to a database elsewhere, the URL replaces its present one, for
        example with a new password or host. Raises PaasError, without the URL, if the database
        cannot be used from here.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        url = parse_external_url(text)
        present = self._present(app, wanted)
        if present is not None:
            refuse_kind(present.name, present.kind, url.kind)
        else:
            refuse_taken(wanted, self.attachments.taken(app))
            self._refuse_many(app)
        facts = self._checked(url, progress)
        if present is not None:
            self._renew(actor, app, present, (url, facts), progress)
            return
        new = DatastoreName(f"external-{self.random_name()}")

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target | None]:
            names = [refuse_taken(wanted, self.attachments.taken(app))]
            self.attachments.changes.loss_warning.look(app, progress)
            self.store.externals.attach(new, url, facts, names, app_id=app.id, now=self.clock.now())
            try:
                done = f"{app.name} has the URL of {new} in {variable(wanted)}"
                words = f"Attach {wanted} ({new})"
                yield self.attachments.target(app, actor, words, done, progress)
            except BaseException:
                present = self.store.datastores.attachments(app_id=app.id)
                self.store.datastores.detach([one for one in present if one.datastore == new])
                self.store.externals.forget_unattached(app.id)
                progress.detail(f"{url.host} is not attached.")
                raise

        self.attachments.apply(app, actor, "attaches a database elsewhere", prepare, progress)

    def _renew(
        self,
        actor: Actor,
        app: App,
        present: External,
        new: tuple[ExternalUrl, ExternalFacts],
        progress: Progress,
    ) -> None:
        """Give a database elsewhere another URL. new: the URL, and what was found there.

        If the app does not come up with it, the former one stays.
        """
        former, url = present.parsed, new[0]
        if (former.host, former.port, former.database) != (url.host, url.port, url.database):
            progress.warn(
                f"This is a different database: {url.database} at {url.host}:{url.port}, not "
                f"{former.database} at {former.host}:{former.port}."
            )

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target | None]:
            found = self.store.externals.find(present.name)
            if found is None:
                raise no_such_datastore(present.name)
            self.attachments.changes.loss_warning.look(app, progress)
            self.store.externals.renew(found.name, *new)
            try:
                done = f"{app.name} has the new URL of {found.name}"
                words = f"Change the URL of {found.name}"
                yield self.attachments.target(app, actor, words, done, progress)
            except BaseException:
                self.store.externals.renew(found.name, found.parsed, found.facts)
                progress.detail(f"{app.name} keeps the former URL of {found.name}.")
                raise

        self.attachments.apply(app, actor, "changes a database's URL", prepare, progress)

    def _checked(self, url: ExternalUrl, progress: Progress) -> ExternalFacts:
        """What is there. Raises PaasError if it cannot be used."""
        with progress.doing(f"checking {url.host}"):
            facts = self.servers[url.kind].check(url, self.reach.address(url.host, url.port))
        encrypted = "with TLS" if facts.encrypted else "without TLS"
        progress.step(f"{url.host} is {facts.words(url.kind)}, {encrypted}")
        if not facts.encrypted:
            progress.warn("What the app sends to it, even the password, can be read in transit.")
        return facts

    def _present(self, app: App, wanted: AttachmentName) -> External | None:
        """The database elsewhere that the app has under a name."""
        for one in self.store.datastores.attachments(app_id=app.id):
            if one.name == wanted:
                return self.store.externals.find(one.datastore)
        return None

    def _refuse_many(self, app: App) -> None:
        if len(self.store.externals.of_app(app.id)) >= MAX_PER_APP:
            raise PaasError(
                "too-many-datastores",
                f"{app.name} has {MAX_PER_APP} databases elsewhere, the most that an app may have.",
                f"Detach one that it does not need: paas addons -a {app.name}",
            )

    def listing(self, actor: Actor, name: str) -> list[tuple[External, tuple[AttachmentName, ...]]]:
        """The databases elsewhere of an app, each with the names of its attachments."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        present = self.store.datastores.attachments(app_id=app.id)
        return [
            (one, tuple(at.name for at in present if at.datastore == one.name))
            for one in self.store.externals.of_app(app.id)
        ]

    def chosen(
        self, actor: Actor, name: str, wanted: str | None, kind: DatastoreKind | None
    ) -> External | None:
        """The database elsewhere that is meant, or None if it is not one. See `external`."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        return external(self.store, app, wanted, kind)
