"""What of an app serves at the moment, in words, for users whose change failed."""

from paas.domain.apps.apps import App
from paas.domain.releases.formation import WEB
from paas.store import Store


def what_serves(store: Store, app: App) -> str:
    """``v3 is still serving``; or what there is in its place.

    A release may be config only, or have nothing that runs: stopped by hand, scaled to 0.
    """
    release = store.releases.current(app)
    slug = store.slugs.of_release(release)
    if release is None or slug is None:
        return "nothing is deployed yet"
    live = [i for i in store.instances.of_app(app.id) if i.is_live(app)]
    has_folder = slug.static is not None and WEB not in slug.processes
    if has_folder or any(i.kind == WEB for i in live):
        return f"v{release.version} is still serving"
    if live:
        return f"v{release.version} is still running"
    return f"v{release.version} is still the current release, and none of its processes runs"
