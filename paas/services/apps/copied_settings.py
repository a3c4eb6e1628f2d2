"""What a new app takes over from the one that it is made after."""

from dataclasses import replace

from paas.domain.apps.apps import App
from paas.domain.releases.releases import ConfigVars
from paas.interfaces import Clock
from paas.store import Store


def copy_settings(store: Store, source: App, app: App) -> None:
    """Have an app built, limited and served as another one, at its own host; in a transaction.

    Storage, domains, certificates, the deploy branch and the formation are not copied.
    """
    store.buildpacks.set(app.id, store.buildpacks.of_app(source.id))
    store.build_dirs.set(app.id, store.build_dirs.of_app(source.id))
    store.image_builds.copy(source.id, app.id)
    store.start_limits.set(app.id, store.start_limits.of_app(source.id))
    store.resource_limits.set(app.id, source.limits)
    store.apps.set_read_only(app.id, read_only=source.read_only)
    if not source.storage:
        store.apps.set_scheduling(app.id, source.scheduling)
    routing = store.routing.of_app(source.id)
    own = replace(
        routing,
        domains=(),
        own_host=True,
        redirects=(),
        paths=(),
        by_path=False,
        tcp_ports=(),
    )
    store.routing.set(app.id, own)


def set_first_config(
    store: Store, app: App, config: ConfigVars, words: str, user: str, clock: Clock
) -> None:
    """Give an app that runs nothing yet a release with that config; in a transaction."""
    made = store.releases.add(
        app.id, slug_id=None, config=config, description=words, user=user, now=clock.now()
    )
    store.releases.make_current(app.id, made.version, None)
