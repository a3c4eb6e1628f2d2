"""Lost nodes: has what ran there started elsewhere, and tells the apps' logs."""

from collections.abc import Collection, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

from paas.domain.apps.apps import App
from paas.domain.cluster.lost import (
    PATIENCE_S,
    Attempt,
    awaited_since,
    due_apps,
    failed_attempt,
    lost_instances,
    place_words,
    ready_ids,
)
from paas.domain.cluster.nodes import ClusterReport, NodeReport
from paas.domain.releases.releases import Instance
from paas.domain.server.alarms import Trouble
from paas.domain.values.line_marks import WARNING
from paas.interfaces import Clock, Logs, Moves, NodeTroubles
from paas.services.progress import Silent
from paas.store import Store

# Who says so in an app's log: paas[nodes].
_NODES = "nodes"
_NONE_READY = "no node is ready"


class _LastWarning(Silent):
    """Keeps the last line that was a warning, also of what the gate shows: why a move failed."""

    def __init__(self) -> None:
        self.text = "the reason is not known"

    def warn(self, text: str) -> None:
        self.text = text

    def output(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace")
        if text.startswith(WARNING):
            self.text = text.removeprefix(WARNING)


@dataclass(frozen=True, slots=True)
class _Move:
    """One that was asked for. lost, ready: see `Attempt`. ending: gets the reason if it fails."""

    lost: frozenset[str]
    ready: frozenset[str]
    ending: Future[str | None]


@dataclass(slots=True)
class _Known:
    """What is known of an app with lost instances. told: the ids of those that its log names.

    reason: the last one that the log has why they are not moved.
    """

    told: set[str] = field(default_factory=set)
    reason: str | None = None
    attempt: Attempt | None = None
    moves: list[_Move] = field(default_factory=list)

    def is_moving(self, lost: frozenset[str]) -> bool:
        """Whether all of these are being moved. Others need not wait for the end of that one.

        It takes a while: requests to the former instances are waited for.
        """
        return any(lost <= move.lost for move in self.moves)


class LostNodes:
    """One look at a time; the moves go on meanwhile, several apps' side by side.

    A move that was asked for is finished by the gate, whoever dies. It finds out itself what is
    left to do, so nothing is moved twice, and none is needed for a node that has come back.
    """

    def __init__(
        self,
        store: Store,
        moves: Moves,
        troubles: NodeTroubles,
        logs: Logs,
        clock: Clock,
        pool: Executor,
    ) -> None:
        self._store = store
        self._moves = moves
        self._troubles = troubles
        self._noted: list[Trouble] | None = None
        self._logs = logs
        self._clock = clock
        self._pool = pool
        self._known: dict[int, _Known] = {}
        self._awaited: dict[str, float] = {}

    def look(self, found: ClusterReport) -> None:
        """Tell what is lost, and have moved what is due."""
        now = self._clock.monotonic()
        self._awaited = awaited_since(self._awaited, found.nodes, now)
        awaited = {id for id, since in self._awaited.items() if now < since + PATIENCE_S}
        lost = self._lost(found.nodes, awaited)
        for app_id in self._known.keys() - lost.keys():
            self._forget(app_id)
        ready = ready_ids(found.nodes)
        for app_id, (app, instances) in lost.items():
            known = self._known.setdefault(app_id, _Known())
            self._tell(app, instances, found.nodes, known)
            self._settle(app, known, now)
            if not ready:
                self._tell_reason(app, known, _NONE_READY)
        self._note(lost, found.nodes)
        ids = {id: frozenset(one.id for one in instances) for id, (_, instances) in lost.items()}
        failed = {id: k.attempt for id, k in self._known.items() if k.attempt is not None}
        busy = {id for id in ids if self._known[id].is_moving(ids[id])}
        for app_id in due_apps(ids, ready, failed, busy, now):
            ending = self._pool.submit(self._move, lost[app_id][0])
            self._known[app_id].moves.append(_Move(ids[app_id], ready, ending))

    def _lost(
        self, nodes: Sequence[NodeReport], awaited: Collection[str]
    ) -> dict[int, tuple[App, list[Instance]]]:
        found: dict[int, list[Instance]] = {}
        for instance in lost_instances(self._store.instances.all(), nodes, awaited=awaited):
            found.setdefault(instance.app_id, []).append(instance)
        lost = {}
        for app_id, instances in found.items():
            app = self._store.apps.by_id(app_id)
            live = [one for one in instances if app is not None and one.is_live(app)]
            if app is not None and live:
                lost[app_id] = (app, live)
        return lost

    def _move(self, app: App) -> str | None:
        """In a thread of its own; returns why it failed."""
        said = _LastWarning()
        return said.text if self._moves.move([app], said) else None

    def _settle(self, app: App, known: _Known, now: float) -> None:
        """What has become of moves that have ended."""
        for move in [one for one in known.moves if one.ending.done()]:
            known.moves.remove(move)
            reason = move.ending.result()
            if reason is None:
                known.attempt = None
                continue
            known.attempt = failed_attempt(known.attempt, move.lost, move.ready, now)
            self._tell_reason(app, known, reason.removeprefix(f"{app.name}: "))

    def _forget(self, app_id: int) -> None:
        """All is well with an app again; a move that is still asked for finds nothing to do."""
        known = self._known[app_id]
        known.moves = [one for one in known.moves if not one.ending.done()]
        if not known.moves:
            del self._known[app_id]

    def _tell(
        self, app: App, instances: Sequence[Instance], nodes: Sequence[NodeReport], known: _Known
    ) -> None:
        for instance in instances:
            if instance.id not in known.told:
                text = f"It was on {place_words(instance, nodes)}, and is started elsewhere. "
                self._logs.write(
                    app.id, instance.label, f"{text}Its last lines may be missing here"
                )
        known.told = {instance.id for instance in instances}

    def _note(
        self, lost: dict[int, tuple[App, list[Instance]]], nodes: Sequence[NodeReport]
    ) -> None:
        """For the operator's alarms: what is lost and could not be started elsewhere."""
        troubles = []
        for app_id, (app, instances) in lost.items():
            reason = self._known[app_id].reason
            if reason is not None:
                each = "; ".join(
                    f"{one.label} was on {place_words(one, nodes)}" for one in instances
                )
                words = f"{app.name}: {each}, and cannot be started elsewhere: {reason}."
                troubles.append(Trouble(f"lost {app_id}", words))
        if troubles != self._noted:
            self._troubles.note(troubles)
        self._noted = troubles

    def _tell_reason(self, app: App, known: _Known, reason: str) -> None:
        """Each once, until another comes between."""
        if reason != known.reason:
            self._logs.write(
                app.id, _NODES, f"Not started elsewhere yet: {reason}. It is tried again"
            )
        known.reason = reason
