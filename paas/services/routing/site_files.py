"""What the proxy serves from an app's slugs: static files, and pages in place of the app."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from paas.domain.releases.history import former_slug
from paas.domain.releases.releases import Release, Slug
from paas.domain.routing.routing import Routing
from paas.domain.routing.sites import SlugFolder, Static
from paas.domain.routing.statics import VARIABLES, StaticPath, configured, merged
from paas.domain.values.errors import PaasError
from paas.interfaces import Slugs
from paas.store import Store

# In the app's repository: what visitors see if the app does not answer.
ERROR_PAGES = {status: f"{status}.html" for status in (502, 503, 504)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFiles:
    """Finds them in a release's slug, and in the one that was live before."""

    store: Store
    slugs: Slugs

    def error_pages(self, slug: Slug | None) -> Mapping[int, Path]:
        """The app's own pages, by status."""
        if slug is None:
            return {}
        pages = {status: self.slugs.page(slug.id, name) for status, name in ERROR_PAGES.items()}
        return {status: page for status, page in pages.items() if page is not None}

    def statics(self, release: Release | None, routing: Routing) -> tuple[Static, ...]:
        """What is served of a release; a path whose folder is in neither slug goes to the app."""
        if release is None or release.slug_id is None:
            return ()
        wanted = merged(routing.statics, _configured(release))
        releases = self.store.releases.of_app(release.app_id) if wanted else []
        former = former_slug(releases, release.version, release.slug_id)
        if former is not None and self.store.slugs.find(former) is None:
            former = None
        found = ((static, self._folders(static, release.slug_id, former)) for static in wanted)
        return tuple(
            Static(static.path, folders, static.cache_control, static.hashed and static.store)
            for static, folders in found
            if folders
        )

    def listing(self, release: Release | None, routing: Routing) -> list[tuple[StaticPath, bool]]:
        """Every path that is set, and whether the release has its folder."""
        wanted = merged(routing.statics, _configured(release) if release else ())
        slug_id = release.slug_id if release else None
        return [(s, bool(slug_id and self.slugs.folder(slug_id, s.folder))) for s in wanted]

    def warnings(self, release: Release, routing: Routing) -> list[str]:
        """Warnings for the user who makes this release live."""
        try:
            configured(release.config)
        except PaasError as error:
            return [error.message, f"So {VARIABLES[0]} is ignored."]
        return [
            f"v{release.version} has no folder {static.folder}: the app answers {static.path}"
            for static, there in self.listing(release, routing)
            if not there
        ]

    def _folders(self, static: StaticPath, *slug_ids: str | None) -> tuple[SlugFolder, ...]:
        folders = (self.slugs.folder(id, static.folder) for id in slug_ids if id is not None)
        return tuple(folder for folder in folders if folder is not None)


def _configured(release: Release) -> Sequence[StaticPath]:
    """None if they cannot be read: an app may use the variable for something else."""
    try:
        return configured(release.config)
    except PaasError:
        return ()
