"""How many instances of each process type a release runs."""

import re
from collections.abc import Mapping, Sequence

from paas.domain.apps.apps import default_quantity
from paas.domain.manifest.appjson import QUANTITY_MAX
from paas.domain.manifest.procfile import Processes, instance_types
from paas.domain.releases.artifacts import NATIVE
from paas.domain.releases.releases import Instance, Slug
from paas.domain.releases.stopping import InstanceName
from paas.domain.routing.endpoints import LOOPBACK
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import ProcessType, process_type, shown

# The process type that the proxy routes to, and the only one with a port.
WEB = ProcessType("web")
# A negative amount is one only after "=": it gets an answer of its own.
_SCALE = re.compile(r"([^=+]+)(=(?=-)|[=+-](?!-))(-?[0-9]{1,100})")


def quantities(processes: Processes, wanted: Mapping[ProcessType, int]) -> dict[ProcessType, int]:
    """The quantity of every process type that can run, web first, as set or by default."""
    kinds = sorted(instance_types(processes), key=lambda kind: (kind != WEB, kind))
    return {kind: wanted.get(kind, default_quantity(kind)) for kind in kinds}


def wanted_quantities(slug: Slug, wanted: Mapping[ProcessType, int]) -> dict[ProcessType, int]:
    """The same for a slug: what ps:scale set wins over app.json, which wins over the default."""
    return quantities(slug.processes, {**slug.manifest.formation, **wanted})


def instances_of(
    app_id: int,
    version: int,
    rollout_id: int,
    instance_names: Sequence[InstanceName],
    ports: Sequence[int],
    addresses: Sequence[str] = (),
    engine: str = NATIVE,
) -> list[Instance]:
    """The instances of one roll-out.

    ports: one for each web instance. addresses: one for each instance; none: all are on loopback.
    engine: what runs them.
    """
    free = iter(ports)
    reached = addresses or [LOOPBACK] * len(instance_names)
    return [
        Instance(
            app_id,
            version,
            rollout_id,
            kind,
            number,
            next(free) if kind == WEB else None,
            address=address,
            engine=engine,
        )
        for (kind, number), address in zip(instance_names, reached, strict=True)
    ]


def parse_scale(word: str, present: Mapping[ProcessType, int]) -> tuple[ProcessType, int]:
    """Read ``web=2``, ``web+1`` or ``web-1`` (heroku ps:scale) against the present formation."""
    found = _SCALE.fullmatch(word)
    if found is None:
        raise usage_error(
            "scale",
            f"{shown(word)} is not of the form web=2, web+1 or web-1.",
            "paas ps:scale web=2",
        )
    name, sign, amount = found.groups()
    kind = process_type(name)
    if kind not in present:
        raise PaasError(
            "no-process-type",
            f"The release has no process type {kind!r}; it has: {', '.join(present) or 'none'}.",
            "Add it to the Procfile and push.",
        )
    count = int(amount)
    if sign != "=":
        count = present[kind] + (-count if sign == "-" else count)
    if not 0 <= count <= QUANTITY_MAX:
        raise usage_error(
            "scale", f"{kind}: the quantity must be 0 to {QUANTITY_MAX}, not {count}."
        )
    return kind, count
