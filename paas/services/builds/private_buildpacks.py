"""Buildpacks that an app has a key or a token for: fetched before the build, which gets neither."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.builds.buildpacks import Buildpack, Kind
from paas.interfaces import BuildpackFetcher, Progress
from paas.services.git.credentials import GitCredentials


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateBuildpacks:
    """All others are fetched by the build itself."""

    credentials: GitCredentials
    fetcher: BuildpackFetcher

    @contextmanager
    def fetched(
        self, app: App, packs: Sequence[Buildpack], progress: Progress
    ) -> Iterator[Sequence[Buildpack]]:
        """The same buildpacks, the private ones as directories. Raises PaasError."""
        access = self.credentials.of(app)
        wanted = {
            pack: source
            for pack in packs
            if pack.logs_in(access) and (source := pack.repository) is not None
        }
        if not wanted:
            yield packs
            return
        for source in wanted.values():
            self.credentials.of_fetch(app, source)
        progress.step("Fetching buildpacks")
        fetched = self.fetcher.fetched(
            app, list(wanted.values()), access, progress.output, progress.check
        )
        with fetched as found:
            self.credentials.learn(app, found.host_keys, progress)
            places = dict(zip(wanted, found.directories, strict=True))
            yield [
                Buildpack(Kind.PATH, str(places[pack]), str(pack)) if pack in places else pack
                for pack in packs
            ]
