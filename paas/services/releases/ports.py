"""Where new instances listen instead of on $PORT: a mistake, or where a container's requests go."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from paas.domain.releases.artifacts import CONTAINERS, DOCKER, SWARM
from paas.domain.releases.releases import Instance, Slug
from paas.domain.routing.endpoints import LOOPBACK
from paas.domain.routing.listening import EVERYWHERE, Place, only_other_port, reachable_ports
from paas.domain.values.errors import PaasError, with_output
from paas.interfaces import Progress, Runtime
from paas.services.releases.checks import CheckRun
from paas.store import Store

# How long an app may listen elsewhere before that counts: some open a second port first.
ELSEWHERE_S = 8.0
LOOK_S = 1.0
PLACES_SHOWN = 5


@dataclass(slots=True)
class PortSearch:
    """Looks each second where instances listen that do not answer on their ports.

    started: by the monotonic clock. known: ports at which such containers were found before.
    """

    runtime: Runtime
    started: float
    known: set[int]
    _looked: float = 0.0
    _since: float | None = None
    _has_told: bool = False

    def look(self, run: CheckRun, now: float, progress: Progress) -> set[Place]:
        """Where it listens by mistake, for so long that it counts; nothing if all may be well.

        A container that listens on one other port is asked there from then on.
        """
        if now < max(self._looked, self.started) + LOOK_S:
            return set()
        self._looked = now
        found = elsewhere(run.instance, self.runtime.listening_ports(run.instance))
        if not found:
            self._since = None
            return set()
        self._since = now if self._since is None else self._since
        lasts = now - self._since >= ELSEWHERE_S
        port = _other_port(run.instance, found)
        if port is None or not (lasts or port in self.known):
            return found if lasts else set()
        self._move(run, port, progress)
        return set()

    def _move(self, run: CheckRun, port: int, progress: Progress) -> None:
        before = run.instance
        if not self._has_told:
            progress.detail(
                f"{before.label} listens on port {port}, not on {before.port} ($PORT), and gets "
                f"its requests there. To have $PORT name it: paas ports:set web={port}"
            )
        self._has_told = True
        run.instance = replace(before, port=port)
        self.runtime.open_ports([run.instance])
        self.known.add(port)
        self._looked, self._since = self.started, None


def record_ports(
    store: Store, slug: Slug, planned: Sequence[Instance], found: Sequence[Instance]
) -> None:
    """Record where containers listen that took a port of their own; PORT names it from now on."""
    moved = [now for now, before in zip(found, planned, strict=True) if now != before]
    if not moved or slug.image is None or moved[0].port is None:
        return
    with store.transaction():
        for instance in moved:
            store.instances.set_port(instance)
        store.slugs.set_image(slug.id, replace(slug.image, port=moved[0].port))


def elsewhere(instance: Instance, found: set[Place]) -> set[Place]:
    """Where it listens, if not on its port at all."""
    if instance.endpoint is None or instance.port in _ports(instance, found):
        return set()
    return found


def wrong_port(instance: Instance, found: Collection[Place], printed: list[str]) -> PaasError:
    """The refusal of an instance that listens there. printed: its last lines."""
    where = ", ".join(f"{address}:{port}" for address, port in sorted(found)[:PLACES_SHOWN])
    if len(found) > PLACES_SHOWN:
        where += f" and {len(found) - PLACES_SHOWN} more"
    if instance.engine not in CONTAINERS:
        what = f"{instance.label} listens on {where}, but not on {own_place(instance)}, which "
        what += "$PORT names."
        hint = (
            'Make it listen on $PORT: process.env.PORT in Node.js, os.environ["PORT"] in Python, '
            "or in the Procfile, for example: web: gunicorn --bind 127.0.0.1:$PORT app:app"
        )
    elif _ports(instance, found):
        what = f"{instance.label} listens on {where}, but not on {own_place(instance)}"
        what += "." if instance.engine == SWARM else ", which $PORT names."
        hint = "Make it listen on $PORT, or choose the port of its requests: paas ports:set "
        hint += f"web={min(_ports(instance, found))}"
    else:
        what = f"{instance.label} listens on {where}; in a container it must listen on "
        what += f"{EVERYWHERE}:$PORT."
        hint = (
            "A container's 127.0.0.1 is its own, where no request arrives. For example: CMD "
            'gunicorn --bind 0.0.0.0:$PORT app:app, or in Node.js: listen(process.env.PORT, "'
            f'{EVERYWHERE}")'
        )
    return PaasError("wrong-port", with_output(what, printed), hint, context=printed)


def own_place(instance: Instance) -> str:
    """Where it has to listen, as it sees it; a container on a node sees another port of its own."""
    if instance.engine == SWARM:
        return f"{EVERYWHERE}:$PORT"
    return f"{EVERYWHERE if instance.engine == DOCKER else LOOPBACK}:{instance.port}"


def _ports(instance: Instance, found: Collection[Place]) -> set[int]:
    """Those at which it is reached."""
    if instance.engine in CONTAINERS:
        return reachable_ports(found, instance.address)
    reachable = {instance.address, LOOPBACK, EVERYWHERE, "::"}
    return {port for address, port in found if address in reachable}


def _other_port(instance: Instance, found: Collection[Place]) -> int | None:
    if instance.engine != DOCKER or instance.port is None:
        return None
    return only_other_port(found, instance.address, instance.port)
