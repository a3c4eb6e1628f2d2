"""Which releases of an app can be brought back, and which slugs must be kept for that."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from paas.domain.releases.releases import Release, Slug, Status
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import PLATFORM_USER, shown

_VERSION = re.compile(r"v?([1-9][0-9]{0,8})")


def is_version(text: str) -> bool:
    """Whether a word stands for a release: ``v12`` or ``12``."""
    return _VERSION.fullmatch(text) is not None


def parse_version(text: str) -> int:
    """Read ``v12`` or ``12``, as Heroku takes either."""
    match = _VERSION.fullmatch(text)
    if match is None:
        raise usage_error("version", f"{shown(text)} is not a release.", "For example: v12")
    return int(match[1])


def before(releases: Sequence[Release], version: int) -> Release | None:
    """The release that was live before that version. releases: newest first."""
    succeeded = (r for r in releases if r.status is Status.SUCCEEDED and r.version < version)
    return next(succeeded, None)


def former_slug(releases: Sequence[Release], version: int, slug_id: str) -> str | None:
    """The slug that was live before that one; pages loaded then still ask for its files.

    version: of the release with slug_id; the answer is the same before it goes live and after.
    """
    lived = (r.slug_id for r in releases if r.status is Status.SUCCEEDED and r.version < version)
    return next((id for id in lived if id is not None and id != slug_id), None)


def rollback_default(releases: Sequence[Release], current: int | None) -> Release:
    """The release that a rollback without a version brings back. Raises if there is none.

    If the server rolled back automatically, the previous release is the one that it left: a user
    who notices the broken app a moment too late must not bring that back.
    """
    present = next((r for r in releases if r.version == current), None)
    if present is not None and present.user == PLATFORM_USER:
        raise PaasError(
            "rolled-back-already",
            f"The server rolled back automatically: v{present.version} is {present.description}.",
            "To bring another release back, name it: paas rollback vN; see: paas releases",
        )
    found = before(releases, current) if current is not None else None
    if found is None or found.slug_id is None:
        raise PaasError(
            "nothing-to-roll-back-to",
            "No release with code succeeded before the current one.",
            "See: paas releases",
        )
    return found


def check_rollback(target: Release, current: int | None) -> str:
    """The slug to bring back with that release. Raises PaasError with the reason why not."""
    name = f"v{target.version}"
    if target.version == current:
        raise PaasError(
            "rollback-current", f"{name} is the current release.", "To restart it: paas ps:restart"
        )
    if target.status is not Status.SUCCEEDED:
        how = "failed" if target.status is Status.FAILED else "has not ended"
        raise PaasError(
            "rollback-failed",
            f"{name} {how}: it never went live, so there is nothing to go back to.",
            "See which releases did: paas releases",
        )
    if target.slug_id is None:
        raise PaasError(
            "rollback-no-code",
            f"{name} is from before the first deploy: it has a config and no code.",
            "See: paas releases",
        )
    return target.slug_id


def can_roll_back(target: Release, current: int | None) -> bool:
    """Whether a rollback to that release is possible, as far as its slug is there."""
    has_code = target.status is Status.SUCCEEDED and target.slug_id is not None
    return has_code and target.version != current


def retry_target(releases: Sequence[Release], current: int | None) -> Release | None:
    """The latest release that failed, if it came after the current one. releases: newest first."""
    failed = (r for r in releases if r.status is Status.FAILED and r.version > (current or 0))
    return next(failed, None)


def prunable(
    slugs: Sequence[Slug],
    releases: Sequence[Release],
    current: int | None,
    *,
    keep: int,
    max_bytes: int,
    layers: Mapping[str, int] = MappingProxyType({}),
) -> list[Slug]:
    """The slugs to remove: all but those that were live last, by number and by disk use.

    Never the slug that runs, the one before it, whose static files are still served, the one that
    a rollback without a version brings back, the one that releases:retry needs, or that of a
    release in progress. releases: newest first. max_bytes: what all slugs of the app may take
    together; 0: no limit. layers: what dependencies take that slugs share; each counts once.
    """
    needed = _needed(releases, current)
    last_live: dict[str, int] = {}
    for release in releases:
        if release.slug_id is not None and release.status is Status.SUCCEEDED:
            last_live.setdefault(release.slug_id, release.version)
    kept = [slug for slug in slugs if slug.id in needed]
    others = [slug for slug in slugs if slug.id not in needed]
    others.sort(key=lambda slug: last_live.get(slug.id, 0), reverse=True)
    for number, slug in enumerate(others):
        total_bytes = _size_bytes([*kept, *others[: number + 1]], layers)
        fits = len(kept) + number < keep and (max_bytes == 0 or total_bytes <= max_bytes)
        if slug.id not in last_live or not fits:
            return others[number:]
    return []


def _size_bytes(slugs: Sequence[Slug], layers: Mapping[str, int]) -> int:
    shared = {slug.dependencies for slug in slugs if slug.dependencies is not None}
    return sum(slug.size_bytes for slug in slugs) + sum(layers.get(name, 0) for name in shared)


def _needed(releases: Sequence[Release], current: int | None) -> set[str | None]:
    """The slugs that must be kept, whatever the limits are."""
    used = [release for release in releases if release.status is Status.PENDING]
    used += [release for release in releases if release.version == current]
    former = before(releases, current) if current is not None else None
    used += [release for release in (former, retry_target(releases, current)) if release]
    needed = {release.slug_id for release in used}
    live = next((r.slug_id for r in releases if r.version == current), None)
    if current is not None and live is not None:
        needed.add(former_slug(releases, current, live))
    return needed
