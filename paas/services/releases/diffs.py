"""Comparing two versions of an app: releases, or a pushed commit with the live release."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.builds import dependencies
from paas.domain.manifest.appjson import APP_JSON_MAX_BYTES, AppJson, parse_app_json
from paas.domain.manifest.procfile import PROCFILE_MAX_BYTES, Processes, parse_procfile
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.releases import diffs
from paas.domain.releases.diffs import Difference, Entry, FileChange
from paas.domain.releases.history import before
from paas.domain.releases.releases import ConfigVars, Release
from paas.domain.values.errors import NoSuchCommitError, PaasError
from paas.interfaces import Quarantine, Repository, Schedules
from paas.services.access import find_app
from paas.services.progress import Silent
from paas.services.releases.app_json_config import declared_config
from paas.services.releases.cron_checks import check_jobs
from paas.store import Store


@dataclass(frozen=True, slots=True)
class Version:
    """One side of a comparison.

    commit: None if there is no code. processes: None if only the Procfile can tell.
    """

    label: str
    commit: str | None
    quarantine: Quarantine | None
    config: ConfigVars
    processes: Processes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diffs:
    """Says what differs; changes nothing."""

    store: Store
    repository: Repository
    schedules: Schedules

    def between(self, actor: Actor, name: str, old: int | None, new: int | None) -> Difference:
        """Two releases; new: by default the current one; old: by default the one before new."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        new = new or app.current
        if new is None:
            raise PaasError(
                "not-deployed", f"{app.name} has not been deployed yet.", "git push deploy main"
            )
        second = self._release(app, new)
        first = self._release(app, old) if old else before(self.store.releases.of_app(app.id), new)
        return self._compare(app, self._of_release(first), self._of_release(second))

    def across(self, source: App, target: App) -> Difference:
        """What the target runs against what the source runs; config vars stay with their app.

        Files are compared in the source's repository.
        """
        old, new = (self._of_release(self.store.releases.current(app)) for app in (target, source))
        return self._compare(
            source,
            replace(old, label=f"{target.name} {old.label}", config={}),
            replace(new, label=f"{source.name} {new.label}", config={}),
        )

    def pushed(self, app: App, commit: str, quarantine: Quarantine) -> Difference:
        """The current release against a commit that is being pushed.

        Raises PaasError if its Procfile or app.json would be refused.
        """
        current = self.store.releases.current(app)
        present = self._of_release(current)
        pushed = Version(commit[:8], commit, quarantine, present.config, None)
        config = self._declared(app, current, pushed)
        return self._compare(app, present, replace(pushed, config=config))

    def _declared(self, app: App, current: Release | None, pushed: Version) -> ConfigVars:
        """The config that a deploy would have, with what app.json declares.

        Raises PaasError if a deploy would be refused for it.
        """
        content = self._read(app, pushed, "app.json", APP_JSON_MAX_BYTES)
        procfile = self._read(app, pushed, "Procfile", PROCFILE_MAX_BYTES) or b""
        manifest = parse_app_json(content) if content is not None else AppJson()
        check_jobs(manifest, parse_procfile(procfile), procfile, self.schedules)
        if content is None:
            return pushed.config
        slug = self.store.slugs.find(current.slug_id) if current and current.slug_id else None
        former = slug.manifest if slug else AppJson()
        attached = self.store.datastores.attached_vars(app.id)
        return declared_config(
            manifest, former, pushed.config, lambda: "", Silent(), attached=attached
        )

    def commit_of(self, release: Release) -> str | None:
        """The commit that a release was built from, even if its slug is pruned."""
        if release.slug_id is None:
            return None
        slug = self.store.slugs.find(release.slug_id)
        if slug is not None:
            return slug.commit
        builds = self.store.builds.of_app(release.app_id)
        return next((build.commit for build in builds if build.id == release.slug_id), None)

    def _release(self, app: App, version: int) -> Release:
        release = self.store.releases.find(app.id, version)
        if release is None:
            raise no_such_release(app, version)
        return release

    def _of_release(self, release: Release | None) -> Version:
        if release is None:
            return Version("nothing", None, None, {}, {})
        slug = self.store.slugs.of_release(release)
        commit = self.commit_of(release)
        processes = slug.processes if slug else None
        if commit is None:
            processes = {}
        return Version(f"v{release.version}", commit, None, release.config, processes)

    def _compare(self, app: App, old: Version, new: Version) -> Difference:
        files: list[FileChange] = []
        asked: list[Entry] = []
        notes = []
        if new.commit is not None:
            try:
                files = self.repository.changes(app.id, old.commit, new.commit, new.quarantine)
                asked = self._dependencies(app, old, new)
            except NoSuchCommitError as error:
                # A push that failed leaves no commit; releases:retry may have brought it live.
                notes.append(f"Files and dependencies cannot be compared: {error.message}")
        known = old.processes is not None and new.processes is not None
        return Difference(
            old.label,
            new.label,
            files=tuple(files),
            dependencies=tuple(asked),
            config=diffs.config_changes(old.config, new.config),
            processes=diffs.process_entries(
                self._processes(app, old, known), self._processes(app, new, known)
            ),
            notes=tuple(notes),
        )

    def _dependencies(self, app: App, old: Version, new: Version) -> list[Entry]:
        found: list[Entry] = []
        for kinds in dependencies.FILES:
            former, present = (self._packages(app, version, kinds) for version in (old, new))
            found += diffs.entries(former, present)
        return found

    def _packages(self, app: App, version: Version, kinds: dependencies.Kinds) -> Mapping[str, str]:
        for name, parse in kinds:
            try:
                content = self._read(app, version, name, dependencies.DEPENDENCIES_MAX_BYTES)
            except PaasError:
                continue
            if content is not None:
                return parse(content)
        return {}

    def _processes(self, app: App, version: Version, known: bool) -> Processes:
        """The commands: of the slugs if both exist, else of the Procfiles."""
        if known and version.processes is not None:
            return version.processes
        try:
            content = self._read(app, version, "Procfile", PROCFILE_MAX_BYTES)
        except PaasError:
            if version.quarantine is not None:
                raise
            return version.processes or {}
        return parse_procfile(content) if content is not None else {}

    def _read(self, app: App, version: Version, name: str, limit: int) -> bytes | None:
        """A file of the folder that is built, which is the repository's top by default."""
        if version.commit is None:
            return None
        folder = self.store.build_dirs.of_app(app.id)
        path = f"{folder}/{name}" if folder else name
        return self.repository.read_file(app.id, version.commit, version.quarantine, path, limit)


def no_such_release(app: App, version: int) -> PaasError:
    """The error for a version that the app does not have."""
    message = f"{app.name} has no release v{version}."
    return PaasError("no-such-release", message, f"See: paas releases -a {app.name}")
