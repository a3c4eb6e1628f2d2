"""Processes: their state, restarts, stops, and how many of each."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.cluster.scheduling import spread_label
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.releases.formation import WEB, parse_scale, wanted_quantities
from paas.domain.releases.releases import Instance, InstanceState, Release, Slug, State, Usage
from paas.domain.releases.stopping import (
    InstanceName,
    after_start,
    after_stop,
    instance_names,
    is_stopped,
    label,
    named,
)
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType
from paas.interfaces import Engines, Locks, Progress
from paas.services.access import find_app, refreshed
from paas.services.cluster.scheduling import nodes_of
from paas.services.progress import Part, reporting_failure, waiting
from paas.services.releases.change import Change, Prepare, Target
from paas.services.releases.changes import Changes
from paas.services.releases.serving import what_serves
from paas.services.server.quotas import Quotas
from paas.store import Store


@dataclass(frozen=True, slots=True)
class Running:
    """An instance with its command, its state, its resource usage and its node, if it is on one."""

    instance: Instance
    command: str
    state: InstanceState
    usage: Usage | None = None
    node: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """What users do with an app's instances."""

    store: Store
    engines: Engines
    changes: Changes
    locks: Locks
    quotas: Quotas

    def listing(self, actor: Actor, name: str) -> list[Running]:
        """The instances that are live and those that are stopped by hand, web first."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        live = [i for i in self.store.instances.of_app(app.id) if i.is_live(app)]
        stopped = self.store.stopped.of_app(app.id)
        if not live and not stopped:
            return []
        release, slug = self._current(app)
        runtime = self.engines.of(app).runtime
        states, usage = runtime.states(live), runtime.usage(live)
        nodes = nodes_of(self.store, live)
        found = {
            (i.kind, i.number): Running(
                i, slug.processes.get(i.kind, ""), states[i.id], usage.get(i.id), nodes.get(i.id)
            )
            for i in live
        }
        counts = wanted_quantities(slug, self.store.formations.of_app(app.id))
        for kind, number in instance_names(counts):
            if (kind, number) not in found and is_stopped(stopped, (kind, number)):
                none = Instance(app.id, release.version, 0, kind, number, None)
                command = slug.processes.get(kind, "")
                found[kind, number] = Running(none, command, InstanceState(State.STOPPED))
        return [found[key] for key in sorted(found, key=lambda key: (key[0] != WEB, key))]

    def states(self, apps: Sequence[App]) -> dict[int, list[State] | None]:
        """The states of the live instances of several apps, which each engine is asked for once.

        By the app's id; None if its engine does not answer.
        """
        instances: dict[int, list[Instance]] = {}
        alone = apps[0].id if len(apps) == 1 else None
        store = self.store.instances
        for one in store.all() if alone is None else store.of_app(alone):
            instances.setdefault(one.app_id, []).append(one)
        found: dict[int, list[State] | None] = {}
        for engine in sorted({app.engine for app in apps}):
            members = [app for app in apps if app.engine == engine]
            live = {
                app.id: [i for i in instances.get(app.id, []) if i.is_live(app)] for app in members
            }
            try:
                runtime = self.engines.of(members[0]).runtime
                states = runtime.states([i for listed in live.values() for i in listed])
            except PaasError:
                found |= dict.fromkeys(live)
                continue
            found |= {id: [states[i.id].state for i in listed] for id, listed in live.items()}
        return found

    def refused_ports(self, actor: Actor, name: str) -> set[int]:
        """See `Runtime.refused_ports`."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        return self.engines.of(app).runtime.refused_ports(app)

    def serves_files(self, actor: Actor, name: str) -> bool:
        """Whether the proxy serves the app's files and nothing is meant to run."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        release = self.store.releases.current(app)
        slug = self.store.slugs.of_release(release)
        return slug is not None and slug.static is not None and WEB not in slug.processes

    def formation(self, actor: Actor, name: str) -> dict[ProcessType, int]:
        """How many of each process type there are to be."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        _release, slug = self._current(app)
        return wanted_quantities(slug, self.store.formations.of_app(app.id))

    def restart(self, actor: Actor, name: str, words: Sequence[str], progress: Progress) -> None:
        """Replace instances by new ones of the same release, without losing a request.

        words: ``web``, ``web.1``; none: all. Instances that were stopped by hand stay stopped.
        """

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target]:
            release, slug = self._current(app)
            chosen = self._named(app, slug, words)
            stopped = self.store.stopped.of_app(app.id)
            if words and all(is_stopped(stopped, instance) for instance in chosen):
                raise PaasError(
                    "is-stopped",
                    f"{_what(words)} is stopped, so there is nothing to restart.",
                    f"paas ps:start {' '.join(words)}",
                )
            only = {label(instance) for instance in chosen} if words else None
            self.changes.loss_warning.look(app, progress, only)
            with reporting_failure(progress, "Nothing was restarted", what_serves(self.store, app)):
                yield Target(
                    release=release,
                    only=only,
                    live=lambda: progress.step(" ".join(("Restarted", *words))),
                )

        self._apply(actor, name, f"restarts {_what(words)}", prepare, progress)

    def stop(self, actor: Actor, name: str, words: Sequence[str], progress: Progress) -> None:
        """Take instances out of the proxy and end them, until they are started by hand.

        words: as for restart. Returns when they have ended.
        """

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target]:
            release, slug = self._current(app)
            only = {label(instance) for instance in self._named(app, slug, words)}
            self.changes.loss_warning.look(app, progress, only)
            after = after_stop(self.store.stopped.of_app(app.id), words)
            yield Target(release=release, stopped=after, only=only)

        # A command that stops something waits until it has ended.
        self._apply(actor, name, f"stops {_what(words)}", prepare, Part(progress))
        progress.step(f"Stopped {' '.join(words) or name}; to start: paas ps:start")
        progress.live()

    def start(self, actor: Actor, name: str, words: Sequence[str], progress: Progress) -> None:
        """Start instances that were stopped by hand, next to what runs. words: as for restart."""

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target | None]:
            release, slug = self._current(app)
            counts = wanted_quantities(slug, self.store.formations.of_app(app.id))
            chosen = self._named(app, slug, words)
            live = {i.label for i in self.store.instances.of_app(app.id) if i.is_live(app)}
            missing = {label(instance) for instance in chosen} - live
            before = self.store.stopped.of_app(app.id)
            after = after_start(before, chosen, counts) if words else frozenset[str]()
            started = f"Started {' '.join(words) or name}"
            if missing:
                yield Target(
                    release=release,
                    stopped=after,
                    only=missing,
                    live=lambda: progress.step(started),
                )
            else:
                self.store.stopped.set(app.id, after)
                progress.step(started)
                yield None

        self._apply(actor, name, f"starts {_what(words)}", prepare, progress)

    def wait(self, actor: Actor, name: str, progress: Progress) -> int | None:
        """Wait until nobody changes the app, and what was replaced has ended; the version then."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        with self.locks.app(app.id, f"{actor.name} has waited", waiting(progress)):
            app = refreshed(self.store, app)
        self.changes.draining.wait(app, progress)
        return app.current

    def scale(
        self,
        actor: Actor,
        name: str,
        words: Sequence[str],
        progress: Progress,
        *,
        spread: str | None = None,
    ) -> dict[ProcessType, int]:
        """Change the formation (``web=2``, ``worker+1``): start what is new, stop what is too many.

        The others keep running. If the new ones do not come up, the old formation stays.
        spread: the label of nodes over whose values instances are distributed from now on.
        """
        label_of_nodes = None if spread is None else spread_label(spread)
        after: dict[ProcessType, int] = {}

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target | None]:
            release, slug = self._current(app)
            before = wanted_quantities(slug, self.store.formations.of_app(app.id))
            after.update(before)
            for word in words:
                kind, count = parse_scale(word, after)
                after[kind] = count
            self.quotas.refuse_instances(actor, app, sum(after.values()))
            scaled = f"Scaled: {formation_words(after)}"
            scheduling = app.scheduling
            if label_of_nodes is not None:
                scheduling = replace(scheduling, spread=label_of_nodes)
            if (after, scheduling) == (before, app.scheduling):
                progress.step(scaled)
                yield None
                return
            changed = {
                label(instance) for instance in {*instance_names(before)} ^ {*instance_names(after)}
            }
            self.changes.loss_warning.look(app, progress, changed)
            self._report_idle(app, {*instance_names(after)} - {*instance_names(before)}, progress)
            with reporting_failure(
                progress, "The formation is unchanged", what_serves(self.store, app)
            ):
                yield Target(
                    release=release,
                    formation=after,
                    scheduling=scheduling if scheduling != app.scheduling else None,
                    only=changed if scheduling == app.scheduling else None,
                    live=lambda: progress.step(scaled),
                )

        self._apply(actor, name, "scales the app", prepare, progress)
        return after

    def _apply(
        self, actor: Actor, name: str, doing: str, prepare: Prepare, progress: Progress
    ) -> None:
        app = find_app(self.store, actor, name, to=Permission.OPERATE)
        change = Change(app=app, who=actor.name, doing=doing, prepare=prepare)
        self.changes.apply(change, progress)

    def _named(self, app: App, slug: Slug, words: Sequence[str]) -> list[InstanceName]:
        return named(words, wanted_quantities(slug, self.store.formations.of_app(app.id)))

    def _report_idle(self, app: App, new: set[InstanceName], progress: Progress) -> None:
        """Say which of these stay stopped, since someone stopped them by hand."""
        stopped = self.store.stopped.of_app(app.id)
        idle = ", ".join(
            label(instance) for instance in sorted(new) if is_stopped(stopped, instance)
        )
        if idle:
            progress.warn(f"Stopped by hand, so not started: {idle}. To start: paas ps:start")

    def _current(self, app: App) -> tuple[Release, Slug]:
        release = self.store.releases.current(app)
        slug = self.store.slugs.of_release(release)
        if release is None or slug is None:
            raise PaasError(
                "not-deployed", f"{app.name} has not been deployed yet.", "git push deploy main"
            )
        return release, slug


def _what(words: Sequence[str]) -> str:
    return " ".join(words) or "the app"


def formation_words(formation: Mapping[ProcessType, int]) -> str:
    """As ps:scale takes it: ``web=2 worker=1``."""
    return " ".join(f"{kind}={count}" for kind, count in formation.items())
