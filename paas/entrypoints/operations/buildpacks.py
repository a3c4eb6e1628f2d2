"""buildpacks, buildpacks:set, buildpacks:clear"""

from collections.abc import Sequence

from paas.domain.builds.buildpacks import Buildpack
from paas.entrypoints.operations.call import Call


def listing(call: Call, *, app: str) -> list[dict[str, object]]:
    """The app's own buildpacks, in order; none: they are detected, or app.json names them."""
    return [_plain(pack) for pack in call.services.buildpacks.all(call.actor, app)]


def set_packs(call: Call, *, app: str, buildpacks: Sequence[str]) -> list[dict[str, object]]:
    """Set these and no others."""
    packs = call.services.buildpacks.replace(call.actor, app, buildpacks)
    return [_plain(pack) for pack in packs]


def clear(call: Call, *, app: str) -> list[dict[str, object]]:
    """Remove all."""
    call.services.buildpacks.clear(call.actor, app)
    return []


def _plain(pack: Buildpack) -> dict[str, object]:
    return {"kind": pack.kind.value, "source": pack.source, "named": str(pack)}
