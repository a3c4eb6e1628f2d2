"""What users do with previews: apps of their own for pull requests and branches."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from paas.domain.apps.apps import App
from paas.domain.git.events import Forge
from paas.domain.git.previews import (
    PREVIEWS_MAX,
    Preview,
    PreviewOf,
    PreviewSettings,
    inherited,
    preview_names,
)
from paas.domain.manifest.appjson import parse_app_json
from paas.domain.manifest.review import for_review
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, VarName
from paas.domain.values.secret import Secret
from paas.interfaces import Clock, Repository, Reserve
from paas.services.access import find_app, require_account
from paas.services.apps.copied_settings import copy_settings, set_first_config
from paas.services.apps.destruction import Destruction
from paas.services.routing.sites import Sites
from paas.services.server.quotas import Quotas
from paas.store import Store


@dataclass(frozen=True, slots=True)
class PreviewReport:
    """What is shown of a preview."""

    app: App
    preview: Preview
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Previews:
    """A preview is owned by who owns the app that it is of, and counts for their quotas."""

    store: Store
    repository: Repository
    destruction: Destruction
    sites: Sites
    quotas: Quotas
    reserve: Reserve
    clock: Clock

    def enable(
        self, actor: Actor, name: str, config: Mapping[VarName, Secret], lifetime: timedelta
    ) -> PreviewSettings:
        """Allow previews of an app; replaces what was set before."""
        app = find_app(self.store, actor, name, to=Permission.OWN)
        require_account(actor, "enable previews")
        if app.preview_of is not None:
            raise PaasError("preview-preview", f"{app.name} is a preview, which has none itself.")
        settings = PreviewSettings(config, lifetime)
        self.store.previews.set_settings(app.id, settings)
        return settings

    def disable(self, actor: Actor, name: str) -> int:
        """Make no further ones; returns how many there still are."""
        app = find_app(self.store, actor, name, to=Permission.OWN)
        self._settings(app)
        self.store.previews.remove_settings(app.id)
        return len(self.store.previews.of_parent(app.id))

    def listing(
        self, actor: Actor, name: str
    ) -> tuple[PreviewSettings | None, list[PreviewReport]]:
        """How an app's previews are made, and those that there are."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        every = ((one, self.store.apps.by_id(one.app_id)) for one in self._of(app))
        found = [PreviewReport(a, one, self.sites.url(a)) for one, a in every if a is not None]
        return self.store.previews.settings(app.id), found

    def find(self, actor: Actor, name: str, of: PreviewOf) -> Preview:
        """One of them, to change it. Raises PaasError if there is none."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        found = self.store.previews.find(app.id, of)
        if found is None:
            raise PaasError(
                "no-preview",
                f"{app.name} has no preview of {of}.",
                f"See which it has: paas previews -a {app.name}",
            )
        return found

    def want(
        self, actor: Actor, name: str, of: PreviewOf, forge: Forge | None = None, commit: str = ""
    ) -> PreviewReport:
        """The preview of a branch or pull request, made if there is none, which is to be deployed.

        Raises PaasError if the app is to have no previews, or no further ones.
        """
        parent = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        settings = self._settings(parent)
        app = None
        with self.store.transaction():
            present = self.store.previews.find(parent.id, of)
            if present is None:
                app = self._make(actor, parent, of, settings)
                present = self.store.previews.of_app(app.id)
            assert present is not None
            wanted = replace(
                present,
                of=of,
                forge=forge,
                commit=commit,
                expires_at=self.clock.now() + settings.lifetime,
            )
            self.store.previews.want(wanted)
        if app is not None:
            self._make_repository(app)
        return self._report(present.app_id)

    def _report(self, app_id: int) -> PreviewReport:
        app, preview = self.store.apps.by_id(app_id), self.store.previews.of_app(app_id)
        if app is None or preview is None:
            raise PaasError("no-preview", "The preview was removed meanwhile.")
        return PreviewReport(app, preview, self.sites.url(app))

    def _make(self, actor: Actor, parent: App, of: PreviewOf, settings: PreviewSettings) -> App:
        """A new app, with nothing deployed; in a transaction."""
        if len(self._of(parent)) >= PREVIEWS_MAX:
            raise PaasError(
                "too-many-previews",
                f"{parent.name} has {PREVIEWS_MAX} previews, the most that an app may have.",
                f"Remove one: paas previews:destroy -a {parent.name} BRANCH",
            )
        if parent.owner is not None:
            self.quotas.refuse_app(actor, parent.owner)
        now = self.clock.now()
        app = self.store.apps.add(self._free_name(parent, of), None, now)
        self.store.previews.add(
            Preview(
                app_id=app.id,
                parent_id=parent.id,
                of=of,
                forge=None,
                commit="",
                expires_at=now + settings.lifetime,
            )
        )
        copy_settings(self.store, parent, app)
        config = dict(self._inherited(parent))
        config.update((str(name), value) for name, value in settings.config.items())
        if config:
            words = f"Config for previews of {parent.name}"
            set_first_config(self.store, app, config, words, actor.name, self.clock)
        return app

    def _make_repository(self, app: App) -> None:
        try:
            self.repository.create(app.id)
        except BaseException:
            with self.reserve.released():
                self.destruction.undo(app)
            raise

    def _free_name(self, parent: App, of: PreviewOf) -> AppName:
        for name in preview_names(parent.name, of):
            try:
                self.sites.refuse_claimed(name)
            except PaasError:
                continue
            if self.store.apps.find(name) is None:
                return name
        raise PaasError(
            "no-name",
            f"The names for a preview of {of} are taken by other apps.",
            "Rename one of these apps: paas apps:rename",
        )

    def _inherited(self, parent: App) -> Mapping[str, Secret]:
        release = self.store.releases.current(parent)
        slug = self.store.slugs.of_release(release)
        if release is None or slug is None or slug.app_json is None:
            return {}
        return inherited(parse_app_json(for_review(slug.app_json)), release.config)

    def _settings(self, app: App) -> PreviewSettings:
        settings = self.store.previews.settings(app.id)
        if settings is None:
            raise PaasError(
                "previews-off",
                f"{app.name} has no previews: they are not enabled.",
                f"Its owner can: paas previews:enable {app.name}",
            )
        return settings

    def _of(self, parent: App) -> list[Preview]:
        return self.store.previews.of_parent(parent.id)
