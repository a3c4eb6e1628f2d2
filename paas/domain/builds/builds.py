"""Builds as users name them, and the words about them."""

import re
from collections.abc import Sequence

from paas.domain.releases.releases import Build
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import shown

CANCELLED = "build-cancelled"
LATEST = "latest"
_NAMED = 3
_WORD = re.compile(r"[0-9]+-[0-9]{1,20}|[0-9a-f]{7,40}")


def is_build(text: str) -> bool:
    """Whether a word can stand for a build: an id, its beginning or a commit's, or ``latest``."""
    return text == LATEST or _WORD.fullmatch(text) is not None


def find_build(builds: Sequence[Build], wanted: str | None) -> Build:
    """The build that is meant; None: the newest. builds: newest first.

    Of several builds of one commit, the newest. Raises PaasError if there is none, or if a
    beginning matches several.
    """
    if not builds:
        raise PaasError("no-builds", "The app has not been built yet.", "git push deploy main")
    if wanted is None or wanted == LATEST:
        return builds[0]
    if not is_build(wanted):
        raise usage_error(
            "build",
            f"{shown(wanted)} is not a build.",
            "Give a build's id (see paas builds), its beginning, a commit's, or: latest",
        )
    exact = [build for build in builds if build.id == wanted]
    by_commit = [build for build in builds if build.commit.startswith(wanted)]
    found = exact or [build for build in builds if build.id.startswith(wanted)]
    if not found and len({build.commit for build in by_commit}) == 1:
        return by_commit[0]
    found = found or by_commit
    if not found:
        raise PaasError("no-such-build", f"The app has no build {wanted}.", "See: paas builds")
    if len(found) > 1:
        raise usage_error(
            "which-build",
            f"{wanted} matches {len(found)} builds, such as {found[0].id}.",
            "Give more characters of it.",
        )
    return found[0]


def cancelled(user: str) -> PaasError:
    """The message for the user whose build was cancelled."""
    return PaasError(
        "build-cancelled",
        f"The build was cancelled by {user}.",
        "To build the commit again, push it again.",
    )


def queue_words(place: int, whose: Sequence[str]) -> str:
    """The position of a build that has to wait, as in ``Still ...``.

    place: 1 is the next. whose: the builds before it, as ``alice's build of shop``.
    """
    names = list(whose[:_NAMED])
    if len(whose) > _NAMED:
        names.append(f"{len(whose) - _NAMED} more")
    builds = " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]])) or "other builds"
    return f"waiting for {builds}: {'next' if place == 1 else f'place {place}'} in the queue"
