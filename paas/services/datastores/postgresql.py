"""What users can do only with PostgreSQL: settings and extensions."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.extensions import Extension, Maker, package_with
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.postgresql_settings import SETTINGS, Setting, chosen, read_value
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import shown
from paas.interfaces import DatastoreServer, Locks, PostgresqlServers, Progress
from paas.services.access import find_app
from paas.services.datastores.finding import refuse_foreign, refuse_unready, visible
from paas.services.datastores.upkeep import DatastoreUpkeep
from paas.store import Store


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting of a datastore. value: as its server has it now; None if it does not answer.

    chosen: by a user; None if it has its default.
    """

    setting: Setting
    value: str | None
    chosen: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresqlUses:
    """The PostgreSQL datastores of apps."""

    store: Store
    postgresql: PostgresqlServers
    servers: Mapping[DatastoreKind, DatastoreServer]
    upkeep: DatastoreUpkeep
    locks: Locks

    def settings(self, actor: Actor, name: str, wanted: str | None) -> list[Shown]:
        """All settings that can be changed, by name. wanted: see `visible`."""
        one = self._found(find_app(self.store, actor, name, to=Permission.VIEW), wanted)
        try:
            now = self.postgresql.settings(one, SETTINGS)
        except PaasError:
            now = {}
        mine = chosen(one)
        return [Shown(each, now.get(name), mine.get(name)) for name, each in SETTINGS.items()]

    def set_setting(
        self,
        actor: Actor,
        name: str,
        wanted: str | None,
        change: tuple[Setting, str | None],
        progress: Progress,
        *,
        restart: bool,
    ) -> None:
        """Change a setting, None resets it; if that fails, nothing changes.

        restart: whether its connections may end. Raises PaasError if they would have to and may
        not.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        setting, text = change
        with self.locks.app(app.id, f"{actor.name} configures a datastore"):
            one = self._own(app, wanted)
            value = read_value(setting, text, one.plan) if text is not None else None
            if setting.restart and not restart:
                raise usage_error(
                    "pg-setting-restart",
                    f"{setting.name} takes effect after a restart of {one.name}, which ends all "
                    "connections to it for some seconds.",
                    "To restart it now, run the same command with --restart.",
                )
            try:
                self._apply(one, setting, value)
            except BaseException:
                with suppress(PaasError, OSError):
                    self._apply(one, setting, one.settings.get(setting.name))
                raise
        said = f"is {value}" if value is not None else "has its default"
        progress.step(f"{setting.name} of {one.name} {said}")

    def extensions(self, actor: Actor, name: str, wanted: str | None) -> Sequence[Extension]:
        """The extensions that the server offers, and which ones the database has."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        return self.postgresql.extensions(self._found(app, wanted))

    def make_extension(
        self, actor: Actor, name: str, wanted: str | None, extension: str, progress: Progress
    ) -> None:
        """Create an extension in a datastore's database; no error if it exists."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        with self.locks.app(app.id, f"{actor.name} creates an extension"):
            one = self._own(app, wanted)
            known = {each.name: each for each in self.postgresql.extensions(one)}
            found = known.get(extension)
            if found is None:
                raise _not_there(one, extension)
            if found.maker is Maker.NOBODY:
                raise PaasError(
                    "pg-extension-refused",
                    f"{found.name} cannot be created on this server: {found.refusal}.",
                    "List those that can be created: paas pg:extensions",
                )
            if found.installed is None:
                with progress.doing(f"creating {found.name}"):
                    self.postgresql.make_extension(one, found)
        progress.step(f"{one.name} has the extension {found.name}")

    def _apply(self, one: Datastore, setting: Setting, value: str | None) -> None:
        self.store.datastores.set_setting(one.name, setting.name, value)
        changed = self.store.datastores.find(one.name)
        assert changed is not None
        if setting.restart:
            self.upkeep.restart_held(changed)
            return
        self.servers[one.kind].refresh(changed)
        self.postgresql.reload(changed)

    def _found(self, app: App, wanted: str | None) -> Datastore:
        return visible(self.store, app, wanted, DatastoreKind.POSTGRESQL).datastore

    def _own(self, app: App, wanted: str | None) -> Datastore:
        """The datastore that is meant, if it belongs to the app and serves."""
        one = self._found(app, wanted)
        refuse_foreign(self.store, app, one)
        refuse_unready(one)
        return one


def _not_there(one: Datastore, extension: str) -> PaasError:
    package = package_with(extension, one.version)
    hint = (
        f"Root on the server installs it: apt-get install --no-install-recommends {package}"
        if package
        else "List the available extensions: paas pg:extensions"
    )
    return PaasError(
        "no-such-extension",
        f"PostgreSQL {one.version} on this server has no extension {shown(extension)}.",
        hint,
    )
