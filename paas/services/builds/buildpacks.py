"""How an app is built: its buildpacks, in order, and its folder of the repository."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.builds.buildpacks import (
    LIST_MAX,
    Buildpack,
    Kind,
    buildpack,
    chosen_buildpack,
    folder,
    similar_name,
)
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError, usage_error
from paas.interfaces import BuildpackCatalog
from paas.services.access import find_app, require_admin
from paas.services.builds.build import current_slug
from paas.store import Store

Change = Callable[[list[Buildpack]], list[Buildpack]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Buildpacks:
    """What an app is built with from the next push on; these methods build nothing.

    Positions count from 1. Each change returns the app's buildpacks after it.
    """

    store: Store
    catalog: BuildpackCatalog

    def all(self, actor: Actor, name: str) -> list[Buildpack]:
        """Those that were set by hand; none: app.json names them, or they are detected."""
        return self.store.buildpacks.of_app(
            find_app(self.store, actor, name, to=Permission.VIEW).id
        )

    def declared(self, actor: Actor, name: str) -> tuple[Buildpack, ...]:
        """What app.json of the live release names, for pushes where none are set by hand."""
        slug_id = current_slug(self.store, find_app(self.store, actor, name, to=Permission.VIEW).id)
        slug = self.store.slugs.find(slug_id) if slug_id else None
        return slug.manifest.buildpacks if slug else ()

    def add(self, actor: Actor, name: str, text: str, position: int | None) -> list[Buildpack]:
        """Add a buildpack, at the end or at a position."""
        app, pack = self._named(actor, name, text)

        def change(packs: list[Buildpack]) -> list[Buildpack]:
            _refuse_twice(packs, pack)
            place = len(packs) if position is None else _index(position, len(packs) + 1)
            return [*packs[:place], pack, *packs[place:]]

        return self._change(app, change)

    def set(self, actor: Actor, name: str, text: str, position: int | None) -> list[Buildpack]:
        """Replace the first buildpack, or the one at a position."""
        app, pack = self._named(actor, name, text)

        def change(packs: list[Buildpack]) -> list[Buildpack]:
            place = 0 if position is None else _index(position, len(packs) + 1)
            _refuse_twice(packs, pack)
            return [*packs[:place], pack, *packs[place + 1 :]]

        return self._change(app, change)

    def remove(
        self, actor: Actor, name: str, text: str | None, position: int | None
    ) -> list[Buildpack]:
        """Remove a buildpack, by its name or by its position."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        if (text is None) == (position is None):
            raise usage_error("buildpack-which", "Name either a buildpack or its position (-i).")

        def change(packs: list[Buildpack]) -> list[Buildpack]:
            if not packs:
                raise PaasError(
                    "no-buildpacks", "The app has no buildpacks of its own; they are detected."
                )
            if position is not None:
                place = _index(position, len(packs))
            else:
                sources = [pack.source for pack in packs]
                wanted = buildpack(text or "").source
                if wanted not in sources:
                    raise PaasError(
                        "buildpack-not-set",
                        f"The app has no buildpack {text}. Nothing was removed.",
                        "See which ones it has: paas buildpacks",
                    )
                place = sources.index(wanted)
            return [*packs[:place], *packs[place + 1 :]]

        return self._change(app, change)

    def replace(self, actor: Actor, name: str, texts: Sequence[str]) -> list[Buildpack]:
        """Set these and no others, in this order. One that is set already is not looked at again,
        so a directory of the server that an admin chose may stay."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        there = {pack.source: pack for pack in self.store.buildpacks.of_app(app.id)}
        packs: list[Buildpack] = []
        for text in texts:
            known = there.get(buildpack(text).source)
            pack = known if known is not None else self._named(actor, name, text)[1]
            _refuse_twice(packs, pack)
            packs.append(pack)
        return self._change(app, lambda _: packs)

    def clear(self, actor: Actor, name: str) -> None:
        """Let them be detected again."""
        self.store.buildpacks.set(find_app(self.store, actor, name, to=Permission.CONFIGURE).id, [])

    def build_dir(self, actor: Actor, name: str) -> str | None:
        """The folder of the repository that is the app; None: all of it."""
        return self.store.build_dirs.of_app(
            find_app(self.store, actor, name, to=Permission.VIEW).id
        )

    def set_build_dir(self, actor: Actor, name: str, text: str | None) -> str | None:
        """Choose the folder that is built from the next push on; None: all of the repository."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        chosen = folder(text) if text else None
        self.store.build_dirs.set(app.id, chosen)
        return chosen

    def _named(self, actor: Actor, name: str, text: str) -> tuple[App, Buildpack]:
        """The app and the buildpack that a user names. Raises PaasError if it cannot be used."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        pack = chosen_buildpack(text)
        if pack.kind is Kind.NAME and pack.source not in self.catalog.names():
            meant = similar_name(pack.source)
            raise usage_error(
                "buildpack-unknown",
                f"There is no buildpack {pack.source!r}"
                + (f"; {meant} has a similar name. The" if meant else "; the")
                + f" platform's own are: {', '.join(self.catalog.names())}.",
                "For another one give its git repository: https://host/path",
            )
        if pack.kind is Kind.PATH:
            require_admin(actor, "use a buildpack from a directory of the server")
            reason = self.catalog.why_not(pack.source)
            if reason is not None:
                raise usage_error("buildpack-directory", reason)
        return app, pack

    def _change(self, app: App, change: Change) -> list[Buildpack]:
        with self.store.transaction():
            packs = change(self.store.buildpacks.of_app(app.id))
            if len(packs) > LIST_MAX:
                raise usage_error(
                    "buildpacks-max", f"An app may have at most {LIST_MAX} buildpacks."
                )
            self.store.buildpacks.set(app.id, packs)
        return packs


def _refuse_twice(packs: list[Buildpack], pack: Buildpack) -> None:
    if pack in packs:
        raise PaasError(
            "buildpack-set", f"The buildpack {pack} is already set.", "See: paas buildpacks"
        )


def _index(position: int, highest: int) -> int:
    """A position as an index. Raises a usage error that lists the valid ones."""
    if not 1 <= position <= highest:
        choice = "1" if highest == 1 else f"1 to {highest}"
        raise usage_error("buildpack-index", f"There is no position {position}: choose {choice}.")
    return position - 1
