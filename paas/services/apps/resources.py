"""resource:limit, resource:limit-clear and resource:report: what an app's processes may use."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.releases.formation import wanted_quantities
from paas.domain.releases.releases import Release, Slug
from paas.domain.releases.stopping import instance_names, label
from paas.domain.runtime.resources import (
    ONE_OFF,
    Resource,
    ServerLimits,
    SetLimit,
    amount_words,
    changed,
    parse_limit,
    parse_size,
    set_for,
)
from paas.domain.runtime.workloads import Limits
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType
from paas.interfaces import Progress
from paas.services.access import find_app
from paas.services.progress import reporting_failure
from paas.services.releases.change import Change, Target
from paas.services.releases.changes import Changes
from paas.services.releases.serving import what_serves
from paas.store import Store


@dataclass(frozen=True, slots=True)
class TypeLimits:
    """What applies to a process type. own: what was set for it alone."""

    kind: ProcessType
    limits: Limits
    own: Mapping[Resource, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppResources:
    """Limits belong to the app, not to a release. server: the defaults and ceilings."""

    store: Store
    changes: Changes
    server: ServerLimits

    def limit(
        self,
        actor: Actor,
        name: str,
        words: Sequence[str],
        progress: Progress,
        *,
        kind: ProcessType | None = None,
        restart: bool = True,
    ) -> None:
        """Set limits (``memory=512m``; ``memory=-`` removes one), and restart affected instances.

        kind: the process type; None: all without limits of their own. restart: False: the limits
        apply to processes that start from now on. If the new instances do not come up, the former
        limits stay.
        """
        changes = dict(parse_limit(word) for word in words)
        for resource, amount in changes.items():
            if amount is not None:
                self.server.allow(resource, amount)

        def change(app: App) -> tuple[SetLimit, ...]:
            return changed(app.limits, kind, changes)

        self._change(actor, name, [kind], change, progress, restart=restart)

    def resize(self, actor: Actor, name: str, words: Sequence[str], progress: Progress) -> None:
        """Give process types the memory of Heroku's sizes (``web=standard-1x``), as one change."""
        sizes = dict(parse_size(word) for word in words)
        for memory_mib in sizes.values():
            self.server.allow(Resource.MEMORY, memory_mib)

        def change(app: App) -> tuple[SetLimit, ...]:
            after = app.limits
            for kind, memory_mib in sizes.items():
                after = changed(after, kind, {Resource.MEMORY: memory_mib})
            return after

        self._change(actor, name, list(sizes), change, progress, restart=True)

    def clear(
        self,
        actor: Actor,
        name: str,
        progress: Progress,
        *,
        kind: ProcessType | None = None,
        restart: bool = True,
    ) -> None:
        """Remove the limits of a process type, or all of the app's; otherwise like limit."""

        def change(app: App) -> tuple[SetLimit, ...]:
            return tuple(one for one in app.limits if kind is not None and one.kind != kind)

        self._change(actor, name, [kind], change, progress, restart=restart)

    def report(self, actor: Actor, name: str) -> list[TypeLimits]:
        """What applies to each process type of the app, web first, one-off types last."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        kinds = dict.fromkeys([*self._instance_types(app), *ONE_OFF])
        kinds |= dict.fromkeys(one.kind for one in app.limits if one.kind is not None)
        return [
            TypeLimits(kind, self.server.of(kind, app.limits), set_for(app.limits, kind))
            for kind in kinds
        ]

    def _change(
        self,
        actor: Actor,
        name: str,
        kinds: Sequence[ProcessType | None],
        change: Callable[[App], tuple[SetLimit, ...]],
        progress: Progress,
        *,
        restart: bool,
    ) -> None:
        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target | None]:
            for kind in kinds:
                self._check_type(app, kind)
            after = change(app)
            if after == app.limits:
                progress.detail("Nothing to change.")
                yield None
                return
            release, concerned = self._concerned(app, after)
            if release is None or not concerned or not restart:
                self.store.resource_limits.set(app.id, after)
                self._tell(app, after, kinds, progress)
                if concerned:
                    progress.detail("The former limits stay until you run: paas ps:restart")
                yield None
                return
            self.changes.loss_warning.look(app, progress, concerned)
            failure = reporting_failure(
                progress, "The limits are unchanged", what_serves(self.store, app)
            )
            with failure:
                yield Target(
                    release=release,
                    limits=after,
                    only=concerned,
                    live=lambda: self._tell(app, after, kinds, progress),
                )

        app = find_app(self.store, actor, name, to=Permission.OPERATE)
        self.changes.apply(
            Change(app=app, who=actor.name, doing="changes the limits", prepare=prepare), progress
        )

    def _tell(
        self,
        app: App,
        after: Sequence[SetLimit],
        kinds: Sequence[ProcessType | None],
        progress: Progress,
    ) -> None:
        for kind in kinds:
            own = set_for(after, kind)
            words = [f"{name}={amount_words(name, amount)}" for name, amount in own.items()]
            of_whom = f"{app.name}, {kind}" if kind else app.name
            if words:
                progress.step(f"Limits of {of_whom}: {' '.join(words)}")
            else:
                progress.step(f"{of_whom} no longer has limits of its own")

    def _concerned(self, app: App, after: Sequence[SetLimit]) -> tuple[Release | None, set[str]]:
        """The labels of the instances whose limits differ, and the release that they run."""
        release, slug = self._current(app)
        if slug is None:
            return None, set()
        counts = wanted_quantities(slug, self.store.formations.of_app(app.id))
        kinds = [k for k in counts if self.server.of(k, app.limits) != self.server.of(k, after)]
        return release, {label(name) for name in instance_names(counts) if name[0] in kinds}

    def _check_type(self, app: App, kind: ProcessType | None) -> None:
        """Raise PaasError if no process would ever have the limits; before a deploy, any might."""
        _release, slug = self._current(app)
        known = [*self._instance_types(app), *ONE_OFF]
        set_before = any(one.kind == kind for one in app.limits)
        if kind is None or slug is None or kind in known or set_before:
            return
        raise PaasError(
            "no-process-type",
            f"The release has no process type {kind!r}; it has: {', '.join(known)}.",
            "Add it to the Procfile and push.",
        )

    def _instance_types(self, app: App) -> list[ProcessType]:
        _release, slug = self._current(app)
        return list(wanted_quantities(slug, {})) if slug is not None else []

    def _current(self, app: App) -> tuple[Release | None, Slug | None]:
        release = self.store.releases.current(app)
        slug = self.store.slugs.of_release(release)
        return release, slug
