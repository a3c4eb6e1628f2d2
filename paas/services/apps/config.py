"""Config vars: reading them, and changing them as a release."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.datastores.datastores import with_attached
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.releases.releases import ConfigVars
from paas.domain.routing.statics import VARIABLES, parse_static_paths
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from paas.domain.values.secret import Secret
from paas.interfaces import Clock, Progress
from paas.services.access import find_app
from paas.services.progress import reporting_failure
from paas.services.releases.change import Change, Target
from paas.services.releases.changes import Changes
from paas.services.releases.serving import what_serves
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """An app's config is that of its current release; a change makes a new release."""

    store: Store
    changes: Changes
    clock: Clock

    def all(self, actor: Actor, name: str) -> ConfigVars:
        """Every config var of an app, with those of attached datastores."""
        return self._with_attached(find_app(self.store, actor, name, to=Permission.CONFIGURE))

    def names(self, actor: Actor, name: str) -> list[VarName]:
        """The names of all config vars, sorted."""
        config = self._with_attached(find_app(self.store, actor, name, to=Permission.VIEW))
        return [VarName(var) for var in sorted(config)]

    def get(self, actor: Actor, name: str, var: VarName) -> Secret:
        """One config var. Raises PaasError if it is not set."""
        config = self.all(actor, name)
        if var not in config:
            raise PaasError("config-unset", f"{var} is not set.", "See: paas config")
        return config[var]

    def set(
        self,
        actor: Actor,
        name: str,
        values: Mapping[VarName, str],
        progress: Progress,
        *,
        unset: Sequence[VarName] = (),
        restart: bool = True,
    ) -> int | None:
        """Set config vars, and remove others, as one release; roll it out unless restart is false.

        Returns the version, or None if nothing changes. Without a restart the release is current
        immediately, and the instances keep their values until the next roll-out. Otherwise it
        returns when the rollback guard has finished.
        """
        return self._change(
            actor, name, {v: Secret(values[v]) for v in values}, unset, progress, restart
        )

    def unset(
        self,
        actor: Actor,
        name: str,
        names: Sequence[VarName],
        progress: Progress,
        *,
        restart: bool = True,
    ) -> int | None:
        """Remove config vars; otherwise like set."""
        return self._change(actor, name, {}, names, progress, restart)

    def _change(
        self,
        actor: Actor,
        name: str,
        new: ConfigVars,
        gone: Sequence[VarName],
        progress: Progress,
        restart: bool,
    ) -> int | None:
        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target | None]:
            before = self._current(app)
            changed = self._without_attached(app, new, gone)
            after = {var: value for var, value in {**before, **changed}.items() if var not in gone}
            for var in VARIABLES:
                if var in new:
                    parse_static_paths(new[var].reveal())
            if after == before:
                progress.detail("Nothing to change.")
                yield None
                return
            if restart:
                self.changes.loss_warning.look(app, progress)
            runs = any(i.is_live(app) for i in self.store.instances.of_app(app.id))
            restarting = "and restarting" if runs and restart else "for"
            progress.step(f"{_doing(new, gone)} {restarting} {app.name}")
            present = self.store.releases.current(app)
            failure = reporting_failure(
                progress, "The config is unchanged", what_serves(self.store, app)
            )
            # Without a restart only the store changes: in one transaction with make_current.
            recording = nullcontext() if restart else self.store.transaction()
            with failure, recording:
                release = self.store.releases.add(
                    app.id,
                    slug_id=present.slug_id if present else None,
                    config=after,
                    description=_words(new, gone)[:200],
                    user=actor.name,
                    now=self.clock.now(),
                )

                def live() -> None:
                    if runs and not restart:
                        progress.detail(
                            "The instances keep the former values until: paas ps:restart"
                        )
                    progress.step(f"Done: v{release.version}")

                yield Target(
                    release=release,
                    restart=restart,
                    spares_broken=True,
                    guarded=restart,
                    live=live,
                )

        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        doing = "changes the config"
        change = Change(app=app, who=actor.name, doing=doing, prepare=prepare)
        return self.changes.apply(change, progress)

    def _with_attached(self, app: App) -> ConfigVars:
        return with_attached(self._current(app), self.store.datastores.attached_vars(app.id))

    def _without_attached(self, app: App, new: ConfigVars, gone: Sequence[VarName]) -> ConfigVars:
        """What is set without the values of datastores, which an exported .env file repeats.

        Raises PaasError if another value would be set, or one be removed.
        """
        attached = self.store.datastores.attached_vars(app.id)
        for one in self.store.datastores.attachments(app_id=app.id):
            if one.var in gone or new.get(one.var, attached[one.var]) != attached[one.var]:
                raise PaasError(
                    "config-attached",
                    f"{one.var} is the URL of {one.datastore}, which is attached to {app.name}: "
                    "it can be neither set nor unset.",
                    f"To use another database: paas addons:detach {one.name} -a {app.name}",
                )
        return {var: value for var, value in new.items() if var not in attached}

    def _current(self, app: App) -> ConfigVars:
        release = self.store.releases.current(app)
        return release.config if release else {}


def _doing(new: ConfigVars, gone: Sequence[VarName]) -> str:
    """The change in progress, in Heroku's words."""
    parts = (("setting", ", ".join(new)), ("unsetting", ", ".join(gone)))
    text = ", ".join(f"{verb} {names}" for verb, names in parts if names)
    return text[:1].upper() + text[1:]


def _words(new: ConfigVars, gone: Sequence[VarName]) -> str:
    """The names that change, for the release's description."""
    parts = (("Set", ", ".join(new)), ("Unset", ", ".join(gone)))
    return "; ".join(f"{verb} {names}" for verb, names in parts if names)
