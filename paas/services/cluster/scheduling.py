"""scheduler:set, scheduler:report and ps:placement: on which machines an app's instances run."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.cluster.scheduling import (
    Scheduling,
    parse_constraints,
    scheduler_name,
    spread_label,
)
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.releases.artifacts import SWARM, Image
from paas.domain.releases.releases import Instance, Slug
from paas.domain.values.errors import PaasError
from paas.interfaces import Engines, Progress, SlugImages, Slugs
from paas.services.access import find_app
from paas.services.datastores.finding import beyond_nodes, nodes_reach
from paas.services.datastores.upkeep import DatastoreUpkeep
from paas.services.progress import reporting_failure
from paas.services.releases.change import Change, Target
from paas.services.releases.changes import Changes
from paas.services.releases.serving import what_serves
from paas.store import Store


@dataclass(frozen=True, slots=True)
class SchedulingReport:
    """places: the name of the node of each live instance, or None for this server."""

    scheduling: Scheduling
    places: Sequence[tuple[Instance, str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppScheduling:
    """Each change is a roll-out like any other: if it fails, all stays as it was."""

    store: Store
    engines: Engines
    slugs: Slugs
    slug_images: SlugImages
    changes: Changes
    datastores: DatastoreUpkeep

    def choose(self, actor: Actor, name: str, word: str, progress: Progress) -> None:
        """Run an app on this server (``local``) or on its nodes (``swarm``)."""
        wanted = scheduler_name(word)

        def change(before: Scheduling) -> Scheduling:
            return replace(before, on_nodes=wanted.value == SWARM)

        where = "the nodes" if wanted.value == SWARM else "this server"
        self._change(actor, name, change, f"{name} runs on {where}", progress)

    def place(
        self,
        actor: Actor,
        name: str,
        words: Sequence[str],
        progress: Progress,
        *,
        spread: str | None = None,
        clear: bool = False,
    ) -> None:
        """Choose the nodes: labels that they must have, and the one to distribute over.

        words: ``disk==ssd``, in place of the former ones; spread: None leaves it as it is. clear:
        remove both first.
        """
        constraints = parse_constraints(words)
        label = None if spread is None else spread_label(spread)

        def change(before: Scheduling) -> Scheduling:
            start = replace(before, spread=None, constraints=()) if clear else before
            return replace(
                start,
                spread=start.spread if label is None else label,
                constraints=constraints or start.constraints,
            )

        self._change(actor, name, change, f"The placement of {name} is changed", progress)

    def report(self, actor: Actor, name: str) -> SchedulingReport:
        """Where it is to run, and where it runs."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        live = [one for one in self.store.instances.of_app(app.id) if one.is_live(app)]
        nodes = nodes_of(self.store, live)
        return SchedulingReport(app.scheduling, [(one, nodes.get(one.id)) for one in live])

    def _change(
        self,
        actor: Actor,
        name: str,
        change: Callable[[Scheduling], Scheduling],
        done: str,
        progress: Progress,
    ) -> None:
        app = find_app(self.store, actor, name, to=Permission.OPERATE)

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target | None]:
            after = change(app.scheduling)
            self._refuse(app, after)
            release = self.store.releases.current(app)
            slug = self.store.slugs.of_release(release)
            concerned = after.on_nodes or app.scheduling.on_nodes
            if release is None or slug is None or after == app.scheduling or not concerned:
                self.store.apps.set_scheduling(app.id, after)
                progress.step(done)
                yield None
                return
            self.changes.loss_warning.look(app, progress)
            if after.on_nodes:
                self.datastores.let_clients(coming=app.id)
            with (
                self._with_image(app, slug, after, progress),
                reporting_failure(progress, "Nothing was changed", what_serves(self.store, app)),
            ):
                yield Target(
                    release=release,
                    scheduling=after,
                    live=lambda: progress.step(done),
                )

        doing = "changes where the app runs"
        changing = Change(app=app, who=actor.name, doing=doing, prepare=prepare)
        try:
            self.changes.apply(changing, progress)
        finally:
            self.datastores.let_clients()

    def _refuse(self, app: App, after: Scheduling) -> None:
        """Raises PaasError if the app cannot run there."""
        if not after.on_nodes:
            return
        if SWARM not in self.engines.names() or self.store.cluster.address() is None:
            raise PaasError(
                "no-cluster",
                "This server manages no nodes.",
                "To begin: paas nodes:init --address ADDRESS, its own in the nodes' network",
            )
        if app.storage:
            paths = ", ".join(sorted(one.path for one in app.storage))
            raise storage_on_nodes(f"{app.name} has storage directories: {paths}")
        beyond = [
            one.var
            for one in self.store.datastores.attachments(app_id=app.id)
            if (found := self.store.datastores.find(one.datastore)) is not None
            and not nodes_reach(found.kind, pooled=one.pooled)
        ]
        if beyond:
            raise beyond_nodes(f"{app.name} uses {', '.join(beyond)}, which nodes cannot reach")

    @contextmanager
    def _with_image(
        self, app: App, slug: Slug, after: Scheduling, progress: Progress
    ) -> Iterator[None]:
        """Have what runs as processes of this server be an image, which nodes can start."""
        if not after.on_nodes or slug.image is not None or not slug.processes:
            yield
            return
        image = self._image(app, slug, progress)
        self.store.slugs.set_image(slug.id, image)
        try:
            yield
        except BaseException:
            self.store.slugs.set_image(slug.id, None)
            raise

    def _image(self, app: App, slug: Slug, progress: Progress) -> Image:
        artifact = self.slugs.artifact(slug.id, None)
        port = self.store.image_builds.port(app.id)
        with progress.doing("building the image"):
            return self.slug_images.make(
                app,
                artifact.directory,
                progress,
                port=port,
                dependencies=artifact.dependencies,
            )[0]


def nodes_of(store: Store, instances: Sequence[Instance]) -> dict[str, str]:
    """The names of the nodes on which instances are, by their ids; an address if it has no name."""
    on_nodes = [one for one in instances if one.engine == SWARM]
    names = {str(node.address): str(node.name) for node in store.cluster.nodes() if on_nodes}
    return {one.id: names.get(one.address, one.address) for one in on_nodes}


def storage_on_nodes(what: str) -> PaasError:
    """The error where an app with storage directories would run on nodes."""
    return PaasError(
        "storage-on-nodes",
        f"{what}. Storage directories are on this server, and no node has them.",
        "Keep files in a bucket or a database, and remove the directories: paas storage:remove; "
        "or run the app on this server: paas scheduler:set local",
    )
