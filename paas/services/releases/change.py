"""A change of what an app runs, as a value: who makes it, how it is prepared, what should run."""

from collections.abc import Callable, Mapping, Set
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.apps.storage import Storage
from paas.domain.cluster.scheduling import Scheduling
from paas.domain.releases.releases import Release
from paas.domain.runtime.resources import SetLimit
from paas.domain.values.names import ProcessType
from paas.interfaces import Progress


def nothing() -> None:
    """Does nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What should run, once a change is prepared.

    formation, stopped: the quantities, and what is stopped by hand, in place of what the store has;
    None: as it has them. removed: a storage directory that the app is about to lose. limits: of
    resources, in place of the app's. scheduling: on which machines, in place of the app's. These
    are recorded in the transaction that makes the release current.
    only: the labels (``web.1``) that are concerned; other instances keep running. None: all.
    release_command: whether a new release has its release command run first.
    restart: False: the release becomes current, and the instances keep running as they are.
    spares_broken: whether process types that crashed before may go on to do so (`BrokenBefore`).
    guarded: whether the server rolls it back if it does worse than what ran before.
    logs_failure: whether the app's log gets the reason if the new instances do not come up.
    progress: where it is shown, if not in the change's own.
    live: called once the proxy routes to it and that is recorded; it tells the user.
    accepting: entered while the client gets its answer and leaves: git then moves a pushed branch.
    afterwards: called in that, still under the app's lock, when no client waits any longer.
    """

    release: Release
    formation: Mapping[ProcessType, int] | None = None
    stopped: frozenset[str] | None = None
    removed: Storage | None = None
    limits: tuple[SetLimit, ...] | None = None
    scheduling: Scheduling | None = None
    only: Set[str] | None = None
    release_command: bool = True
    restart: bool = True
    spares_broken: bool = False
    guarded: bool = False
    logs_failure: bool = True
    progress: Progress | None = None
    live: Callable[[], None] = nothing
    accepting: Callable[[], AbstractContextManager[object]] = nullcontext
    afterwards: Callable[[], None] = nothing


Prepare = Callable[[App, Progress], AbstractContextManager[Target | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change. who and doing: shown to those who wait, as ``alice`` and ``scales the app``.

    prepare: entered under the app's lock, with the app as it is then; checks, records, and yields
    the target, or None if there is nothing to change. Its block ends as the roll-out does: with an
    exception, to undo what it recorded and re-raise, or after the commit, when nothing can be
    undone.
    """

    app: App
    who: str
    doing: str
    prepare: Prepare
